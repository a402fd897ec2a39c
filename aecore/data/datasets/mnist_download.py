"""Fetch MNIST or Fashion-MNIST once: by torchvision's mirrors and checksums, whole or not at all, in bounded time.

torchvision's own transfer waits for ever where a mirror stalls, and tells a terminal how far it is. So the bytes are
fetched here, with a limit on every wait and on the whole; its class then checks and unpacks what has come. Messages
name neither mirrors nor folders, which are nothing to a visitor; the log does.
"""

from __future__ import annotations

import hashlib
import http.client
import logging
import os
import queue
import shutil
import ssl
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from aecore.data.datasets import mnist
from aecore.errors import DatasetMissing, StoreError

MIRROR = "AECORE_MNIST_MIRROR"  # an address that ends where the files' names begin; instead of torchvision's mirrors
STALLED = 10.0  # s without a byte, and until a host answers at all
SLOWEST, PATIENCE = 50_000.0, 15.0  # bytes a second that a mirror must give after so many seconds
AVOIDED = 30.0  # s in which a host that did not answer is not asked again: each asking holds a worker
WAIT = 0.2  # s between two looks whether another process has finished
DEADLINE = 300.0  # s for everything; at 1 Mbit/s Fashion-MNIST's 31 MB take 250
CHUNK = 1 << 16  # bytes
REPORT_EVERY = 0.2  # s
ABANDONED = 3600.0  # s after which an unfinished folder belongs to a process that was killed
LARGEST = 1 << 26  # bytes of one packed file: a mirror that sends more is no mirror
NETWORK = (OSError, http.client.HTTPException, ssl.SSLError)
PREFIX = ".unfinished-"

Progress = dict[str, Any]
Opened = TypeVar("Opened")

_log = logging.getLogger(__name__)
_silent: dict[str, float] = {}  # hosts that did not answer, until when they are left alone


class _Remote(NamedTuple):
    """One file on the mirrors."""

    name: str
    md5: str


class _Refused(Exception):
    """A mirror did not deliver a file; the next may."""


def download(
    name: str = "mnist", *, root: str | os.PathLike[str] | None = None, mirror: str | None = None,
    stalled: float = STALLED, deadline: float = DEADLINE,
) -> Generator[Progress, None, str]:  # fmt: skip
    """Bring a data set into ``root``; a job's task. Returns the folder; there already, it asks no mirror.

    Where another process fetches the same, this one waits for it. Yields {file, bytes, total, progress}: bytes so far
    and bytes announced of this file, and the share of all. ``root`` None is the user's cache, ``mirror`` None what
    ``$AECORE_MNIST_MIRROR`` names, or torchvision's list; ``stalled`` and ``deadline`` are seconds.

    Raises
    ------
    DatasetMissing
        where no mirror gave the files, with what went wrong.
    StoreError
        where the disk did not take them.
    """
    target, end = Path(mnist.folder() if root is None else root), time.monotonic() + deadline
    if mnist.present(target, name):
        return str(target)
    waiting = {"file": "", "bytes": 0, "total": 0, "progress": 0.0}
    yield waiting
    try:
        target.mkdir(parents=True, exist_ok=True)
        _sweep(target)
        while True:
            with _alone(target / f".fetching-{name}") as alone:
                if mnist.present(target, name):
                    return str(target)
                if alone:
                    yield from _bring(name, target, mirror, stalled, end)
                    return str(target)
            if time.monotonic() >= end:
                raise DatasetMissing(f"{mnist.TITLES[name]} is being fetched, and takes too long; try again later.")
            time.sleep(WAIT)
            yield waiting
    except OSError as error:
        _log.warning("%s could not be written to %s: %s", name, target, error)
        raise StoreError(
            f"{mnist.TITLES[name]} could not be written to the cache ({error.strerror or type(error).__name__}): make "
            "room there, or set AECORE_CACHE to another folder."
        ) from error


def _bring(
    name: str, target: Path, mirror: str | None, stalled: float, end: float
) -> Generator[Progress, None, None]:  # fmt: skip
    dataset = _dataset(name)
    mirrors = [mirror or os.environ.get(MIRROR) or ""]
    mirrors = [m if m.endswith("/") else f"{m}/" for m in mirrors if m] or list(dataset.mirrors)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=target, ignore_cleanup_errors=True) as unfinished:
        raw = Path(unfinished) / mnist.FOLDERS[name] / "raw"
        raw.mkdir(parents=True)
        files = [_Remote(*resource) for resource in dataset.resources]
        yield from _all(mnist.TITLES[name], files, mirrors, raw, stalled, end)
        _unpack(dataset, Path(unfinished), raw, name)
        _put_in_place(Path(unfinished), target, name)


@contextmanager
def _alone(path: Path) -> Iterator[bool]:
    """Hold a lock that is gone with its process; False where another process holds it."""
    import fcntl  # not on Windows, where the rest of this module can be imported all the same

    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        try:
            ours = path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno()))
            yield ours  # not ours where its holder has removed it since it was opened here
        finally:
            if ours:
                path.unlink(missing_ok=True)


def _dataset(name: str) -> Any:
    from aecore.vision import import_torchvision  # seconds: only where something is fetched

    return getattr(import_torchvision().datasets, mnist.FOLDERS[name])


