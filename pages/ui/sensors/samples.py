"""Controls of the simulations that the sensor page brings along."""

import streamlit as st

from aecore.concepts.sensor_anomalies.samples import BearingSample, InverterSample, RoomSample
from aecore.data.simulators import rooms
from aecore.data.simulators.bearing import Geometry
from pages.ui.inputs import controls

INVERTER_FAULTS = {
    "open_switch": "Open switch", "offset": "Sensor offset", "gain": "Sensor gain", "inter_turn": "Inter-turn short",
    "none": "None",
}  # fmt: skip
SPALLS = {
    "outer": "On the outer race", "inner": "On the inner race", "ball": "On a ball", "none": "None",
}  # fmt: skip
ROOM_FAULTS = {
    "window": "Window left open", "stuck": "A stuck sensor", "drift": "A drifting sensor", "dropout": "Dropouts",
    "none": "None",
}  # fmt: skip
ROOM_SENSORS = dict(zip(["temperature", "humidity", "co2", "light", "power"], rooms.CHANNELS, strict=True))


def inverter() -> InverterSample:
    """Draw the controls of the simulated inverter."""
    fault = controls.select("Fault", "fault", INVERTER_FAULTS, default="open_switch")
    severity = controls.slider("Severity", "severity", low=0.0, high=1.0, default=0.5, step=0.05)
    speed = controls.slider("Speed, rpm", "speed", low=600, high=6000, default=3000, step=100)
    load = controls.slider("Load, share of rated torque", "load", low=0.1, high=1.2, default=0.6, step=0.05)
    noise = controls.slider("Sensor noise, A rms", "noise", low=0.0, high=10.0, default=1.0, step=0.5)
    return InverterSample(fault=fault, severity=severity, speed_rpm=float(speed), load=load, noise=noise)


def bearing() -> BearingSample:
    """Draw the controls of the simulated bearing, and say how often its parts strike."""
    usual = BearingSample()
    fault = controls.select("Spall", "spall", SPALLS, default="outer")
    severity = controls.slider("Severity", "depth", low=0.0, high=1.0, default=usual.severity, step=0.05)
    speed = controls.slider("Speed, rpm", "shaft", low=300, high=6000, default=int(usual.speed_rpm), step=1)
    load = controls.slider("Load, share of rated", "radial", low=0.0, high=1.2, default=usual.load, step=0.05)
    noise = controls.slider("Sensor noise, g rms", "vibration", low=0.0, high=1.0, default=usual.noise, step=0.01)
    sample = BearingSample(
        fault=fault, severity=severity, speed_rpm=float(speed), load=load, noise=noise,
        geometry=_choose_geometry(),
    )  # fmt: skip
    strikes = sample.frequencies
    st.caption(
        f"BPFO {strikes.outer:.1f} Hz, BPFI {strikes.inner:.1f} Hz, BSF {strikes.ball:.1f} Hz, FTF {strikes.cage:.1f} "
        "Hz: how often a ball passes the outer race, the inner race, turns about itself, and the cage turns."
    )
    return sample


def _choose_geometry() -> Geometry:
    usual = Geometry()
    with st.expander("Geometry of the bearing"):
        balls = controls.slider("Balls", "balls", low=3, high=60, default=usual.balls, step=1)
        pitch = controls.number("Pitch diameter, mm", "pitch", low=5.0, high=2000.0, default=usual.pitch)
        ball = controls.number("Ball diameter, mm", "ball", low=0.05, high=1800.0, default=usual.ball)
        contact = controls.slider("Contact angle, °", "contact", low=0, high=60, default=int(usual.contact), step=1)
    return Geometry(balls=int(balls), ball=ball, pitch=pitch, contact=float(contact))


def room() -> RoomSample:
    """Draw the controls of the simulated office room."""
    usual = RoomSample()
    fault = controls.select("Fault", "mishap", ROOM_FAULTS, default="window")
    sensor = usual.sensor
    if fault in ("stuck", "drift", "dropout"):
        sensors = list(ROOM_SENSORS)
        sensor = sensors.index(controls.select("Sensor", "sensor", ROOM_SENSORS, default=sensors[usual.sensor]))
    severity = controls.slider("Severity", "extent", low=0.0, high=1.0, default=usual.severity, step=0.05)
    people = controls.slider("People", "people", low=0, high=10, default=usual.people, step=1)
    air = controls.slider("Air changes an hour", "air", low=0.1, high=5.0, default=usual.air_changes, step=0.1)
    outdoor = controls.slider("Outdoors, °C", "outdoor", low=-20.0, high=35.0, default=usual.outdoor, step=1.0)
    noise = controls.slider("Sensor noise, × usual", "room_noise", low=0.0, high=5.0, default=usual.noise, step=0.5)
    return RoomSample(
        fault=fault, sensor=sensor, severity=severity, people=int(people), air_changes=air,
        outdoor=outdoor, noise=noise,
    )  # fmt: skip
