"""Trees, and the files that hold them: nothing is ever unpickled, so a foreign file can be refused but cannot run.

A *tree* is nested dicts (string keys) and lists of ``str``, ``int``, ``float`` (nan and inf too), ``bool``, ``None``,
``bytes`` and numpy arrays. Tuples come back as lists, numpy scalars as plain numbers. One tree is one safetensors file:
its arrays are the tensors, its structure is JSON in the file's metadata.
"""

import json
import os
import re
import uuid
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import safetensors
import safetensors.numpy

from aecore.errors import StoreError

Tree: TypeAlias = Any  # a recursive alias would make every caller cast at every step down

MAX_DEPTH = 64  # deeper than any honest result, and far from Python's own recursion limit
MAX_NODES = 1_000_000  # values in a structure; longer lists of numbers are stored as arrays
MAX_INT_BITS = 1024  # Python refuses to write integers of some thousand digits as text

_FORMAT = "aecore.tree/1"  # the one metadata entry; its name tells our files from other safetensors
_PLAIN = {"float64", "float32", "float16", "bool", "complex64"}
_PLAIN |= {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
_VIEWED = re.compile(r"c16|[mM]8(\[\w+\])?")  # what safetensors lacks travels as bytes and is viewed back
# What forged bytes can set off in the parsers and in numpy, once each step has been taken for good.
_UNREADABLE = (
    safetensors.SafetensorError,
    StoreError,
    ValueError,
    TypeError,
    LookupError,
    OverflowError,
    RecursionError,
)


def dumps(tree: Tree) -> bytes:
    """Turn a tree into the bytes of one safetensors file.

    Raises
    ------
    StoreError
        Where the tree holds something else than a tree may; the message says what and where.
    """
    arrays: dict[str, np.ndarray] = {}
    structure = json.dumps(encode(tree, "tree", arrays, 0), separators=(",", ":"))
    if _nodes(structure.encode()) > MAX_NODES:
        raise StoreError(f"A result may hold {MAX_NODES:,} values beside its arrays: store long lists as arrays.")
    return bytes(safetensors.numpy.save(arrays, metadata={_FORMAT: structure}))


def loads(data: bytes) -> Tree:
    """Rebuild the tree that `dumps` wrote; its arrays are writable copies.

    Raises
    ------
    StoreError
        Where the bytes are torn, foreign or forged.
    """
    try:
        head = data[8 : 8 + int.from_bytes(data[:8], "little")]
        if _nodes(head) > 8 * MAX_NODES:  # an array's entry in the header has eight values
            raise StoreError("The stored structure holds too much.")
        arrays = safetensors.numpy.load(data)
        header = json.loads(head)
        if _nodes(header["__metadata__"][_FORMAT].encode()) > MAX_NODES:
            raise StoreError("The stored structure holds too much.")
        return _decode(json.loads(header["__metadata__"][_FORMAT]), arrays, 0)
    except _UNREADABLE as error:
        raise StoreError(
            f"These {len(data):,} bytes are not a stored result of this program, or only a part of one; "
            "make the result again or choose another file."
        ) from error


def write(path: str | os.PathLike[str], tree: Tree) -> None:
    """Write a tree to a file, whole or not at all.

    Raises
    ------
    StoreError
        Where the tree cannot be stored or the file cannot be written.
    """
    data = dumps(tree)
    try:
        replace(Path(path), data)
    except OSError as error:
        raise StoreError(f"Could not write {Path(path).name}: {_reason(error)}; choose another place.") from error


def read(path: str | os.PathLike[str]) -> Tree:
    """Read the tree that `write` left in a file.

    Raises
    ------
    StoreError
        Where the file cannot be read, or is torn, foreign or forged.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise StoreError(f"Could not read {Path(path).name}: {_reason(error)}; choose another file.") from error
    try:
        return loads(data)
    except StoreError as error:
        raise StoreError(
            f"{Path(path).name} is not a stored result of this program, or only a part of one; "
            "make the result again or choose another file."
        ) from error


def encode(node: Tree, where: str, arrays: dict[str, np.ndarray], depth: int) -> Any:
    """JSON for one node, its arrays put aside into `arrays`.

    A JSON list always starts with its kind, so that nothing in a tree can pass for an array.
    """
    if depth > MAX_DEPTH:
        raise StoreError(f"A result may be nested {MAX_DEPTH} levels deep, {where[:60]}... is deeper: flatten it.")
    if isinstance(node, np.generic) and not isinstance(node, np.datetime64 | np.timedelta64 | np.complexfloating):
        node = node.item()
    if node is None or isinstance(node, bool):
        return node
    if isinstance(node, int) and node.bit_length() > MAX_INT_BITS:
        raise StoreError(f"A result cannot hold an integer of {node.bit_length()} bits (at {where}): use a float.")
    if isinstance(node, str):
        return str.__str__(node)  # the text itself, also of a string enum
    for plain in (int, float):
        if isinstance(node, plain):
            return plain(node)
    if isinstance(node, dict):
        for name in node:
            if not isinstance(name, str):
                raise StoreError(f"A stored dict takes strings as keys, {where} has {name!r}: use str(...).")
        return {str.__str__(name): encode(part, f"{where}[{name!r}]", arrays, depth + 1) for name, part in node.items()}
    if isinstance(node, list | tuple):
        return ["list", *(encode(part, f"{where}[{i}]", arrays, depth + 1) for i, part in enumerate(node))]
    if isinstance(node, bytes):
        return ["bytes", _keep(np.frombuffer(node, np.uint8), arrays)]
    if isinstance(node, np.ndarray | np.generic) and not isinstance(node, np.ma.MaskedArray):
        return _encode_array(np.asarray(node, order="C"), where, arrays)
    raise StoreError(f"A result cannot hold a {type(node).__name__} (at {where}): store numbers, text or numpy arrays.")


def _encode_array(array: np.ndarray, where: str, arrays: dict[str, np.ndarray]) -> list[Any]:
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype.name in _PLAIN:
        return ["array", _keep(array, arrays)]
    code = array.dtype.str.lstrip("<>=|")
    if _VIEWED.fullmatch(code):
        return ["view", _keep(np.frombuffer(array.tobytes(), np.uint8), arrays), code, list(array.shape)]
    raise StoreError(f"A result cannot hold an array of {array.dtype} (at {where}): store numbers or a list.")


def _keep(array: np.ndarray, arrays: dict[str, np.ndarray]) -> str:
    name = str(len(arrays))
    arrays[name] = array
    return name


def _decode(node: Any, arrays: dict[str, np.ndarray], depth: int) -> Tree:
    if depth > MAX_DEPTH:
        raise StoreError("The stored structure is nested too deep.")
    if isinstance(node, dict):
        return {name: _decode(part, arrays, depth + 1) for name, part in node.items()}
    if not isinstance(node, list):
        return node
    match node:
        case ["list", *parts]:
            return [_decode(part, arrays, depth + 1) for part in parts]
        case ["array", str(name)]:
            return np.array(arrays.pop(name))  # each once, as `dumps` wrote them: a mention costs its array's memory
        case ["bytes", str(name)]:
            return arrays.pop(name).tobytes()
        case ["view", str(name), str(code), list(shape)] if _VIEWED.fullmatch(code):
            return np.frombuffer(arrays.pop(name).tobytes(), np.dtype(code)).reshape(shape).copy()
    raise StoreError("The stored structure names a kind that no version of this program writes.")


def _nodes(structure: bytes) -> int:
    """Count, without reading it, the values that a structure holds at most."""
    return sum(map(structure.count, (b",", b"[", b"{")))


def replace(path: Path, data: bytes) -> None:
    """Put bytes where `path` says, whole or not at all."""
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")  # same folder: a rename within one file system is atomic
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # the name must not reach the disk before the bytes do
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
