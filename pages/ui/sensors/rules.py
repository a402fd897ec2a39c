"""Where the threshold comes from: one of three rules, each with its control."""

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aecore.anomaly.events import counts
from aecore.anomaly.thresholds import Threshold
from aecore.concepts.sensors import Analysis
from aecore.errors import SettingError, TooFewRows
from pages.ui import controls, settings
from pages.ui.foreign import plain
from pages.ui.strips import Levels

LOW, DEFAULT, HIGH, STEP = 1.0, 4.0, 10.0, 0.05  # standard deviations; a step moves the line by about a pixel
SIGMAS: NDArray[np.floating[Any]] = np.round(np.arange(LOW, HIGH + STEP / 2, STEP), 2)
SPREAD, ALARMS, TAIL = "spread", "alarms", "tail"
RULES = {
    SPREAD: "spread of the normal scores", ALARMS: "false alarms an hour", TAIL: "the tail of the normal scores",
}  # fmt: skip
RATES = {"60": 60.0, "10": 10.0, "1": 1.0, "0.1": 0.1, "0.01": 0.01}  # alarms an hour
RISKS = {"1": "1 %", "0.1": "0.1 %", "0.01": "0.01 %", "0.001": "0.001 %"}  # of the normal rows


def choose_rule() -> str:
    """Draw the control that names the rule."""
    return controls.select("Threshold by", "rule", RULES, default=SPREAD)


def choose_threshold(name: str, rule: str, analysis: Analysis) -> Threshold:
    """Draw the rule's own control and return the threshold that it sets for the analysis called ``name``.

    A rule that this signal does not allow says why, and the default threshold stands in for it.
    """
    asked = _draw_control(rule)
    try:
        return _set_threshold(name, asked, analysis)
    except (SettingError, TooFewRows) as error:
        st.warning(f"{plain(str(error))} Shown instead: {DEFAULT:g} standard deviations.", icon=":material/error:")
        return _set_threshold(name, {"sigmas": DEFAULT}, analysis)


def _draw_control(rule: str) -> dict[str, float]:
    """Draw the control of a rule; returns the rule as `Analysis.threshold` takes it."""
    if rule == ALARMS:
        return {"alarms_per_hour": RATES[controls.choice("Alarms an hour", "alarms", list(RATES), default="1")]}
    if rule == TAIL:
        return {"risk": float(controls.choice("Normal rows that may pass", "risk", RISKS, default="0.01")) / 100}
    sigmas = controls.slider("Standard deviations", "sigmas", low=LOW, high=HIGH, default=DEFAULT, step=STEP)
    return {"sigmas": sigmas}


@st.cache_data(show_spinner=False, max_entries=50, scope="session")  # of a visitor's data: nobody else's
def _set_threshold(name: str, rule: dict[str, float], _analysis: Analysis) -> Threshold:
    return _analysis.threshold(**rule)


def list_levels(analysis: Analysis, joined: NDArray[np.floating[Any]]) -> Levels:
    """Return where a pointer may put the threshold: the steps of the first rule, with the number of events at each."""
    logs = analysis.log_scores
    values = np.array([logs.threshold(float(sigmas)) for sigmas in SIGMAS], np.float32)  # as scores are
    return Levels(values, counts(joined, values), [f"{sigmas:g} standard deviations" for sigmas in SIGMAS])


def put_level(place: int) -> bool:
    """Set the controls to a level where a pointer has left the threshold; returns whether the rule is another now."""
    if place >= len(SIGMAS):
        return False
    before = settings.current("rule", SPREAD)
    settings.put({"sigmas": float(SIGMAS[place])} | ({} if before == SPREAD else {"rule": SPREAD}))
    return before != SPREAD
