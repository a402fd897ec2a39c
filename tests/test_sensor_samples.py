"""The samples of the sensor page: what they hold, and that the detector as it comes finds their faults."""

import numpy as np
import pytest

from aecore import store
from aecore.anomaly import AnomalyDetector
from aecore.concepts.sensor_anomalies.samples import BearingSample, InverterSample, RoomSample
from aecore.data.simulators import bearing, rooms

SAMPLES = [InverterSample(), BearingSample(), RoomSample()]
NORMAL = 0.3  # of the rows


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: type(s).__name__)
def test_a_sample_as_it_comes_has_one_fault_that_the_detector_finds_and_hardly_a_false_alarm(sample):
    signal = sample.signal()
    first = int(NORMAL * len(signal.values))
    faulty = signal.labels == 1
    assert not faulty[:first].any()
    detector = AnomalyDetector(sample_rate=signal.sample_rate).fit(signal.values[:first])
    assert detector.notes_ == []
    flags = detector.predict(signal.values) == 1
    assert flags[faulty].mean() > 0.3
    assert flags[~faulty].mean() < 0.01
    events = detector.events(signal.values)
    assert len(events) <= 3
    for first, last in zip(events["start"], events["end"], strict=True):
        assert faulty[first : last + 1].any()


def test_a_bearing_without_a_fault_raises_no_alarm():
    signal = BearingSample(fault="none").signal()
    detector = AnomalyDetector().fit(signal.values[:7200])
    assert detector.predict(signal.values).sum() == 0


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: type(s).__name__)
def test_a_sample_is_named_by_its_settings(sample):
    other = type(sample)(seed=1)
    assert store.key("sample", sample) == store.key("sample", type(sample)()) != store.key("sample", other)
    signal = sample.signal()
    assert signal.values.shape == (len(signal.time), len(signal.channels))
    assert signal.sample_rate == pytest.approx(1 / np.median(np.diff(signal.time)))


def test_a_bearing_s_frequencies_follow_geometry_and_speed():
    slow = BearingSample(speed_rpm=600.0, geometry=bearing.Geometry(balls=12))
    assert slow.frequencies == bearing.frequencies(bearing.Geometry(balls=12), 10.0)
    assert slow.frequencies.outer + slow.frequencies.inner == pytest.approx(120.0)


def test_a_room_s_normal_stretch_holds_a_weekend():
    signal = RoomSample().signal()
    week = 7 * rooms.DAY
    assert signal.time[int(NORMAL * len(signal.time))] > week
    onset = signal.time[np.argmax(signal.labels)]
    assert (onset // rooms.DAY) % 7 == 1  # a Tuesday
