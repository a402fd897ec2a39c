"""Pack values for the way between server, workers and their children: in parts, so that large ones are not copied.

Three kinds of packed. A *task* goes from the server to a worker and is trusted. A *tree* (`aecore.store`) is the
result of a public task. A *value* is anything else that comes back: the process that made it has read a visitor's bytes
and may have been taken over by them, so nothing of it is run. It may hold plain containers, numbers, text, dates, numpy
arrays, pandas frames, and the dataclasses, named tuples and errors of this package; every other class is refused, by
the sender with a sentence, and by the receiver anyway.
"""

import dataclasses
import importlib
import pickle
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from aecore.errors import AecoreError, JobError

PicklingError = pickle.PicklingError  # what `seal` raises of arguments that cannot travel

Buffer = bytes | bytearray | memoryview
Kind = Literal["task", "tree", "value"]

# Smaller parts are joined up to this many bytes.
PART = 1 << 20
# The pickler hands on bytes of this size without copying them.
LARGE = 1 << 16

_HERE = __name__
# Built-in classes that run nothing of a visitor's when they are made.
_CLASSES: dict[str, set[str]] = {
    "builtins": {"complex", "range", "slice"},
    "collections": {"OrderedDict", "deque"},
    "datetime": {"date", "time", "datetime", "timedelta", "timezone"},
    "decimal": {"Decimal"},
    "numpy": {"ndarray", "dtype"},
    "numpy._core.multiarray": {"_reconstruct", "scalar"},
    "numpy._core.numeric": {"_frombuffer"},
}


class Packed:
    """One packed value: a pickle or a tree in parts, and the arrays beside it. Its repr says nothing of the content."""

    __slots__ = ("kind", "stream", "buffers", "copied")

    def __init__(
        self, kind: Kind, stream: Iterable[Buffer], buffers: Iterable[Buffer] = (), copied: int | None = None
    ) -> None:
        self.kind = kind
        self.stream = tuple(stream)
        self.buffers = tuple(buffers)
        self.copied = self.size if copied is None else copied  # bytes that are not the sender's own objects

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(memoryview(part).nbytes for part in (*self.stream, *self.buffers))

    @property
    def parts(self) -> tuple[Buffer, ...]:
        """All that has to travel; `rebuild` is the way back."""
        return (*self.stream, *self.buffers)

    @property
    def head(self) -> list[Any]:
        """What has to travel with the parts: plain numbers and text."""
        return [self.kind, len(self.stream)]


def rebuild(head: Sequence[Any], parts: Sequence[Buffer]) -> Packed:
    """Return the packed whose head and parts have arrived."""
    kind, count = head
    if kind not in ("task", "tree", "value") or not isinstance(count, int):
        raise JobError("A process sent what no version of this program sends: start the server again.")
    return Packed(kind, parts[:count], parts[count:])


# ---- tasks: from the server to its workers


def seal(task: Callable[..., Any], args: tuple[Any, ...]) -> Packed:
    """Pack a task now, so that nothing the caller changes meanwhile reaches it.

    ``bytes``, which nobody can change, are not copied.
    """
    own = {id(arg) for arg in args if type(arg) is bytes}
    writer = _Writer(own)
    pickle.Pickler(writer, protocol=pickle.HIGHEST_PROTOCOL).dump((task, args))
    return Packed("task", writer.finish(), copied=writer.copied)


