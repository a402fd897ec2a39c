"""Values that stay in the worker that made them, and what the server knows of them.

A task that returns ``Held(summary, value)`` gives its summary away and leaves the value in the store of its process.
The server's `Handle` stands for it among the arguments of later private tasks; `ValueStore.take` gives the value back.
"""

import threading
import time
import uuid
from collections import deque
from typing import Any, NamedTuple

from aecore.errors import DataGone, JobError
from aecore.memory import MEGABYTE

# A store drops the values of a server that it has not heard of for so long.
LEASE_SECONDS = 300.0

_GONE = "The data are no longer in memory, as others needed the room or a process ended: read them again."


class Held(NamedTuple):
    """What a private task returns to keep ``value`` in its process; ``summary`` is what `Job.result` gives."""

    summary: Any
    value: Any


class Handle:
    """A value in some worker's memory: its id and its size in bytes. When the object goes, the value is let go of.

    Copies that come out of a pickle stand for the same value, and do not keep it.
    """

    __slots__ = ("id", "size", "address", "__weakref__")

    def __init__(self, id: str, size: int, address: str) -> None:
        self.id = id
        self.size = size
        self.address = address  # of the worker; empty for this process

    def __reduce__(self) -> Any:
        return Handle, (self.id, self.size, self.address)

    def __repr__(self) -> str:
        return f"<Handle {self.id[:8]}, {self.size / MEGABYTE:,.1f} MB>"


class _Entry:
    def __init__(self, value: Any, size: int, owner: str) -> None:
        self.value = value
        self.size = size
        self.owner = owner
        self.used = time.monotonic()


class ValueStore:
    """The held values of one process; the one unused for longest goes first when there are too many bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._entries: dict[str, _Entry] = {}
        self._heard: dict[str, float] = {}
        self._dropped: deque[str] = deque()  # noted by `drop_later`
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes held."""
        with self._lock:
            self._tidy_up()
            return sum(entry.size for entry in self._entries.values())

    @property
    def owners(self) -> set[str]:
        """The servers whose values these are."""
        with self._lock:
            return {entry.owner for entry in self._entries.values()}

    def put(self, value: Any, size: int, owner: str) -> str:
        """Keep a value for a server; returns its id.

        Raises
        ------
        JobError
            Where it takes more room than there is for all.
        """
        if size > self.limit:
            raise JobError(
                f"The data take {size / MEGABYTE:,.0f} MB, and {self.limit / MEGABYTE:,.0f} MB may be held: "
                "use fewer rows or columns."
            )
        name = uuid.uuid4().hex
        with self._lock:
            self._tidy_up()
            self._heard[owner] = time.monotonic()
            oldest = sorted(self._entries, key=lambda each: self._entries[each].used)
            room = self.limit - sum(entry.size for entry in self._entries.values())
            while room < size:
                room += self._entries.pop(oldest.pop(0)).size
            self._entries[name] = _Entry(value, size, owner)
        return name

    def take(self, name: str) -> Any:
        """Return a value, which stays in the store; the caller must not change it.

        Raises
        ------
        DataGone
            Where it is here no more.
        """
        with self._lock:
            self._tidy_up()
            entry = self._entries.get(name)
            if entry is None:
                raise gone()
            entry.used = time.monotonic()
            return entry.value

    def drop(self, name: str) -> None:
        """Let a value go; one that is not here is no error."""
        with self._lock:
            self._entries.pop(name, None)

    def drop_later(self, name: str) -> None:
        """Let a value go at the store's next use: for a finalizer, which may run while its thread holds the lock."""
        self._dropped.append(name)

    def _tidy_up(self) -> None:
        while self._dropped:
            self._entries.pop(self._dropped.popleft(), None)

    def hear(self, owner: str) -> None:
        """Note that a server is there."""
        with self._lock:
            self._heard[owner] = time.monotonic()

    def sweep(self) -> None:
        """Let go of the values of servers that are not there any more."""
        with self._lock:
            since = time.monotonic() - LEASE_SECONDS
            for owner in [owner for owner, heard in self._heard.items() if heard < since]:
                del self._heard[owner]
                for name in [name for name, entry in self._entries.items() if entry.owner == owner]:
                    del self._entries[name]

    def clear(self) -> None:
        """Let all go."""
        with self._lock:
            self._entries.clear()


def gone() -> DataGone:
    """Return the error of a value that is nowhere any more."""
    return DataGone(_GONE)
