import dataclasses
import json
import logging
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from aecore import store
from aecore.errors import StoreError
from aecore.store import cache, trees

ROOT = Path(__file__).parents[1]
DTYPES = ["f8", "f4", "f2", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?", "c8", "c16"]

scalars = st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats() | st.text() | st.binary(max_size=20)
arrays = st.sampled_from([np.dtype(code) for code in DTYPES]).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
)
tree_strategy = st.recursive(
    scalars | arrays,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path / "cache"))


def same(a, b):
    """Equal in type and content, nan being nan."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[name], b[name]) for name in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float):
        return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    return a == b


# ---- trees


@given(tree_strategy)
@settings(max_examples=200, deadline=None)
def test_a_tree_comes_back_as_it_went(tree):
    assert same(store.loads(store.dumps(tree)), tree)


def test_what_looks_like_the_encoding_is_kept_as_what_it_is():
    tree = {"list": ["array", "0"], "x": [["list"], ["bytes", "0"], ["view", "0", "c16", [1]]], "a": np.arange(3)}
    assert same(store.loads(store.dumps(tree)), tree)


def test_what_changes_its_type_on_the_way():
    big_endian, fortran = np.arange(6, dtype=">f4"), np.asfortranarray(np.arange(6.0).reshape(2, 3))
    tree = {"t": (1, 2), "n": np.float32(0.5), "b": np.bool_(True), "i": np.int64(3), "e": big_endian, "f": fortran}
    back = store.loads(store.dumps(tree))
    assert same(
        {name: back[name] for name in "tnbi"},
        {"t": [1, 2], "n": 0.5, "b": True, "i": 3},
    )
    assert back["e"].dtype == np.float32
    np.testing.assert_array_equal(back["e"], big_endian)
    np.testing.assert_array_equal(back["f"], fortran)


def test_times_come_back():
    tree = [np.array(["2024-01-01", "NaT"], "M8[ns]"), np.array([[1, -2]], "m8[ms]"), np.arange(4.0)[::-2]]
    assert same(store.loads(store.dumps(tree)), [np.ascontiguousarray(a) for a in tree])


def test_arrays_that_come_back_can_be_written_to():
    back = store.loads(store.dumps([np.zeros(3), np.zeros(2, "M8[s]"), np.zeros(2, "c16")]))
    for array in back:
        array[0] = array[1]
    back[0][0] = 7
    assert back[0][0] == 7


def test_other_programs_can_read_our_arrays(tmp_path):
    weights = {"layer": {"weight": np.arange(6, dtype=np.float32).reshape(2, 3)}}
    store.write(tmp_path / "model.safetensors", weights)
    with safetensors.safe_open(tmp_path / "model.safetensors", framework="np") as file:
        (name,) = file.keys()
        np.testing.assert_array_equal(file.get_tensor(name), weights["layer"]["weight"])


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"a": [1, {2}]}, "set (at tree['a'][1])"),
        ({"a": object()}, "object (at tree['a'])"),
        ({"a": {3: 1}}, "tree['a'] has 3"),
        ([np.array(["text"])], "<U4 (at tree[0])"),
        ([np.array([None])], "object (at tree[0])"),
        ([np.ma.masked_array([1, 2], [True, False])], "MaskedArray (at tree[0])"),
        ([np.zeros(2, [("a", "f4")])], "(at tree[0])"),
        ([1 << 5000], "integer of 5001 bits (at tree[0])"),
    ],
)
def test_what_is_not_a_tree_is_named_with_its_place(tree, words):
    with pytest.raises(StoreError, match=re.escape(words)) as caught:
        store.dumps(tree)
    assert "\n" not in str(caught.value)


def test_endless_trees_are_refused():
    tree = []
    tree.append(tree)
    with pytest.raises(StoreError, match="nested"):
        store.dumps(tree)
    with pytest.raises(StoreError, match="nested"):
        store.key("task", tree)


# ---- files that are none


def sample() -> bytes:
    return store.dumps({"w": np.arange(12, dtype=np.float32), "when": np.zeros(2, "M8[s]"), "notes": ["x", 1.5, None]})


def forged(structure) -> bytes:
    text = structure if isinstance(structure, str) else json.dumps(structure)
    return safetensors.numpy.save({"0": np.arange(8, dtype=np.uint8)}, metadata={"aecore.tree/1": text})


def test_every_truncation_is_refused():
    data = sample()
    for length in range(len(data)):
        with pytest.raises(StoreError):
            store.loads(data[:length])
    with pytest.raises(StoreError):
        store.loads(data + b"\0")


@given(st.binary(max_size=400) | st.binary(max_size=60).map(lambda tail: len(tail).to_bytes(8, "little") + tail))
@settings(max_examples=300, deadline=None)
def test_random_bytes_are_refused(data):
    with pytest.raises(StoreError):
        store.loads(data)


def test_flipped_bytes_are_refused_or_read_but_raise_nothing_else():
    generator = np.random.default_rng(0)
    data = np.frombuffer(sample(), np.uint8)
    refused = 0
    for _ in range(2000):
        bad = data.copy()
        bad[generator.integers(0, len(bad), 2)] = generator.integers(0, 256, 2)
        try:
            store.loads(bad.tobytes())
        except StoreError:
            refused += 1
    assert refused > 1000  # most bytes of this small file are header


@pytest.mark.parametrize(
    "structure",
    [
        "",
        "{",
        "[" * 100_000,
        '{"a":' * 3000 + "1" + "}" * 3000,
        "9" * 10_000,
        [],
        ["array"],
        ["array", "1"],
        ["array", 0],
        ["array", "0", "0"],
        ["bytes", None],
        ["pickle", "0"],
        ["view", "0", "O", [1]],
        ["view", "0", "M8[nonsense]", [1]],
        ["view", "0", "M8[s]", [3]],
        ["view", "0", "M8[s]", [2**70]],
        ["view", "0", "M8[s]", ["1"]],
        ["view", "0", "M8[s]", 1],
        ["view", "0", "c16", [1]],
        [["list"]],
    ],
)
def test_forged_structures_are_refused(structure):
    with pytest.raises(StoreError):
        store.loads(forged(structure))


def test_a_foreign_safetensors_file_is_refused_in_one_sentence(tmp_path):
    path = tmp_path / "foreign.safetensors"
    safetensors.numpy.save_file({"a": np.zeros(3)}, path)
    with pytest.raises(StoreError, match=re.escape("foreign.safetensors is not a stored result")) as caught:
        store.read(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["missing.safetensors", "."])
def test_what_cannot_be_read_is_a_store_error(tmp_path, name):
    with pytest.raises(StoreError, match="Could not read"):
        store.read(tmp_path / name)


# ---- writing


def test_write_replaces_the_old_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "a.safetensors"
    store.write(path, {"v": 1})
    store.write(path, {"v": 2})
    assert store.read(path) == {"v": 2}
    assert os.listdir(tmp_path) == ["a.safetensors"]


def test_a_write_that_fails_keeps_the_old_file_and_removes_its_own(tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    store.write(path, 1)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="no space left on device"):
        store.write(path, 2)
    assert store.read(path) == 1
    assert os.listdir(tmp_path) == ["a.safetensors"]


def test_writing_where_no_folder_is(tmp_path):
    with pytest.raises(StoreError, match="Could not write"):
        store.write(tmp_path / "none" / "a.safetensors", 1)


# ---- keys


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    size: int = 3
    rates: tuple[float, ...] = (0.1, float("nan"))


@dataclasses.dataclass(frozen=True, kw_only=True)
class OtherSettings:
    size: int = 3
    rates: tuple[float, ...] = (0.1, float("nan"))


DIFFERENT = [
    (),
    (1,),
    (1.0,),
    (True,),
    ("1",),
    (b"1",),
    (None,),
    (1, 2),
    ([1, 2],),
    ([1], 2),
    ([[1], 2],),
    ({"1": 1},),
    ({1: 1},),
    ("ab", "c"),
    ("a", "bc"),
    (Settings(),),
    (OtherSettings(),),
    (Settings(size=4),),
    (np.arange(4),),
    (np.arange(4).reshape(2, 2),),
    (np.arange(4, dtype=np.int32),),
    (np.arange(4, dtype=np.float64),),
    (np.array([0, 1, 2, 4]),),
    (np.zeros(1, "M8[s]"),),
    (np.zeros(1, "M8[ms]"),),
]


def test_keys_of_different_calls_differ():
    keys = [store.key("task", *parts) for parts in DIFFERENT] + [store.key("other")]
    assert len(set(keys)) == len(keys)
    assert all(re.fullmatch("[0-9a-f]{32}", key) for key in keys)


def test_keys_of_the_same_call_agree():
    assert store.key("t", {"a": 1, "b": 2.0}) == store.key("t", {"b": np.float64(2.0), "a": np.int64(1)})
    assert store.key("t", (1, [2])) == store.key("t", [1, (2,)])
    assert store.key("t", np.arange(6).reshape(2, 3).T) == store.key(
        "t", np.ascontiguousarray(np.arange(6).reshape(2, 3).T)
    )
    assert store.key("t", Settings()) == store.key("t", Settings(size=3))


def test_keys_agree_between_processes():
    code = "from aecore import store; import numpy; print(store.key('t', {'b': 1, 'a': numpy.arange(3)}))"
    answers = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert len(answers) == 1
    assert re.fullmatch("[0-9a-f]{32}", answers.pop())


def test_keys_follow_the_source_and_the_versions(monkeypatch):
    before = store.key("t")
    monkeypatch.setattr(cache, "_sources", lambda: "another source")
    changed_source = store.key("t")
    monkeypatch.setattr(cache, "_versions", lambda: ["torch 0"])
    assert len({before, changed_source, store.key("t")}) == 3


def test_every_source_file_counts(tmp_path, monkeypatch):
    module = tmp_path / "aecore" / "store" / "cache.py"
    module.parent.mkdir(parents=True)
    module.write_text("a = 1")
    monkeypatch.setattr(cache, "__file__", str(module))
    first = cache._sources.__wrapped__()
    (tmp_path / "aecore" / "models.py").write_text("b = 1")
    second = cache._sources.__wrapped__()
    (tmp_path / "aecore" / "models.py").write_text("b = 2")
    assert len({first, second, cache._sources.__wrapped__()}) == 3


@pytest.mark.parametrize("part", [object(), {1, 2}, len, ROOT, [np.array([None])], Settings])
def test_what_cannot_be_hashed_is_a_store_error(part):
    with pytest.raises(StoreError, match=re.escape("task(...)")):
        store.key("task", part)


# ---- the cache


def test_put_then_get(tmp_path):
    key = store.key("t", 1)
    assert store.get(key) is None
    assert store.put(key, {"x": np.arange(3)})
    assert same(store.get(key), {"x": np.arange(3)})
    assert [path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()] == [f"{key}.safetensors"]


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "A" * 32, "a" * 31, "a" * 32 + "\n"])
def test_only_keys_reach_the_disk(key):
    with pytest.raises(StoreError, match="32 hex digits"):
        store.get(key)
    with pytest.raises(StoreError, match="32 hex digits"):
        store.put(key, 1)


def test_a_torn_result_counts_as_missing_and_is_removed(caplog):
    key = store.key("t")
    store.put(key, list(range(100)))
    path = store.folder() / "results" / f"{key}.safetensors"
    path.write_bytes(path.read_bytes()[:-5])
    with caplog.at_level(logging.WARNING):
        assert store.get(key) is None
    assert not path.exists()
    assert "damaged" in caplog.text


def test_the_longest_unused_goes_first(monkeypatch):
    keys = [store.key("t", i) for i in range(4)]
    size = len(store.dumps(np.zeros(1000)))
    monkeypatch.setattr(cache, "CACHE_BYTES", 3 * size)
    for age, key in enumerate(keys[:3]):
        store.put(key, np.zeros(1000))
        os.utime(store.folder() / "results" / f"{key}.safetensors", (1000 + age, 1000 + age))
    assert store.get(keys[0]) is not None  # used just now: the second is the oldest
    assert store.put(keys[3], np.zeros(1000))
    assert [store.get(key) is not None for key in keys] == [True, False, True, True]


def test_leftovers_of_killed_writers_go_too(monkeypatch):
    key = store.key("t")
    (store.folder() / "results").mkdir(parents=True)
    leftover = store.folder() / "results" / ".0.tmp"
    leftover.write_bytes(bytes(5000))
    os.utime(leftover, (1000, 1000))
    monkeypatch.setattr(cache, "CACHE_BYTES", 4000)
    assert store.put(key, 1)
    assert not leftover.exists()
    assert store.get(key) == 1


def test_a_result_larger_than_the_cache_is_not_kept(monkeypatch, caplog):
    store.put(store.key("small"), 1)
    monkeypatch.setattr(cache, "CACHE_BYTES", 4000)
    with caplog.at_level(logging.WARNING):
        assert store.put(store.key("t"), np.zeros(1000)) is False
    assert "not kept" in caplog.text
    assert store.get(store.key("small")) == 1


def test_a_disk_that_refuses_breaks_nobody(tmp_path, monkeypatch, caplog):
    blocked = tmp_path / "a file where a folder should be"
    blocked.write_text("")
    monkeypatch.setenv("AECORE_CACHE", str(blocked))
    key = store.key("t")
    with caplog.at_level(logging.WARNING):
        assert store.put(key, 1) is False
        assert store.get(key) is None
    assert "not kept on disk" in caplog.text


def test_putting_what_no_disk_takes_is_the_callers_mistake():
    with pytest.raises(StoreError, match="set"):
        store.put(store.key("t"), {"a": {1}})


def test_importing_the_store_leaves_torch_alone():
    code = (
        "import sys, aecore.store; print([name for name in ('torch', 'pandas', 'distributed') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_a_tensor_is_taken_once_however_often_it_is_mentioned():
    one = np.zeros(2**16, np.uint8)
    for kind in ('["array","0"]', '["bytes","0"]', '["view","0","c16",[4096]]'):
        structure = f'["list",{",".join([kind] * 200)}]'
        data = bytes(safetensors.numpy.save({"0": one}, metadata={"aecore.tree/1": structure}))
        with pytest.raises(StoreError, match="not a stored result"):
            store.loads(data)


def test_a_structure_of_more_values_than_any_result_has_is_refused_unread(monkeypatch):
    monkeypatch.setattr(trees, "MAX_NODES", 1000)
    structure = "[" + ",".join(['"list"', *["{}"] * 2000]) + "]"
    data = bytes(safetensors.numpy.save({}, metadata={"aecore.tree/1": structure}))
    with pytest.raises(StoreError, match="not a stored result"):
        store.loads(data)
    with pytest.raises(StoreError, match="store long lists as arrays"):
        store.dumps([1.5] * 2000)
    assert store.loads(store.dumps([1.5] * 900)) == [1.5] * 900
    many = [np.zeros(1)] * 300
    assert len(store.loads(store.dumps(many))) == 300


def test_messages_hold_the_files_name_and_not_its_place(tmp_path):
    path = tmp_path / "private folder" / "model.safetensors"
    path.parent.mkdir()
    path.write_bytes(b"torn")
    for call in (lambda: store.read(path), lambda: store.read(path.parent), lambda: store.write(path / "x", 1)):
        with pytest.raises(StoreError) as raised:
            call()
        assert "private folder/" not in str(raised.value) and str(tmp_path) not in str(raised.value)