def unseal(packed: Packed) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Return the task and the arguments that `seal` packed; for workers, which trust their server."""
    assert packed.kind == "task"
    return pickle.Unpickler(_Reader(packed.stream)).load()


# ---- what comes back


def pack(value: Any, private: bool) -> Packed:
    """Pack a result or progress: as a tree, which is what the cache would give back, or as a value where private.

    Raises
    ------
    StoreError
        Where a public one is no tree.
    TypeError
        Where a private one holds an object of a class that may not travel.
    """
    if private:
        writer = _Writer(set())
        buffers: list[Buffer] = []

        def put_aside(buffer: pickle.PickleBuffer) -> bool:
            raw = buffer.raw()
            if raw.nbytes >= LARGE:
                buffers.append(raw)
            return raw.nbytes < LARGE  # small ones travel inside the pickle

        _Packer(writer, protocol=5, buffer_callback=put_aside).dump(value)
        return Packed("value", writer.finish(), buffers)
    from aecore import store  # here, because it loads numpy

    return Packed("tree", [store.dumps(value)])


def unpack(packed: Packed) -> Any:
    """Return what `pack` packed; a value's arrays lie over the packed's buffers, a tree is a copy.

    Raises
    ------
    StoreError
        Where a tree is torn or forged.
    JobError
        Where a value is, or asks for a class that may not travel.
    """
    if packed.kind == "tree":
        from aecore import store

        return store.loads(b"".join(packed.stream))
    if packed.kind != "value":
        raise JobError("A process answered with a task: start the server again.")
    try:
        return _Unpacker(_Reader(packed.stream), buffers=packed.buffers).load()
    except AecoreError:
        raise
    except Exception as error:  # of forged bytes, which may raise anything
        raise JobError(f"A result could not be read ({type(error).__name__}): start the work again.") from error


class _Writer:
    """A file for the pickler; keeps what is written in parts."""

    def __init__(self, own: set[int]) -> None:
        self.copied = 0
        self._own = own
        self._parts: list[Buffer] = []
        self._small: list[Buffer] = []
        self._waiting = 0

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        if type(data) is not bytes:
            data = bytes(data)  # the array behind it may change before this is sent
        if id(data) not in self._own:
            self.copied += size
        if size >= LARGE:
            self._join()
            self._parts.append(data)
        else:
            self._small.append(data)
            self._waiting += size
            if self._waiting > PART:
                self._join()
        return size

    def finish(self) -> list[Buffer]:
        self._join()
        return self._parts

    def _join(self) -> None:
        if self._small:
            self._parts.append(b"".join(self._small))
            self._small, self._waiting = [], 0


class _Reader:
    """A file for the unpickler; reads over the parts."""

    def __init__(self, parts: Sequence[Buffer]) -> None:
        self._parts = [memoryview(part).cast("B") for part in parts if len(part)]
        self._index = 0
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        left = sum(map(len, self._parts[self._index :])) - self._at
        out = bytearray(left if size < 0 else min(size, left))
        self.readinto(out)
        return bytes(out)

    def readinto(self, out: Any) -> int:
        target, filled = memoryview(out).cast("B"), 0
        while filled < len(target) and self._index < len(self._parts):
            piece = self._parts[self._index][self._at : self._at + len(target) - filled]
            target[filled : filled + len(piece)] = piece
            filled += len(piece)
            self._at += len(piece)
            if self._at == len(self._parts[self._index]):
                self._index, self._at = self._index + 1, 0
        return filled

    def readline(self) -> bytes:
        line = bytearray()
        while byte := self.read(1):
            line += byte
            if byte == b"\n":
                break
        return bytes(line)


# ---- values


class _Packer(pickle.Pickler):
    """A pickler that refuses what `_Unpacker` would refuse, and takes objects of this package and of pandas apart."""

    def reducer_override(self, value: Any) -> Any:
        kind = type(value)
        if kind.__module__.partition(".")[0] == "aecore":
            return _take_apart(value)
        if isinstance(value, type) or callable(value) and hasattr(value, "__qualname__"):
            if _look_up(getattr(value, "__module__", None) or "", value.__qualname__) is value:
                return NotImplemented
            if getattr(value, "__module__", None) == _HERE and value.__qualname__ in _MAKERS:
                return NotImplemented
            raise TypeError(f"cannot send {value.__qualname__}")
        import numpy as np

        if kind is np.ndarray or isinstance(value, np.dtype | np.generic):
            return NotImplemented
        if kind.__name__ in _CLASSES.get(kind.__module__, ()):
            return NotImplemented
        if kind.__module__.startswith("pandas"):
            return _take_apart_pandas(value)
        raise TypeError(f"cannot send a {kind.__qualname__}")


class _Unpacker(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module == _HERE and name in _MAKERS:
            return _Maker(name)
        found = _look_up(module, name)
        if found is None:
            raise pickle.UnpicklingError("a class that may not travel")
        return found if isinstance(found, type) else _Maker(name)


class _Maker:
    """A function whose attributes forged bytes cannot set."""

    __slots__ = ("_name",)
    _name: str

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "_name", name)

    def __setattr__(self, name: str, value: Any) -> None:
        raise pickle.UnpicklingError("an attribute that may not be set")

    def __call__(self, *args: Any) -> Any:
        return _CALLABLE[self._name](*args)


def _look_up(module: str, name: str) -> Any:
    """Return the class or function of that name, or None where it may not travel."""
    if name not in _CLASSES.get(module, ()):
        return None
    return getattr(importlib.import_module(module), name)


def _take_apart(value: Any) -> Any:
    kind = type(value)
    name = (kind.__module__, kind.__qualname__)
    if isinstance(value, AecoreError):
        return make_error, (kind.__name__, str(value))
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return make_record, (*name, tuple(value))
    if dataclasses.is_dataclass(value):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return make_record, (*name, fields)
    raise TypeError(f"cannot send a {kind.__qualname__}")


def make_record(module: str, name: str, content: Any) -> Any:
    """Rebuild a dataclass or a named tuple of this package, without running its checks."""
    kind: Any = importlib.import_module(module) if module.startswith("aecore.") else None
    for part in name.split("."):
        kind = None if part.startswith("__") else getattr(kind, part, None)
    if not isinstance(kind, type) or (kind.__module__, kind.__qualname__) != (module, name):
        raise pickle.UnpicklingError("a class that may not travel")
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        if not isinstance(content, tuple) or len(content) != len(kind._fields):
            raise pickle.UnpicklingError("a record of another make")
        return tuple.__new__(kind, content)
    if not dataclasses.is_dataclass(kind) or {field.name for field in dataclasses.fields(kind)} != set(content):
        raise pickle.UnpicklingError("a record of another make")
    value = object.__new__(kind)
    for field, part in content.items():
        object.__setattr__(value, field, part)
    return value


def make_error(name: str, message: str) -> AecoreError:
    """Rebuild an error of `aecore.errors`; a `JobError` where there is none of that name."""
    from aecore import errors

    kind = getattr(errors, name, None)
    if not (isinstance(kind, type) and issubclass(kind, AecoreError)):
        kind = JobError
    return kind(str(message))


def _take_apart_pandas(value: Any) -> Any:
    import pandas as pd

    content: tuple[Any, ...]
    if value is pd.NaT or value is pd.NA:
        content = ("missing", "NaT" if value is pd.NaT else "NA")
    elif type(value) is pd.Timestamp:
        content = ("timestamp", str(value))  # its zone becomes an offset
    elif type(value) is pd.Timedelta:
        content = ("timedelta", value.to_timedelta64())
    elif type(value) is pd.DataFrame:
        columns = [_column(value.iloc[:, i]) for i in range(value.shape[1])]
        content = ("frame", columns, value.columns, value.index)
    elif type(value) is pd.Series:
        content = ("series", _column(value), value.index, value.name)
    elif type(value) is pd.RangeIndex:
        content = ("range", value.start, value.stop, value.step, value.name)
    elif type(value) is pd.MultiIndex:
        content = ("levels", list(value), list(value.names))
    elif isinstance(value, pd.Index):
        content = ("index", _column(value), value.name)
    else:
        raise TypeError(f"cannot send a {type(value).__qualname__}")
    return make_pandas, content


def _column(column: Any) -> Any:
    """Return a column's plain array, or a description of its extension array."""
    import numpy as np
    import pandas as pd

    if isinstance(column.dtype, np.dtype):
        return column.to_numpy()
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = column.cat.codes.to_numpy() if isinstance(column, pd.Series) else np.asarray(column.codes)
        return ("category", codes, column.dtype.categories, bool(column.dtype.ordered))
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        naive = column.dt.tz_convert(None) if isinstance(column, pd.Series) else column.tz_convert(None)
        return ("zone", naive.to_numpy(), str(column.dtype.tz))
    return ("extension", column.to_numpy(dtype=object), str(column.dtype))


