"""Admit uploads and connections: how much each caller and all together may hold, and which uploads are read.

Depends on no web framework, so that the pages and the middleware of `serve.py` share one record. Every function may be
called from any thread.
"""

import ipaddress
import sys
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass

from aecore.errors import TooBusy
from aecore.memory import Budget, Charge, budget

MEGABYTE = 1_000_000

# Of one IPv6 site, a /48, which may split itself into 65,536 networks: so many times what one network may have.
SITE_SHARES = 8

# As server.maxUploadSize in .streamlit/config.toml, counted in units of 1,048,576, with room for a multipart frame.
MAX_UPLOAD = 100 * 1_048_576 + MEGABYTE
# Two of the largest files: a log and a detector, say.
SESSION_BYTES = 2 * MAX_UPLOAD
ADDRESS_BYTES = 2 * SESSION_BYTES
# Upload addresses that a session may have open; a page asks for one a file.
MAX_IDS = 32


class Refusal(Exception):
    """A request that is not served: an HTTP status and the sentence that says why and what to do."""

    def __init__(self, status: int, sentence: str, retry_after: int | None = None) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.retry_after = status, sentence, retry_after


class OneHolds(Exception):
    """One caller holds all that one may."""


class AllHold(Exception):
    """All callers together hold all that there is."""


def fold(address: str | None) -> str:
    """Return an address in its one spelling: an IPv4 address inside an IPv6 one as the former; "unknown" for none."""
    try:
        parsed = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def networks(address: str | None) -> tuple[str, ...]:
    """Return the callers behind an address: with IPv6 the /64, which one household has whole, and its site's /48."""
    folded = fold(address)
    if ":" not in folded:
        return (folded,)
    return tuple(str(ipaddress.ip_network((folded, bits), strict=False)) for bits in (64, 48))


class Shares:
    """How much each caller, and all together, hold of something that can be counted."""

    def __init__(self, each: int, whole: int | None = None) -> None:
        self.each, self.whole = each, whole
        self._held: Counter[str] = Counter()
        self._total = 0
        self._lock = threading.Lock()

    def check(self, address: str | None, amount: int = 1) -> None:
        """Raise OneHolds or AllHold where a caller may not take so much more."""
        for place, network in enumerate(networks(address)):
            if self._held[network] + amount > self.each * (SITE_SHARES if place else 1):
                raise OneHolds
        if self.whole is not None and self._total + amount > self.whole:
            raise AllHold

    def take(self, address: str | None, amount: int = 1) -> Callable[[], None]:
        """Count what a caller takes; returns the function that gives it back, whose second call changes nothing."""
        with self._lock:
            self.check(address, amount)
            self._add(address, amount)
        left = [amount]

        def give_back() -> None:
            with self._lock:
                if left:
                    self._add(address, -left.pop())

        return give_back

    def _add(self, address: str | None, amount: int) -> None:
        self._total += amount
        for network in networks(address):
            self._held[network] += amount
            if not self._held[network]:
                del self._held[network]


@dataclass(eq=False)
class _Kept:
    """Bytes that are read or held for a session, counted until they are gone."""

    session: str
    address: str | None
    size: int
    charge: Charge
    give_back: Callable[[], None]
    data: bytes | None = None  # None while it is read


