"""A bounded cache on the user's disk: results by the content of everything that made them."""

import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from aecore.errors import StoreError
from aecore.store.trees import MAX_DEPTH, Tree, dumps, encode, loads, replace

CACHE_BYTES = 1 << 30  # the cache's share of a visitor's disk: some thousand small models

_KEY = re.compile(r"[0-9a-f]{32}")
_log = logging.getLogger(__name__)


def key(name: str, *parts: Any) -> str:
    """Name the result of `name` called with `parts`: 32 hex digits that change when anything behind it does.

    Counted in are the parts (trees and dataclasses of trees), this package's source and the versions of torch and
    numpy. Lists and tuples count as the same; ``1``, ``1.0`` and ``True`` do not.

    Raises
    ------
    StoreError
        Where a part is neither a tree nor a dataclass of trees.
    """
    digest = hashlib.sha256()
    for piece in _canonical([name, _sources(), _versions(), parts], f"{name}(...)", 0):
        digest.update(piece)
    return digest.hexdigest()[:32]


def fingerprint() -> str:
    """Return 32 hex digits that change with this package's source and with the versions of torch and numpy."""
    return hashlib.sha256(repr([_sources(), _versions()]).encode()).hexdigest()[:32]


def get(key: str) -> Tree | None:
    """Look a result up in the cache; a torn one counts as missing and is removed."""
    path = _path(key)
    try:
        data = path.read_bytes()
        os.utime(path)  # "oldest" in the cache means longest unused
    except FileNotFoundError:
        return None
    except OSError as error:
        _log.warning("The cache could not be read: %s", error)
        return None
    try:
        return loads(data)
    except StoreError:
        _log.warning("A damaged result was removed from the cache: %s", path.name)
        _remove(path)
        return None


def put(key: str, tree: Tree) -> bool:
    """Keep a result in the cache; False where the disk does not take it, which is logged and not an error.

    Raises
    ------
    StoreError
        Where the tree cannot be stored on any disk.
    """
    path, data = _path(key), dumps(tree)
    try:
        if len(data) > CACHE_BYTES:
            raise OSError(f"{len(data):,} bytes are more than the whole cache may hold")
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, data)
        _prune(path.parent)
    except OSError as error:
        _log.warning("A result was not kept on disk: %s", error)
        return False
    return True


def folder() -> Path:
    """Where the cache lies: ``$AECORE_CACHE``, or the user's own cache folder."""
    return Path(os.environ.get("AECORE_CACHE") or platformdirs.user_cache_dir("autoencoder-workbench"))


def _path(key: str) -> Path:
    if not _KEY.fullmatch(key):
        raise StoreError(f"A key of the cache has 32 hex digits, got {key[:60]!r}: make it with store.key().")
    return folder() / "results" / f"{key}.safetensors"


def _prune(directory: Path) -> None:
    """Remove what was unused for longest until the rest fits; leftovers of killed processes age and go the same way."""
    found = []
    for entry in os.scandir(directory):
        try:
            status = entry.stat()
        except FileNotFoundError:
            continue  # another process pruned it first
        found.append((status.st_mtime_ns, status.st_size, Path(entry.path)))
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= CACHE_BYTES:
            return
        _remove(path)
        total -= size


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        _log.warning("The cache could not be tidied: %s", error)


def _canonical(part: Any, where: str, depth: int) -> Iterator[bytes]:
    """Unambiguous bytes for one part: a kind, a length, then the content."""
    if depth > MAX_DEPTH:
        raise StoreError(f"Settings may be nested {MAX_DEPTH} levels deep, {where[:60]}... is deeper: flatten them.")
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        kind = type(part)
        fields = {field.name: getattr(part, field.name) for field in dataclasses.fields(part)}
        yield from _canonical(["dataclass", f"{kind.__module__}.{kind.__qualname__}", fields], where, depth + 1)
    elif isinstance(part, dict):
        names = sorted(part, key=repr)
        yield b"dict %d " % len(names)
        for name in names:
            yield from _canonical(name, where, depth + 1)
            yield from _canonical(part[name], f"{where}[{name!r}]", depth + 1)
    elif isinstance(part, list | tuple):
        yield b"list %d " % len(part)
        for i, inner in enumerate(part):
            yield from _canonical(inner, f"{where}[{i}]", depth + 1)
    else:
        yield from _canonical_leaf(part, where, depth)


def _canonical_leaf(part: Any, where: str, depth: int) -> Iterator[bytes]:
    arrays: dict[str, np.ndarray] = {}
    text = json.dumps(encode(part, where, arrays, depth)).encode()
    yield b"leaf %d " % len(text)
    yield text
    for array in arrays.values():
        shape = f"{array.dtype.str} {array.shape} ".encode()
        yield shape
        yield array.tobytes()


@functools.cache
def _sources() -> str:
    """Fingerprint this package's source: a result is only as good as the code that made it."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()} {len(content)} ".encode())
        digest.update(content)
    return digest.hexdigest()


@functools.cache
def _versions() -> list[str]:
    return [f"{name} {importlib.metadata.version(name)}" for name in ("torch", "numpy")]
