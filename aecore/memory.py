"""Measure the memory, and keep one budget for what the server holds of visitors: uploads, waiting work and results.

Depends on nothing but the standard library; every function may be called from any thread.
"""

import os
import threading
from collections import deque
from pathlib import Path
from types import TracebackType

from aecore.errors import TooBusy

MEGABYTE = 1_000_000
# The share of the machine's memory that visitors may have the server hold; pages and models come on top.
SERVER_SHARE = 0.15
# One file of the largest size that the pages take.
LEAST_SERVER = 120 * MEGABYTE
# More belongs into workers, which can be killed.
MOST_SERVER = 2_000 * MEGABYTE

_CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def machine_memory() -> int:
    """Return the bytes of memory that this program may use.

    That is the machine's memory, or the limit of this process' control group where that is lower (a container's);
    ``$AECORE_MEMORY_MEGABYTES`` overrides both.
    """
    if megabytes := os.environ.get("AECORE_MEMORY_MEGABYTES"):
        return int(float(megabytes) * MEGABYTE)
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 4_000 * MEGABYTE
    for path in _CGROUPS:
        try:
            limit = Path(path).read_text().strip()
        except OSError:
            continue
        if limit.isdecimal():  # "max" where there is none
            total = min(total, int(limit))
    return total


def server_share(memory: int) -> int:
    """Return how many bytes visitors may have the server hold on a machine with so much memory."""
    return int(min(MOST_SERVER, max(LEAST_SERVER, SERVER_SHARE * memory)))


class Charge:
    """Bytes taken from a budget, until `release`, the end of its ``with`` block, or its own end."""

    def __init__(self, budget: "Budget", size: int, owner: str) -> None:
        self.size = size
        self.owner = owner
        self._budget: Budget | None = budget
        self._lock = threading.Lock()

    def release(self) -> None:
        """Give the bytes back; a second call changes nothing."""
        with self._lock:
            budget, self._budget = self._budget, None
        if budget is not None:
            budget._give_back(self.size, self.owner)

    def __del__(self) -> None:
        # Not release(): a finalizer may run in the middle of the budget's own work, in the same thread.
        if self._budget is not None:
            self._budget._returned.append((self.size, self.owner))

    def __enter__(self) -> "Charge":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()


class Budget:
    """So many bytes for all, and a record of who holds them.

    ``limit=None`` reads ``$AECORE_SERVER_MEGABYTES``, or takes this machine's `server_share`, at the first charge.
    """

    def __init__(self, limit: int | None = None) -> None:
        self._limit = limit
        self._owners: dict[str, int] = {}
        self._returned: deque[tuple[int, str]] = deque()  # by charges that went without a release
        self._lock = threading.Lock()

    @property
    def limit(self) -> int:
        """How many bytes there are in all."""
        if self._limit is None:
            megabytes = os.environ.get("AECORE_SERVER_MEGABYTES")
            self._limit = int(float(megabytes) * MEGABYTE) if megabytes else server_share(machine_memory())
        return self._limit

    @property
    def held(self) -> int:
        """How many bytes are taken."""
        with self._lock:
            self._tidy_up()
            return sum(self._owners.values())

    def held_by(self, owner: str) -> int:
        """Return how many bytes an owner has taken."""
        with self._lock:
            self._tidy_up()
            return self._owners.get(owner, 0)

    def charge(self, size: int, owner: str = "") -> Charge:
        """Take bytes for an owner: a session, an address, or a kind of use.

        Raises
        ------
        TooBusy
            Where so many are not left; nothing is taken then.
        """
        limit = self.limit
        with self._lock:
            self._tidy_up()
            held = sum(self._owners.values())
            if held + size > limit:
                if size > limit:
                    raise TooBusy(
                        f"This takes {size / MEGABYTE:,.0f} MB, and the server may hold {limit / MEGABYTE:,.0f} MB "
                        "for all its visitors: try a smaller file or fewer data."
                    )
                raise TooBusy(
                    f"The server holds {held / MEGABYTE:,.0f} of {limit / MEGABYTE:,.0f} MB for its visitors and has "
                    f"no room for {size / MEGABYTE:,.1f} MB more: try again in some minutes, or with a smaller file."
                )
            self._owners[owner] = self._owners.get(owner, 0) + size
        return Charge(self, size, owner)

    def _give_back(self, size: int, owner: str) -> None:
        with self._lock:
            self._returned.append((size, owner))
            self._tidy_up()

    def _tidy_up(self) -> None:
        while self._returned:
            size, owner = self._returned.popleft()
            left = self._owners.pop(owner, 0) - size
            if left > 0:
                self._owners[owner] = left


budget = Budget()  # of this process
