"""How much one caller, and all callers together, may ask of the server."""

import ipaddress
import math
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aecore.api.answers import Refusal

AT_ONCE = 2  # requests of one caller under way
PER_MINUTE = 30  # requests that one caller may begin, unless $AECORE_API_PER_MINUTE says otherwise
ALL_AT_ONCE = 6  # requests under way: each may hold a form of 100 MB and as much again while it is read
WINDOW = 60.0  # s


class Limits:
    """Counts requests by caller; used from the server's event loop alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._per_minute = int(os.environ.get("AECORE_API_PER_MINUTE", PER_MINUTE))
        self._begun: dict[str, deque[float]] = {}
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def one_more(self, address: str | None) -> Iterator[None]:
        """Let a caller in for one request, or raise Refusal with the seconds to wait."""
        caller, now = network(address), self._clock()
        self._forget(now - WINDOW)
        begun = self._begun.setdefault(caller, deque())
        if len(begun) >= self._per_minute:
            wait = math.ceil(begun[0] + WINDOW - now)
            raise Refusal(429, f"At most {self._per_minute} requests a minute are taken from one address; wait.", wait)
        if self._under_way[caller] >= AT_ONCE:
            raise Refusal(429, f"{AT_ONCE} of your requests are under way, as many as one address may have; wait.", 5)
        if self._under_way.total() >= ALL_AT_ONCE:
            raise Refusal(503, f"{ALL_AT_ONCE} requests are under way, as many as this server takes; wait.", 10)
        begun.append(now)
        self._under_way[caller] += 1
        try:
            yield
        finally:
            self._under_way[caller] -= 1
            if not self._under_way[caller]:
                del self._under_way[caller]

    def _forget(self, before: float) -> None:
        for caller, begun in list(self._begun.items()):
            while begun and begun[0] <= before:
                begun.popleft()
            if not begun:
                del self._begun[caller]


def network(address: str | None) -> str:
    """Name the caller behind an address: with IPv6 the /64, of which one household has all."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if parsed.version == 6:
        return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