def _array(column: Any) -> Any:
    import pandas as pd

    if not isinstance(column, tuple):
        return column
    match column:
        case ("category", codes, categories, ordered):
            return pd.Categorical.from_codes(codes, categories=categories, ordered=ordered)
        case ("zone", naive, zone):
            return pd.DatetimeIndex(naive).tz_localize("UTC").tz_convert(zone).array
        case ("extension", values, dtype):
            return pd.array(values, dtype=dtype)
    raise pickle.UnpicklingError("a column of another make")


def make_pandas(kind: str, *content: Any) -> Any:
    """Rebuild a pandas object from the parts that `_take_apart_pandas` makes of it."""
    import pandas as pd

    match kind, content:
        case "frame", (columns, names, index):
            frame = pd.DataFrame({i: _array(column) for i, column in enumerate(columns)}, index=index, copy=False)
            frame.columns = names
            return frame
        case "series", (column, index, name):
            return pd.Series(_array(column), index=index, name=name, copy=False)
        case "index", (column, name):
            return pd.Index(_array(column), name=name, copy=False)
        case "range", (start, stop, step, name):
            return pd.RangeIndex(start, stop, step, name=name)
        case "levels", (rows, names):
            return pd.MultiIndex.from_tuples(rows, names=names)
        case "timestamp", (text,):
            return pd.Timestamp(str(text))
        case "timedelta", (value,):
            return pd.Timedelta(value)
        case "missing", (name,):
            return pd.NaT if name == "NaT" else pd.NA
    raise pickle.UnpicklingError("an object of another make")


_MAKERS: dict[str, Callable[..., Any]] = {maker.__name__: maker for maker in (make_record, make_error, make_pandas)}


def _numpy(module: str, name: str) -> Callable[..., Any]:
    return lambda *args: getattr(importlib.import_module(module), name)(*args)


_CALLABLE = _MAKERS | {
    name: _numpy(module, name)
    for module, names in _CLASSES.items()
    for name in names
    if name.startswith("_") or name == "scalar"
}
