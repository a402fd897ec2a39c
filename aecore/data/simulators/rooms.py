"""Sensors of an office room over some days, a reading a minute: temperature, humidity, CO2, light and power.

The room is one well-mixed volume of air in which heat, water and CO2 are balanced minute by minute. Heat and water of
people: ASHRAE Handbook Fundamentals, ch. 18 (office work); CO2 of people: ASHRAE Standard 62.1, appendix on CO2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from aecore.data.simulators.recording import SimulatedRecording, acting, one_of, ramp, seeded, within
from aecore.errors import SettingError

STEP = 60.0  # s between readings
DAY = 86_400.0  # s
CHANNELS = ("temperature [°C]", "humidity [%]", "CO2 [ppm]", "light [lx]", "power [W]")
NOISE = np.array([0.05, 0.3, 8.0, 3.0, 2.0])  # rms of each sensor, in its unit
DRIFT = np.array([5.0, 20.0, 600.0, 200.0, 100.0])  # of each sensor at severity 1 at the end of the fault
OUTDOOR_CO2 = 420.0  # ppm
OUTDOOR_HUMIDITY = 80.0  # %, all day
OUTDOOR_SWING = 4.0  # K, between the mean and the afternoon
CO2_PERSON = 5.2e-6  # m3/s: 0.31 l/min at 1.2 met
HEAT_PERSON = 75.0  # W, sensible
WATER_PERSON = 55.0 / 2450.0  # g/s: latent heat over the heat of evaporation in J/g
AIR = 1200.0  # J/(K m3)
MASS = 30_000.0  # J/(K m3): of air, furniture and surfaces, per volume of the room
LEAK = 0.7  # W/(K m3), through walls and windows
HEATER, HEATER_GAIN = 25.0, 15.0  # W/m3 at most; W/m3 for each K below the set point
SETBACK, DAYTIME = 3.0, (6.0, 18.0)  # K lower outside these hours
WINDOW = 10.0  # air changes an hour through an open window, at severity 1
SUN, SUNLIT = 400.0, (7.0, 18.0)  # lx at noon under a clear sky, hours
LAMPS, LAMP_POWER = 420.0, 150.0  # lx, W, while somebody is there
STANDBY, DESK = 40.0, 90.0  # W; W for each person

Floats = NDArray[np.float64]
FaultKind = Literal["none", "stuck", "drift", "window", "dropout"]


@dataclass(frozen=True, kw_only=True)
class RoomSettings:
    """The room, who is in it, and how it is measured; the first day is a Monday."""

    days: float = 5.0  # 0.1..31
    people: int = 3  # 0..30
    volume: float = 75.0  # m3, 20..2000
    air_changes: float = 1.0  # an hour, window shut, 0.1..10
    outdoor: float = 6.0  # mean outdoor temperature, degrees C, -30..40
    setpoint: float = 21.0  # of the heating by day, degrees C, 10..28
    noise: float = 1.0  # times the sensors' usual noise, 0..10
    seed: int = 0

    def __post_init__(self) -> None:
        within("days", self.days, 0.1, 31)
        within("people", self.people, 0, 30)
        within("volume", self.volume, 20, 2_000)
        within("air_changes", self.air_changes, 0.1, 10)
        within("outdoor", self.outdoor, -30, 40)
        within("setpoint", self.setpoint, 10, 28)
        within("noise", self.noise, 0, 10)
        seeded(self.seed)


@dataclass(frozen=True, kw_only=True)
class RoomFault:
    """One fault, acting from `onset` (s) for `duration` (s; None: to the end); severity 0 is healthy.

    - stuck: the sensor keeps this share of its reading at onset, at severity 1 all of it;
    - drift: it strays by ``severity * DRIFT``, growing from 0 over the fault;
    - dropout: it reads 0 in this share of the rows, at random;
    - window: it is left open, ``severity * 10`` air changes an hour; the sensors are right, and after it is shut the
      room takes its time to recover.
    """

    kind: FaultKind = "none"
    sensor: int = 0  # 0..4, of CHANNELS
    severity: float = 1.0  # 0..1
    onset: float = 0.0
    duration: float | None = None

    def __post_init__(self) -> None:
        one_of("kind", self.kind, get_args(FaultKind))
        within("sensor", self.sensor, 0, len(CHANNELS) - 1)
        within("severity", self.severity, 0, 1)
        within("onset", self.onset, 0, 31 * DAY)
        if self.duration is not None:
            within("duration", self.duration, 0, 31 * DAY)


class Inputs(NamedTuple):
    """What drives the room, each [T]."""

    people: Floats
    outdoor: Floats  # degrees C
    exchange: Floats  # air changes a second
    setpoint: Floats  # degrees C
    light: Floats  # lx
    power: Floats  # W


def simulate(settings: RoomSettings, fault: RoomFault | None = None) -> SimulatedRecording:
    """Simulate what the room's sensors read; rows before the fault equal those of the healthy room, seed for seed.

    Returns a `SimulatedRecording` of T = days x 1,440 rows: degrees C, % relative humidity, ppm, lx and W. Raises
    `SettingError` for a fault that would begin after the recording has ended.
    """
    fault = fault or RoomFault()
    if fault.kind != "none" and fault.onset >= settings.days * DAY:
        raise SettingError(
            f"onset must lie within the {settings.days * DAY:g} s recorded, got {fault.onset:g} s; start it earlier."
        )
    rng = np.random.default_rng(settings.seed)
    count = round(settings.days * DAY / STEP)
    time = np.arange(count) * np.float64(STEP)
    healthy = fault.kind == "none" or fault.severity == 0
    active = acting(count, 1 / STEP, fault.onset, fault.duration) & (not healthy)
    inputs = _inputs(settings, time, rng)
    if fault.kind == "window":
        inputs = inputs._replace(exchange=inputs.exchange + np.where(active, fault.severity * WINDOW / 3600.0, 0.0))
    inside = room_air(settings, inputs)
    values = np.column_stack([*inside, inputs.light, inputs.power])  # [T, 5]
    values += settings.noise * NOISE * rng.normal(size=values.shape)
    values[:, 1:] = np.maximum(values[:, 1:], 0.0)
    values[:, 1] = np.minimum(values[:, 1], 100.0)
    _in_the_sensor(values, active, fault, np.random.default_rng([settings.seed, 1]))
    return SimulatedRecording(time, values.astype(np.float32), CHANNELS, active.astype(np.int8))


def room_air(settings: RoomSettings, inputs: Inputs) -> tuple[Floats, Floats, Floats]:
    """Return temperature in degrees C, relative humidity in % and CO2 in ppm, each [T], of the room's air.

    With n the air changes a second and V the volume, ``dC/dt = 1e6 G people / V - n (C - C_out)`` for CO2, alike for
    water; for heat ``MASS V dT/dt = (LEAK + AIR n) V (T_out - T) + HEAT_PERSON people + power + heater``. Each minute
    is solved exactly for its inputs.
    """
    per_volume = inputs.people / settings.volume
    fresh = np.exp(-inputs.exchange * STEP)  # share of the old air that is left after a step
    carbon = _follow(OUTDOOR_CO2 + 1e6 * CO2_PERSON * per_volume / inputs.exchange, fresh, OUTDOOR_CO2)
    outside = OUTDOOR_HUMIDITY / 100.0 * saturation(inputs.outdoor)
    water = _follow(outside + WATER_PERSON * per_volume / inputs.exchange, fresh, float(outside[0]))
    temperature = _simulate_heating(settings, inputs)
    humidity = np.minimum(100.0 * water / saturation(temperature), 100.0)
    return temperature, humidity, carbon


def saturation(temperature: Floats) -> Floats:
    """Return the water in g/m3 that air holds at most at `temperature` in degrees C.

    ``e = 6.1094 exp(17.625 t / (t + 243.04))`` hPa, Alduchov & Eskridge (1996), J. Appl. Meteorol. 35(4), turned into a
    density by the ideal gas law with 461.5 J/(kg K).
    """
    pressure = 610.94 * np.exp(17.625 * temperature / (temperature + 243.04))  # Pa
    return np.asarray(1000.0 * pressure / (461.5 * (temperature + 273.15)))


def _follow(target: Floats, kept: Floats, start: float) -> Floats:
    """Return what relaxes from `start` to `target` [T], keeping the share `kept` [T] of its distance in each step."""
    path, value = np.empty(len(target)), start
    for k, (goal, share) in enumerate(zip(target.tolist(), kept.tolist(), strict=True)):
        path[k] = value
        value = goal + (value - goal) * share
    return path


def _simulate_heating(settings: RoomSettings, inputs: Inputs) -> Floats:
    """Return the temperature [T]: the heater answers to it, so that it cannot be known beforehand."""
    loss = LEAK + AIR * inputs.exchange  # W/(K m3)
    gains = (HEAT_PERSON * inputs.people + inputs.power) / settings.volume  # W/m3
    kept = np.exp(-loss * STEP / MASS)
    path, value = np.empty(len(loss)), settings.setpoint - SETBACK
    rows = zip(*(a.tolist() for a in (inputs.setpoint, inputs.outdoor, loss, gains, kept)), strict=True)
    for k, (wanted, outdoor, lost, gained, share) in enumerate(rows):
        path[k] = value
        heater = min(max(HEATER_GAIN * (wanted - value), 0.0), HEATER)
        goal = outdoor + (gained + heater) / lost
        value = goal + (value - goal) * share
    return path


def _inputs(settings: RoomSettings, time: Floats, rng: np.random.Generator) -> Inputs:
    hour = time / 3600.0 % 24.0
    day = (time // DAY).astype(np.int64)
    people = _people(settings, hour, day, rng)
    cloud = rng.uniform(0.3, 1.0, size=32)[day]  # a day each
    warmer = rng.normal(0.0, 1.5, size=32)[day]
    sun = np.sin(np.pi * np.clip((hour - SUNLIT[0]) / (SUNLIT[1] - SUNLIT[0]), 0.0, 1.0))
    there = people > 0
    by_day = (hour >= DAYTIME[0]) & (hour < DAYTIME[1])
    return Inputs(
        people=people,
        outdoor=settings.outdoor + warmer + OUTDOOR_SWING * np.cos(2 * np.pi * (hour - 15.0) / 24.0),
        exchange=np.full(len(time), settings.air_changes / 3600.0),
        setpoint=np.where(by_day, settings.setpoint, settings.setpoint - SETBACK),
        light=SUN * cloud * sun + LAMPS * there,
        power=STANDBY + DESK * people + LAMP_POWER * there,
    )


def _people(settings: RoomSettings, hour: Floats, day: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    """Return how many are there [T]: from about 8:30 to 17:00 with a lunch break, Mondays to Fridays."""
    there = np.zeros(len(hour))
    for _ in range(settings.people):
        come, leave = rng.normal(8.5, 0.5, size=32)[day], rng.normal(17.0, 0.75, size=32)[day]
        lunch = rng.normal(12.25, 0.25, size=32)[day]
        works = (rng.uniform(size=32) > 0.1)[day] & (day % 7 < 5)
        there += works & (hour >= come) & (hour < leave) & ~((hour >= lunch) & (hour < lunch + 0.75))
    return there


def _in_the_sensor(values: Floats, active: NDArray[np.bool_], fault: RoomFault, rng: np.random.Generator) -> None:
    """Apply a fault that changes only what is measured."""
    reading = values[:, fault.sensor]
    if not active.any():
        return
    if fault.kind == "stuck":
        held = reading[int(np.argmax(active))]
        reading[active] += fault.severity * (held - reading[active])
    elif fault.kind == "drift":
        reading += fault.severity * DRIFT[fault.sensor] * ramp(active)
    elif fault.kind == "dropout":
        reading[active & (rng.uniform(size=len(active)) < fault.severity)] = 0.0
