"""Where the threshold comes from: one of three rules, each with its control."""

from aecore.concepts.sensor_anomalies.tasks import DEFAULT, HIGH, LOW, SIGMAS, STEP, Rule
from pages.ui.frame import settings
from pages.ui.inputs import controls

SPREAD, ALARMS, TAIL = "spread", "alarms", "tail"
RULES = {
    SPREAD: "spread of the normal scores", ALARMS: "false alarms an hour", TAIL: "the tail of the normal scores",
}  # fmt: skip
RATES = {"60": 60.0, "10": 10.0, "1": 1.0, "0.1": 0.1, "0.01": 0.01}  # alarms an hour
RISKS = {"1": "1 %", "0.1": "0.1 %", "0.01": "0.01 %", "0.001": "0.001 %"}  # of the normal rows


def choose_rule() -> str:
    """Draw the control that names the rule."""
    return controls.select("Threshold by", "rule", RULES, default=SPREAD)


def choose_level(rule: str) -> Rule:
    """Draw the rule's own control, and return the rule as `Analysis.threshold` takes it."""
    if rule == ALARMS:
        return "alarms_per_hour", RATES[controls.choice("Alarms an hour", "alarms", list(RATES), default="1")]
    if rule == TAIL:
        return "risk", float(controls.choice("Normal rows that may pass", "risk", RISKS, default="0.01")) / 100
    return "sigmas", controls.slider("Standard deviations", "sigmas", low=LOW, high=HIGH, default=DEFAULT, step=STEP)


def put_level(place: int) -> bool:
    """Set the controls to a level where a pointer has left the threshold; returns whether the rule is another now."""
    if place >= len(SIGMAS):
        return False
    before = settings.current("rule", SPREAD)
    settings.put({"sigmas": float(SIGMAS[place])} | ({} if before == SPREAD else {"rule": SPREAD}))
    return before != SPREAD
