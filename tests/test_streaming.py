"""A signal in blocks must give what it gives whole: scores, events, and a Parquet file's values and clock."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aecore.anomaly import AnomalyDetector, find_events
from aecore.anomaly.streaming import EventStream, reach, score_blocks
from aecore.concepts import sensor_anomalies as sensors
from aecore.data.readers import parquet_blocks, uploads
from aecore.data.readers.parquet_blocks import ParquetBlocks
from aecore.errors import DataError, UnreadableFile


def signal(rows=1500, seed=0, channels=3):
    rng = np.random.default_rng(seed)
    x = np.sin(np.arange(rows)[:, None] / 4 + np.arange(channels)) + 0.1 * rng.normal(size=(rows, channels))
    x[900:940, -1] += 2
    return x


@pytest.fixture(scope="module", params=[3, 1], ids=["every window", "windows in steps"])
def detector(request):
    with pytest.MonkeyPatch.context() as patch:  # how well it has learnt does not matter
        patch.setattr("aecore.anomaly.network.STEPS_PER_EPOCH", 8)
        return AnomalyDetector().fit(signal(600, channels=request.param))


def pieces(x, sizes):
    edges = np.r_[0, np.cumsum(sizes), len(x)].astype(int)
    return [(x[a:b], np.arange(a, b)) for a, b in zip(edges, edges[1:], strict=False) if b > a]


# ------------------------------------------------------------------ scores and events
@pytest.mark.parametrize("sizes", [[], [700], [1, 2, 3, 500], [100] * 14, [1499], [40] * 37])
def test_scores_in_blocks_equal_scores_in_one_piece(detector, sizes):
    x = signal(seed=1, channels=len(detector.channels_))
    scores, excess = sensors.score_channels(detector, x)
    parts = list(score_blocks(
        pieces(x, sizes), lambda v: sensors.score_channels(detector, v), reach=reach(detector), least=detector.window_,
        step=detector.measure_.step,
    ))  # fmt: skip
    np.testing.assert_allclose(np.concatenate([part.scores for part in parts]), scores, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(np.concatenate([part.channel_excess for part in parts]), excess, rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(np.concatenate([part.clock for part in parts]), np.arange(len(x)))
    assert [part.first for part in parts] == np.cumsum([0, *[len(part.scores) for part in parts[:-1]]]).tolist()


def test_no_row_beyond_the_reach_matters_and_some_row_within_does(detector):
    x, far = signal(seed=1, channels=len(detector.channels_)), reach(detector)
    base = detector.decision_function(x)
    spoilt = x.copy()
    spoilt[700] += 50
    changed = np.flatnonzero(np.abs(detector.decision_function(spoilt) - base) > 1e-4)
    assert 700 - far <= changed.min() and changed.max() <= 700 + far
    spare = 1 + detector.measure_.step
    assert changed.min() <= 700 - far + spare and changed.max() >= 700 + far - spare  # nor longer than it must be


@pytest.mark.parametrize("sizes", [[], [1] * 80, [7] * 43, [150], [299]])
@pytest.mark.parametrize("gap", [0, 5])
def test_events_in_parts_are_the_events_of_the_whole(sizes, gap):
    rng = np.random.default_rng(3)
    scores = np.repeat(rng.random(60), 5).astype(np.float32)
    excess = rng.random((300, 2)).astype(np.float32)
    whole = find_events(scores, excess, 0.6, channels=("a", "b"), merge_gap=gap)
    assert len(whole) > 3
    stream = EventStream(0.6, channels=("a", "b"), merge_gap=gap)
    edges = np.r_[0, np.cumsum(sizes), 300].astype(int)
    tables = [stream.add(scores[a:b], excess[a:b]) for a, b in zip(edges, edges[1:], strict=False) if b > a]
    tables.append(stream.finish())
    got = pd.concat([table for table in tables if len(table)], ignore_index=True)
    pd.testing.assert_frame_equal(got, whole)


# ------------------------------------------------------------------ a Parquet file in blocks
def frame(rows=5000):
    rng = np.random.default_rng(0)
    values = pd.DataFrame({"a": rng.normal(size=rows), "b": rng.integers(0, 99, rows).astype(float)})
    values.loc[values.index[rng.random(rows) < 0.05], "a"] = np.nan
    values.loc[1990:2300, "b"] = np.nan  # over the edge of a block
    values.loc[:3, "b"] = values.loc[4990:, "a"] = np.nan
    values.loc[17, "a"] = np.inf
    return values


CLOCKS = {
    "dates": lambda n: pd.date_range("2024-01-01 10:00:00.25", periods=n, freq="500ms"),
    "offset": lambda n: pd.date_range("2024-01-01", periods=n, freq="s", tz="Europe/Berlin"),
    "time [ms]": lambda n: np.arange(n) * 20.0,
    "timestamp": lambda n: 1_700_000_000_000 + np.arange(n) * 100,
    "date": lambda n: pd.date_range("2024-01-01", periods=n, freq="min").strftime("%Y-%m-%d %H:%M:%S"),
    None: None,
}


@pytest.mark.parametrize("clock", CLOCKS)
def test_blocks_hold_what_the_whole_file_does(tmp_path, monkeypatch, clock):
    monkeypatch.setattr(parquet_blocks, "BLOCK", 500)
    monkeypatch.setattr(parquet_blocks, "HEAD", 800)
    table, path = frame(), tmp_path / "log.parquet"
    if clock:
        table.insert(1, clock, CLOCKS[clock](len(table)))
    table["anomaly"] = (np.arange(len(table)) % 50 == 0).astype(int)
    table.to_parquet(path, row_group_size=1300)
    whole = uploads.read(path.name, path.read_bytes())
    source = ParquetBlocks(path)
    blocks = list(source.blocks())
    assert len(blocks) > 5 and max(len(values) for values, _ in blocks) < 1500
    assert source.rows == len(whole.values) and source.channels == whole.channels
    assert source.sample_rate == whole.sample_rate
    np.testing.assert_allclose(np.concatenate([values for values, _ in blocks]), whole.values, rtol=1e-12)
    times = np.arange(len(table)) if whole.time is None else whole.time
    np.testing.assert_array_equal(np.concatenate([time for _, time in blocks]), times)
    np.testing.assert_allclose(source.between(700, 2100), whole.values[700:2100], rtol=1e-12)


def test_a_last_block_of_one_row_keeps_its_clock(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_blocks, "BLOCK", 100)
    path = tmp_path / "log.parquet"
    pd.DataFrame({"time": np.arange(301) * 0.5, "a": np.arange(301.0) ** 2}).to_parquet(path)
    assert np.concatenate([time for _, time in ParquetBlocks(path).blocks()])[-1] == 150


def test_other_kinds_of_numbers_are_read_as_such(tmp_path):
    path = tmp_path / "log.parquet"
    columns = {
        "whole": pa.array([1, 2, None, 4], pa.int16()),
        "on": pa.array([True, False, None, True]),
        "exact": pa.array([1, 2, 3, 4]).cast(pa.decimal128(25, 2)),
        "text": pa.array(["1.5", "2.5", "x", "4.5"]),
        "few": pa.array([1.0, 2.0, 2.0, 1.0]).dictionary_encode(),
    }
    pq.write_table(pa.table(columns), path)
    (values, _), = ParquetBlocks(path).blocks()  # fmt: skip
    expected = uploads.read(path.name, path.read_bytes())
    assert ParquetBlocks(path).channels == expected.channels
    np.testing.assert_allclose(values, expected.values)


def test_a_gap_without_end_is_filled_with_the_last_value(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_blocks, "BLOCK", 100)
    monkeypatch.setattr(parquet_blocks, "LONGEST_GAP", 150)
    path = tmp_path / "log.parquet"
    values = np.arange(1000.0)
    values[200:] = np.nan
    pd.DataFrame({"a": values, "b": 1.0}).to_parquet(path)
    blocks = [block for block, _ in ParquetBlocks(path).blocks()]
    assert max(map(len, blocks)) < 400
    np.testing.assert_array_equal(np.concatenate(blocks)[200:, 0], 199)


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        ({"time": np.arange(100)[::-1] * 0.5, "a": np.arange(100.0)}, DataError, "put in order of time"),
        ({"a": np.empty(0)}, UnreadableFile, "no rows"),
        ({"word": ["x"] * 50}, UnreadableFile, "no column of numbers"),
    ],
)
def test_what_cannot_be_read_in_blocks_is_said(tmp_path, table, error, message):
    path = tmp_path / "log.parquet"
    pd.DataFrame(table).to_parquet(path)
    with pytest.raises(error, match=message):
        ParquetBlocks(path)


def test_a_torn_file_is_said(tmp_path):
    path = tmp_path / "log.parquet"
    frame().to_parquet(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UnreadableFile, match=r"'log\.parquet' is no Parquet file, or breaks off"):
        ParquetBlocks(path)
