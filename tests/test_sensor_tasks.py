"""The sensor page's tasks on held data: what they say is what the detector says, and never grows with the file."""

import io

import numpy as np
import pandas as pd
import pytest

from aecore.anomaly import AnomalyDetector
from aecore.concepts import sensor_anomalies as sensors
from aecore.concepts.sensor_anomalies import pretrained as sensor_shipped
from aecore.concepts.sensor_anomalies import tables as sensor_tables
from aecore.concepts.sensor_anomalies import tasks as sensor_tasks
from aecore.concepts.sensor_anomalies.samples import InverterSample
from aecore.data.readers.options import ReadOptions
from aecore.data.readers.uploads import Signal
from aecore.errors import DataError
from aecore.figures import sensor_drawing
from aecore.jobs.serialization import pack, unpack
from aecore.numerics.progress import finish


def run(steps):
    return finish(steps)


@pytest.fixture(scope="module")
def inverter():
    """The built-in sample's signal, analysis, and what `prepare_result` holds of it."""
    signal = InverterSample().signal()
    tree = sensor_shipped.load_pretrained(InverterSample(), sensors.DEFAULT_NORMAL)
    return signal, sensors.Analysis.from_tree(tree), run(sensor_tasks.prepare_result(tree, signal))


def made_up(length: int, channels: int = 3, seed: int = 0):
    """A signal and a result of any length, without a training."""
    rng = np.random.default_rng(seed)
    values = np.cumsum(rng.normal(size=(length, channels)), 0)
    time = np.datetime64("2026-01-01", "ns") + np.arange(length) * np.timedelta64(1, "s")
    names = tuple(f"channel {i}" for i in range(channels))
    signal = Signal(
        values, names, time, 1.0, (), (np.arange(length) > length // 2).astype(np.int8), rng.random(length) < 0.01
    )
    scores = rng.lognormal(sigma=0.3, size=length).astype(np.float32)
    excess = rng.lognormal(size=(length, channels)).astype(np.float32)
    detector = {
        "decision_scores": scores[: length // 3], "channels": list(names), "threshold": 2.0,
        "choices": {"window": [8, "so"], "latent_dim": [2, "so"], "smoothing": [5, "so"]},
        "asked": {"sample_rate": 1.0},
    }  # fmt: skip
    rows = np.linspace(0, length - 1, 1500).astype(np.int64)
    tree = {
        "scores": scores, "channel_excess": excess, "rebuilt": values.astype(np.float32), "losses": [], "notes": [],
        "map_points": rng.normal(size=(1500, 2)).astype(np.float32), "map_rows": rows, "detector": detector,
    }  # fmt: skip
    return signal, tree


def test_what_is_found_at_a_threshold_is_what_the_detector_finds(inverter):
    signal, analysis, (overview, scored) = inverter
    for rule in (("sigmas", 4.0), ("sigmas", 1.0), ("risk", 1e-3), ("alarms_per_hour", 60.0)):
        found = run(sensor_tasks.detect(scored, rule))
        threshold = analysis.threshold(**{rule[0]: rule[1]})
        events = analysis.events(threshold.value, missing=signal.missing)
        assert found.threshold == threshold and not found.refusal
        assert found.total == len(events)
        pd.testing.assert_frame_equal(found.events, sensor_tables.event_table(events, signal.time))
        assert found.summary == sensor_tables.summary(events, threshold.value, signal.time)
        for peak, excess, event in zip(found.peaks, found.excess, events.itertuples(), strict=True):
            assert analysis.scores[peak] == np.float32(event.peak_score) and event.start <= peak <= event.end
            np.testing.assert_array_equal(excess, analysis.channel_excess[peak])
    for place in (0, 40, 100):
        assert overview.counts[place] == len(analysis.events(float(overview.levels[place])))


def test_a_rule_that_a_signal_does_not_allow_says_so_and_the_default_stands_in():
    signal, tree = made_up(3000)
    tree["detector"]["asked"]["sample_rate"] = None
    held = run(sensor_tasks.prepare_result(tree, signal))
    found = run(sensor_tasks.detect(held.value, ("alarms_per_hour", 1.0)))
    assert "rows a second" in found.refusal
    assert found.threshold == held.value.analysis.threshold(sigmas=sensor_tasks.DEFAULT)


def test_the_channels_that_stand_out_are_drawn():
    signal, tree = made_up(2000, channels=20)
    tree["channel_excess"][:] = 1
    tree["channel_excess"][50, [3, 17]] = 9
    tree["scores"][50] = 1e3
    _, scored = run(sensor_tasks.prepare_result(tree, signal))
    assert {"channel 3", "channel 17"} <= set(scored.signal.channels)
    assert len(scored.signal.channels) == sensor_drawing.DRAWN == sensor_tasks.DRAWN
    names = list(signal.channels)
    columns = [names.index(name) for name in scored.signal.channels]
    assert columns == sorted(columns)
    np.testing.assert_array_equal(scored.rebuilt, tree["rebuilt"][:, columns])


def test_a_detector_that_learnt_the_channels_in_another_order_is_drawn_over_the_right_ones():
    rng = np.random.default_rng(0)
    t = np.arange(900)[:, None]
    values = np.sin(t / 7 + np.arange(3)) * [1, 10, 100] + 0.1 * rng.normal(size=(900, 3))
    detector = AnomalyDetector().fit(pd.DataFrame(values, columns=list("abc"))[["c", "a"]])
    signal = Signal(values, ("a", "b", "c"), None, None, ())
    held = run(sensor_tasks.prepare_result(sensors.analyse(detector, values[:, [2, 0]]) | {"losses": []}, signal))
    assert held.value.signal.channels == ("c", "a")
    error = np.abs(held.value.signal.values - held.value.rebuilt).mean(0)
    assert (error < 0.2 * np.abs(values[:, [2, 0]]).mean(0)).all()


def test_nothing_that_comes_back_grows_with_the_file():
    sizes = []
    for length in (50_000, 400_000):
        signal, tree = made_up(length)
        overview, scored = run(sensor_tasks.prepare_result(tree, signal))
        answers = {
            "profile": sensor_tasks.describe(signal), "overview": overview,
            "events": run(sensor_tasks.detect(scored, ("sigmas", 1.0))),
            "signal": run(sensor_drawing.draw_signal(signal, (0, 999), (0.0, 100.0))),
            "result": run(sensor_drawing.draw_result(scored, (0, 999), (0.0, 100.0))),
            "close up": run(sensor_drawing.draw_result(scored, (0, 999), (10.0, 10.2))),
            "histogram": run(sensor_drawing.count_scores(scored)),
        }  # fmt: skip
        assert answers["events"].total > sensor_tasks.LISTED == len(answers["events"].events)
        sizes.append({name: pack(answer, private=True).size for name, answer in answers.items()})
    assert max(sizes[1].values()) < 200_000
    for name in sizes[0].keys() - {"close up"}:  # few rows, all of which are drawn
        assert sizes[1][name] < 1.1 * sizes[0][name] + 2_000, name


def test_the_strongest_events_are_listed_in_order_of_time():
    signal, tree = made_up(100_000)
    _, scored = run(sensor_tasks.prepare_result(tree, signal))
    found = run(sensor_tasks.detect(scored, ("sigmas", 1.0)))
    everything = scored.find_events(found.threshold.value)
    assert found.events["severity"].min() == everything["severity"].nlargest(sensor_tasks.LISTED).min()
    assert found.events["first_row"].is_monotonic_increasing
    written = pd.read_csv(io.BytesIO(run(sensor_tasks.write_events(scored, found.threshold.value))))
    assert len(written) == found.total


def test_held_values_and_answers_travel_between_processes(inverter):
    _, _, (overview, scored) = inverter
    again = unpack(pack(scored, private=True))
    np.testing.assert_array_equal(again.joined, scored.joined)
    assert unpack(pack(overview, private=True)).channels == overview.channels
    assert run(sensor_tasks.write_detector(again)) == run(sensor_tasks.write_detector(scored))


def test_files_are_those_of_the_tables_and_too_large_ones_are_refused(inverter, monkeypatch):
    signal, analysis, (_, scored) = inverter
    threshold = analysis.threshold().value
    table = sensor_tables.score_table(analysis, signal.time, threshold, missing=signal.missing)
    written = pd.read_parquet(io.BytesIO(run(sensor_tasks.write_scores(scored, threshold, "parquet"))))
    pd.testing.assert_frame_equal(written, table)
    assert len(pd.read_csv(io.BytesIO(run(sensor_tasks.write_scores(scored, threshold, "csv"))))) == len(table)
    monkeypatch.setattr(sensor_tasks, "MOST_BYTES", 100_000)
    for kind in ("csv", "parquet"):
        with pytest.raises(DataError, match="aecore score"):
            run(sensor_tasks.write_scores(scored, threshold, kind))


def test_a_file_is_read_once_and_its_columns_again():
    frame = pd.DataFrame({"t": np.arange(300) / 10, "a": np.sin(np.arange(300)), "b": np.cos(np.arange(300))})
    names, parsed = run(sensor_tasks.read_file("a.csv", frame.to_csv(index=False).encode(), ReadOptions()))
    assert names == ("t", "a", "b")
    profile, signal = run(sensor_tasks.read_columns(parsed, ReadOptions()))
    assert (profile.rows, profile.channels, profile.timed, profile.sample_rate) == (300, ("a", "b"), True, 10.0)
    other, _ = run(sensor_tasks.read_columns(parsed, ReadOptions(time="", channels=("b",))))
    assert (other.channels, other.timed) == (("b",), False)
    assert signal.values.shape == (300, 2)


def test_a_report_s_pictures_are_whole_and_its_gaps_are_drawn_to_a_bin(inverter):
    _, analysis, (_, scored) = inverter
    drawn = run(sensor_drawing.draw_report(scored, (0, 6000), analysis.threshold().value))
    assert drawn.whole.startswith("<svg") and drawn.histogram.startswith("<svg") and drawn.map.startswith("<svg")
    assert len(drawn.events) == len(drawn.strips) == len(drawn.shares) >= 1
