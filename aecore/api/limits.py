"""Limit the requests of each caller, and of all callers together."""

import math
import os
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aecore.admission import SITE_SHARES, AllHold, OneHolds, Refusal, Shares, networks

# Requests of one caller that may be under way.
AT_ONCE = 2
# Requests that one caller may begin in a minute, unless $AECORE_API_PER_MINUTE says otherwise.
PER_MINUTE = 30
# Forms of all callers that may arrive at once; their bytes count in the server's budget.
READING_AT_ONCE = 24
# Requests of all callers that may be worked on at once.
ALL_AT_ONCE = 6
WINDOW = 60.0  # s


class Limits:
    """Counts of requests by caller."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._per_minute = int(os.environ.get("AECORE_API_PER_MINUTE", PER_MINUTE))
        self._begun: OrderedDict[str, deque[float]] = OrderedDict()  # who called last stands last
        self._under_way = Shares(AT_ONCE, READING_AT_ONCE)
        self._working = Shares(ALL_AT_ONCE, ALL_AT_ONCE)

    @contextmanager
    def one_more(self, address: str | None) -> Iterator[None]:
        """Let a caller in for one request, or raise Refusal with the seconds to wait."""
        now = self._clock()
        self._forget(now - WINDOW)
        self._check_rate(address, now)
        try:
            give_back = self._under_way.take(address)
        except OneHolds:
            sentence = f"{AT_ONCE} of your requests are under way, as many as one address may have; wait."
            raise Refusal(429, sentence, 5) from None
        except AllHold:
            raise _busy(READING_AT_ONCE) from None
        for network in networks(address):
            self._begun.setdefault(network, deque()).append(now)
            self._begun.move_to_end(network)
        try:
            yield
        finally:
            give_back()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let a request that has been read be worked on, or raise Refusal."""
        try:
            give_back = self._working.take(None)
        except (OneHolds, AllHold):
            raise _busy(ALL_AT_ONCE) from None
        try:
            yield
        finally:
            give_back()

    def _check_rate(self, address: str | None, now: float) -> None:
        for place, network in enumerate(networks(address)):
            most = self._per_minute * (SITE_SHARES if place else 1)
            begun = self._begun.get(network, deque())
            while begun and begun[0] <= now - WINDOW:
                begun.popleft()
            if len(begun) >= most:
                wait = math.ceil(begun[0] + WINDOW - now)
                raise Refusal(429, f"At most {most} requests a minute are taken from one address; wait.", wait)

    def _forget(self, before: float) -> None:
        """Forget who has not called since; looks at those alone, however many there are."""
        while self._begun:
            network, begun = next(iter(self._begun.items()))
            if begun and begun[-1] > before:
                return
            del self._begun[network]


def _busy(most: int) -> Refusal:
    return Refusal(503, f"{most} requests are under way, as many as this server takes; wait.", 10)
