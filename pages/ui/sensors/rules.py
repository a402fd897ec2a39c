"""Where the threshold comes from: one of three rules, each with its control."""

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aecore.anomaly.events import counts
from aecore.anomaly.thresholds import Threshold
from aecore.concepts.sensors import Analysis
from pages.ui import controls, link
from pages.ui.strips import Levels

LOW, DEFAULT, HIGH, STEP = 1.0, 4.0, 10.0, 0.05  # standard deviations; a step moves the line by about a pixel
SIGMAS: NDArray[np.floating[Any]] = np.round(np.arange(LOW, HIGH + STEP / 2, STEP), 2)


def _spread() -> dict[str, float]:
    return {"sigmas": controls.slider("Standard deviations", "sigmas", low=LOW, high=HIGH, default=DEFAULT, step=STEP)}


def _alarms() -> dict[str, float]:
    rates = {"60": 60.0, "10": 10.0, "1": 1.0, "0.1": 0.1, "0.01": 0.01}
    return {"alarms_per_hour": rates[controls.choice("Alarms an hour", "alarms", list(rates), default="1")]}


def _tail() -> dict[str, float]:
    risks = {"1 %": 1e-2, "0.1 %": 1e-3, "0.01 %": 1e-4, "0.001 %": 1e-5}
    return {"risk": risks[controls.choice("Normal rows that may pass", "risk", list(risks), default="0.01 %")]}


SPREAD = "spread of the normal scores"
RULES = {SPREAD: _spread, "false alarms an hour": _alarms, "the tail of the normal scores": _tail}


def choose() -> str:
    """The control that names the rule."""
    return controls.select("Threshold by", "rule", list(RULES), default=SPREAD)


def threshold(name: str, rule: str, analysis: Analysis) -> Threshold:
    """The rule's own control, and the threshold that it sets for the analysis called ``name``."""
    return _threshold(name, RULES[rule](), analysis)


@st.cache_data(show_spinner=False, max_entries=50, scope="session")  # of a visitor's data: nobody else's
def _threshold(name: str, rule: dict[str, float], _analysis: Analysis) -> Threshold:
    return _analysis.threshold(**rule)


def levels(analysis: Analysis, joined: NDArray[np.floating[Any]]) -> Levels:
    """Where a hand may put the threshold: on the steps of the first rule's control, each with its number of events."""
    logs = analysis.log_scores
    values = np.array([logs.threshold(float(sigmas)) for sigmas in SIGMAS], np.float32)  # as scores are
    return Levels(values, counts(joined, values), [f"{sigmas:g} standard deviations" for sigmas in SIGMAS])


def put(place: int) -> bool:
    """Set the controls to a level where a hand has left the threshold; returns whether the rule is another now."""
    if place >= len(SIGMAS):
        return False
    sigmas = float(SIGMAS[place])
    st.session_state["sigmas"] = sigmas
    if st.session_state.get("rule", SPREAD) == SPREAD:
        return False
    st.session_state["rule"] = SPREAD
    link.carry("sigmas", None if sigmas == DEFAULT else f"{sigmas:g}")  # a control not yet on the page binds nothing
    return True