class Uploads:
    """Files that visitors upload: which may be read, and what is held of them.

    An upload is read only under an address that a page has asked for, and only where session, caller and the server
    have room for it. Its bytes count until nothing refers to them any more: a page may hold a file that Streamlit has
    let go.
    """

    def __init__(self, budget: Budget, session_bytes: int = SESSION_BYTES, address_bytes: int = ADDRESS_BYTES) -> None:
        self._budget = budget
        self._session_bytes = session_bytes
        self._addresses = Shares(address_bytes)
        self._counts: Counter[str] = Counter()  # bytes by session
        self._ids: dict[str, OrderedDict[str, None]] = {}
        self._reading: dict[tuple[str, str], _Kept] = {}
        self._files: dict[str, OrderedDict[str, _Kept]] = {}  # by session, the oldest first
        self._dropped: list[_Kept] = []
        self._lock = threading.RLock()

    def hand_out(self, session: str, file: str) -> None:
        """Remember an address that a page was given for a file."""
        with self._lock:
            ids = self._ids.setdefault(session, OrderedDict())
            ids[file] = None
            while len(ids) > MAX_IDS:
                ids.popitem(last=False)

    def check_room(self, session: str) -> None:
        """Raise Refusal where a session has no room for another file; said before the browser sends one."""
        self.sweep()
        with self._lock:
            if self._held_by(session) >= self._session_bytes - MEGABYTE:
                raise self._full(session)
        if self._budget.held >= self._budget.limit - MEGABYTE:
            raise Refusal(429, "The server holds as many uploads as it can: try again in some minutes.", 60)

    def admit(self, session: str, file: str, size: int, address: str | None) -> Callable[[], None]:
        """Let the body of an upload be read; returns the function that ends the reading. Raises Refusal."""
        self._check_id(session, file)
        reading = self._take(session, size, address)
        with self._lock:
            if (session, file) in self._reading:
                self._release(reading)
                raise Refusal(409, "This file is being uploaded already.")
            self._reading[session, file] = reading

        def end() -> None:
            with self._lock:
                if self._reading.get((session, file)) is reading:
                    del self._reading[session, file]
                    self._release(reading)

        return end

    def keep(self, session: str, file: str, data: bytes) -> None:
        """Count a file that has been read; raises Refusal where there is no room, or where no page asked for it."""
        self._check_id(session, file)
        with self._lock:
            kept = self._reading.pop((session, file), None)
        kept = kept or self._take(session, len(data), None)
        with self._lock:
            kept.data = data
            self._ids.get(session, OrderedDict()).pop(file, None)
            self._files.setdefault(session, OrderedDict())[file] = kept

    def find_unnamed(self, session: str, named: Collection[str], but: int) -> list[str]:
        """Return a session's files that no control of its page names any more, but for so many of the newest."""
        with self._lock:
            files = list(self._files.get(session, ()))
        return [file for file in files[:-but] if file not in named]

    def drop(self, session: str, file: str) -> None:
        """Let go of a file; its bytes count as long as somebody holds them."""
        with self._lock:
            files = self._files.get(session, OrderedDict())
            if (kept := files.pop(file, None)) is not None:
                self._dropped.append(kept)
            if not files:
                self._files.pop(session, None)
        self.sweep()

    def end_session(self, session: str) -> None:
        """Let go of all that a session has uploaded, and of the addresses that it was given."""
        with self._lock:
            self._ids.pop(session, None)
            self._dropped += self._files.pop(session, OrderedDict()).values()
        self.sweep()

    def sweep(self) -> None:
        """Give back what is counted for bytes that nobody holds any more."""
        with self._lock:
            # Two references are this record's own and the one that getrefcount gets; the interpreter shares the
            # shortest bytes, which are not worth counting.
            gone = [kept for kept in self._dropped if kept.size <= 1 or sys.getrefcount(kept.data) <= 2]
            self._dropped = [kept for kept in self._dropped if kept not in gone]
            for kept in gone:
                kept.data = None
                self._release(kept)

    def held_by(self, session: str) -> int:
        """Return how many bytes are counted for a session."""
        with self._lock:
            return self._held_by(session)

    def address_of(self, session: str) -> str | None:
        """Return the address that a session's files came from; None without files, or where no address is seen."""
        with self._lock:
            return next((kept.address for kept in self._files.get(session, {}).values()), None)

    def _check_id(self, session: str, file: str) -> None:
        with self._lock:
            if file not in self._ids.get(session, ()):
                raise Refusal(404, "No open page has asked for this upload: open the page and choose the file there.")

    def _take(self, session: str, size: int, address: str | None) -> _Kept:
        self.sweep()
        with self._lock:
            if self._held_by(session) + size > self._session_bytes:
                raise self._full(session)
            try:
                # Without an address, as where a proxy is the only caller that is seen, the session's share has to do.
                give_back = _nothing if address is None else self._addresses.take(address, size)
            except OneHolds:
                raise Refusal(
                    429, "Uploads from your address hold as much as one address may: close a page that you do not need."
                ) from None
            try:
                charge = self._budget.charge(size, "uploads")
            except TooBusy as error:
                give_back()
                never = size > self._budget.limit
                raise Refusal(413 if never else 429, str(error), None if never else 60) from None
            kept = _Kept(session, address, size, charge, give_back)
            self._counts[session] += size
            return kept

    def _release(self, kept: _Kept) -> None:
        kept.charge.release()
        kept.give_back()
        self._counts[kept.session] -= kept.size
        if self._counts[kept.session] <= 0:
            del self._counts[kept.session]

    def _held_by(self, session: str) -> int:
        return self._counts[session]

    def _full(self, session: str) -> Refusal:
        return Refusal(
            413,
            f"Your files hold {self._held_by(session) / MEGABYTE:.0f} MB here and one visitor may keep "
            f"{self._session_bytes / MEGABYTE:.0f} MB: remove one that you no longer need, or open the page anew.",
        )


def _nothing() -> None:
    """Give back what was not taken."""


class Pace:
    """How long to wait for the next piece of a body, so that a slow one does not hold its place for long.

    Only what is spent waiting for the sender counts; each piece buys the time that the slowest line needs for it.
    """

    # A quarter of a megabit.
    BYTES_A_SECOND = 32_000
    # Seconds for a line that has to wake up.
    GRACE = 20.0

    def __init__(self) -> None:
        self.left = self.GRACE

    def spend(self, seconds: float, size: int) -> None:
        """Count the seconds that were waited for a piece of so many bytes."""
        self.left = min(self.GRACE, self.left - seconds + size / self.BYTES_A_SECOND)


uploads = Uploads(budget)  # of this process
