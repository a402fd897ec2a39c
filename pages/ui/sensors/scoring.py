"""A detector's result on a signal: built in, trained at once, or made by a detector that the visitor brought."""

from collections.abc import Hashable
from typing import Any, NamedTuple

import streamlit as st

from aecore.concepts import sensor_anomalies as sensors
from aecore.concepts.sensor_anomalies import pretrained as sensor_shipped
from aecore.concepts.sensor_anomalies import tasks as sensor_tasks
from aecore.concepts.sensor_anomalies.samples import SensorSample
from aecore.concepts.sensor_anomalies.tasks import Overview, ScoredSignal
from aecore.data.readers.uploads import Signal
from aecore.jobs import Handle, Held
from aecore.numerics.progress import finish
from pages.ui import training
from pages.ui.sensors.sources import READING, TABLES, SensorSource
from pages.ui.training import work
from pages.ui.training.work import Request

TRAINING, GATHERING = "sensors:train", "sensors:gather"


class SensorResult(NamedTuple):
    """A result's overview, and the scored signal or the handle of one; ``signature`` tells it from others."""

    signature: Hashable
    overview: Overview
    scored: ScoredSignal | Handle


def score(source: SensorSource, normal: tuple[float, float]) -> SensorResult | None:
    """Return the result for a normal stretch (percent of the rows), or None while its training is on screen."""
    return _score_sample(source, source.sample, normal) if source.sample is not None else _score_file(source, normal)


def _score_sample(source: SensorSource, sample: SensorSample, normal: tuple[float, float]) -> SensorResult | None:
    signature = (sample, normal)
    tree = None
    if not sensor_shipped.has_pretrained(sample, normal):
        request = Request(task=sensors.train_sample, args=signature, signature=signature)
        made = training.train_at_once(TRAINING, request)
        if made is None:
            return None
        tree = made.value
    held = _gather(sample, normal, tree, source.signal)
    return SensorResult(signature, held.summary, held.value)


@st.cache_resource(show_spinner=False, max_entries=12)  # of samples, which are everybody's; nobody changes them
def _gather(sample: SensorSample, normal: tuple[float, float], _tree: Any, _signal: Signal) -> Held:
    return finish(sensor_tasks.prepare_result(_tree or sensor_shipped.load_pretrained(sample, normal), _signal))


def _score_file(source: SensorSource, normal: tuple[float, float]) -> SensorResult | None:
    """Have workers train or score, and gather; the large parts stay with them."""
    more = {"private": True, "source": READING, "keep": TABLES}
    if source.saved is not None:
        args = (source.saved.data, source.signal)
        score = Request(
            task=sensor_tasks.apply_detector, args=args, signature=(source.signature, source.saved.fingerprint), **more
        )
    else:
        score = Request(
            task=sensor_tasks.train_detector, args=(source.signal, normal), signature=(source.signature, normal), **more
        )
    if training.train_at_once(TRAINING, score, label="Score again" if source.saved else "Train") is None:
        return None
    tree = work.slots().get(TRAINING, score.signature).job.handle
    gather = Request(
        task=sensor_tasks.prepare_result, args=(tree, source.signal), signature=tree.id, lane="short", **more
    )
    held = work.fetch_held(GATHERING, gather, words="Gathering the result")
    if held is None:
        return None
    return SensorResult(held.value.id, held.summary, held.value)