def _all(
    title: str, files: list[_Remote], mirrors: list[str], raw: Path, stalled: float, end: float
) -> Generator[Progress, None, None]:  # fmt: skip
    """Fetch every file from the first mirror that gives it; one that failed is asked last for the next file."""
    for done, file in enumerate(files):
        refusals: list[str] = []
        for mirror in list(mirrors):
            try:
                for got, size in _fetch(f"{mirror}{file.name}", raw / file.name, file.md5, stalled, end):
                    share = (done + (got / size if size else 0.0)) / len(files)
                    yield {"file": file.name, "bytes": got, "total": size, "progress": min(share, 1)}
                break
            except _Refused as error:
                _log.warning("%s%s %s", mirror, file.name, error)
                refusals.append(str(error))
                mirrors.sort(key=mirror.__eq__)
        else:
            raise DatasetMissing(
                f"{title} could not be fetched (a mirror {'; another '.join(dict.fromkeys(refusals))}). Try again "
                f"later, or set {MIRROR} to a mirror that can be reached from here."
            )


def _fetch(url: str, path: Path, md5: str, stalled: float, end: float) -> Iterator[tuple[int, int]]:
    """Write one file, yielding bytes so far and bytes announced; only what has the checksum counts."""
    digest, got, shown = hashlib.md5(usedforsecurity=False), 0, 0.0
    began = time.monotonic()
    with _open(url, stalled, end) as response, path.open("wb") as file:
        size = int(response.headers.get("Content-Length") or 0)
        while chunk := _read(response, end):
            got += len(chunk)
            if got > LARGEST:
                raise _Refused("sent far more than the file holds")
            if (spent := time.monotonic() - began) > PATIENCE and got < SLOWEST * spent:
                raise _Refused("is too slow")
            digest.update(chunk)
            file.write(chunk)
            if time.monotonic() - shown >= REPORT_EVERY:
                shown = time.monotonic()
                yield got, size
    if digest.hexdigest() != md5:
        path.unlink()
        if size > got:
            raise _Refused(f"broke off after {got:,} of {size:,} bytes")
        html = response.headers.get_content_type() == "text/html"
        raise _Refused("answered with a web page" if html else "sent other content: its checksum is wrong")
    yield got, got


def _open(url: str, stalled: float, end: float) -> Any:
    host, now = urllib.parse.urlsplit(url).netloc, time.monotonic()
    if now >= end:
        raise _Refused("was not asked, for the time was up")
    if _silent.get(host, 0.0) > now:
        raise _Refused("did not answer a moment ago")
    wait = min(stalled, end - now)
    try:
        return _within(wait, lambda: urllib.request.urlopen(url, timeout=wait))
    except TimeoutError as error:
        _silent[host] = time.monotonic() + AVOIDED
        raise _Refused(f"cannot be reached (no answer in {wait:.0f} s)") from error
    except urllib.error.HTTPError as error:
        error.close()  # it is the answer, too
        raise _Refused(f"answered {error.code}") from error
    except (ValueError, *NETWORK) as error:
        if isinstance(getattr(error, "reason", None), TimeoutError):
            _silent[host] = time.monotonic() + AVOIDED
        raise _Refused(f"cannot be reached ({_reason(error)})") from error


def _within(seconds: float, call: Callable[[], Opened]) -> Opened:
    """Return what a call gives, or raise TimeoutError: a name server and a host of many addresses know no limit."""
    answers: queue.Queue[tuple[Opened | None, BaseException | None]] = queue.Queue()
    late = threading.Event()

    def run() -> None:
        try:
            opened = call()
        except BaseException as error:  # for the thread that waits
            answers.put((None, error))
            return
        if late.is_set():
            getattr(opened, "close", lambda: None)()
        answers.put((opened, None))

    threading.Thread(target=run, daemon=True, name="mirror").start()
    try:
        opened, error = answers.get(timeout=seconds)
    except queue.Empty:
        late.set()
        raise TimeoutError from None
    if error is not None:
        raise error
    assert opened is not None
    return opened


def _read(response: Any, end: float) -> bytes:
    """Next bytes as they come: one call waits for one packet, so that a trickle meets the deadline too."""
    if time.monotonic() >= end:
        raise _Refused("is too slow")
    try:
        chunk: bytes = response.read1(CHUNK)
    except TimeoutError as error:
        raise _Refused("stalled") from error
    except NETWORK as error:
        raise _Refused(f"broke off ({_reason(error)})") from error
    return chunk


def _reason(error: BaseException) -> str:
    """Say what went wrong without naming whom it went wrong with."""
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLError):
        return "its certificate is not trusted"
    return str(getattr(reason, "strerror", None) or type(reason).__name__)


def _unpack(dataset: Any, root: Path, raw: Path, name: str) -> None:
    try:
        dataset(root, download=True)  # finds the files, holds them against its checksums once more, unpacks them
        for packed in raw.glob("*.gz"):
            packed.unlink()
    except (RuntimeError, ValueError, EOFError, zlib.error) as error:
        _log.warning("%s cannot be unpacked: %s", name, error)
        raise DatasetMissing(f"{mnist.TITLES[name]} came whole but cannot be unpacked; try again later.") from error
    if not mnist.present(root, name):
        raise DatasetMissing(f"{mnist.TITLES[name]} came whole but does not hold 60,000 and 10,000 pictures.")


def _put_in_place(unfinished: Path, target: Path, name: str) -> None:
    """Move the finished folder to its place in one step; what lay there was not whole, or another process's copy."""
    folder = mnist.FOLDERS[name]
    if (target / folder).exists():
        if mnist.present(target, name):
            return
        (target / folder).rename(unfinished / "replaced")
    (unfinished / folder).rename(target / folder)


def _sweep(target: Path) -> None:
    """Remove what killed processes have left."""
    for path in target.glob(f"{PREFIX}*"):
        if time.time() - path.stat().st_mtime > ABANDONED:
            shutil.rmtree(path, ignore_errors=True)
