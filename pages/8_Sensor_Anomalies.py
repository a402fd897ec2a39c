"""Sensor anomalies: a log in, a normal stretch, and out come scores, events and a detector."""

import streamlit as st

from aecore import export, jobs, store
from aecore.concepts import sensors
from aecore.data.uploads import Signal
from aecore.figures import sensors as figures
from pages.ui import controls, link, live, narration
from pages.ui.downloads import Download, take_it_with_you
from pages.ui.page import frame, why
from pages.ui.theme import palette
from pages.ui.uploads import upload

NAME = "sensor_anomalies"
EVENT_COLUMNS = {
    "peak_score": st.column_config.NumberColumn("peak score", format="%.3g"),
    "severity": st.column_config.NumberColumn("severity", format="%.2f × threshold"),
    "first_row": "first row", "last_row": "last row", "leading_channel": "leading channel",
}  # fmt: skip
BINARY = "application/octet-stream"
SAMPLE, OWN = "Simulated inverter", "Your own file"
FAULTS = {
    "Open switch": "open_switch", "Sensor offset": "offset", "Sensor gain": "gain",
    "Inter-turn short": "inter_turn", "None": "none",
}  # fmt: skip


@st.cache_data(show_spinner=False, max_entries=20)
def simulate(sample: sensors.InverterSample) -> Signal:
    return sample.signal()


def sample_controls() -> sensors.InverterSample:
    fault = controls.select("Fault", "fault", list(FAULTS), default="Open switch")
    severity = controls.slider("Severity", "severity", low=0.0, high=1.0, default=0.5, step=0.05)
    speed = controls.slider("Speed, rpm", "speed", low=600, high=6000, default=3000, step=100)
    load = controls.slider("Load, share of rated torque", "load", low=0.1, high=1.2, default=0.6, step=0.05)
    noise = controls.slider("Sensor noise, A rms", "noise", low=0.0, high=10.0, default=1.0, step=0.5)
    return sensors.InverterSample(
        fault=FAULTS[fault], severity=severity, speed_rpm=float(speed), load=load, noise=noise
    )  # fmt: skip


def own_file() -> tuple[Signal | None, str]:
    """The visitor's signal, once it is read, and its fingerprint."""
    file = upload("A sensor log", "file", help=narration.text(NAME, "upload"))
    if file is None:
        return None, ""

    def start() -> jobs.Job:
        return jobs.submit(sensors.parse, file.name, file.data, lane="short", private=True)

    return live.work(
        "sensors:parse", file.fingerprint, start, lambda _: st.progress(0.0, "Reading …")
    ), file.fingerprint


def results(
    signal: Signal, clock: figures.Clock, analysis: sensors.Analysis, rows: tuple[int, int], sigmas: float
) -> list[Download]:
    threshold = analysis.threshold(sigmas)
    events = analysis.events(threshold)
    shown = figures.standing_out(analysis.channel_excess, analysis.scores > threshold)
    strips = figures.scored_strips(
        clock, signal.values[:, shown], [signal.channels[i] for i in shown], palette(), normal=rows, events=events
    )
    words = sensors.summary(events, threshold, clock.x)
    st.altair_chart(
        figures.stacked([*strips, figures.score_strip(clock, analysis.scores, threshold, palette())]),
        width="stretch", alt=words,
    )  # fmt: skip
    st.markdown(link.plain(words))  # a channel may be named like Markdown
    if len(shown) < len(signal.channels):
        st.caption(f"Drawn: the {len(shown)} of {len(signal.channels)} channels that stand out most.")
    table = sensors.event_table(events, clock.x)
    if len(table):
        st.dataframe(table, hide_index=True, width="stretch", column_config=EVENT_COLUMNS)
    return [
        Download("Scores", "scores.csv", lambda: export.csv(sensors.score_table(analysis, clock.x, threshold))),
        Download("Events", "events.csv", lambda: export.csv(table)),
        Download("Detector", "detector.safetensors", lambda: store.dumps(analysis.detector), BINARY),
    ]


def workbench() -> list[Download]:
    """Controls, figure and table; returns what there is to take away."""
    source = controls.choice("Signal", "source", [SAMPLE, OWN], default=SAMPLE)
    left, right = st.columns([1, 3], gap="large")
    with left:
        sample = sample_controls() if source == SAMPLE else None
        signal, name = (simulate(sample), "") if sample else own_file()
        normal = controls.range_slider(
            "Normal stretch, % of the rows", "normal", low=0.0, high=100.0, default=sensors.DEFAULT_NORMAL, step=0.5,
            help="The detector learns from these rows only: choose a stretch that you would vouch for.",
        )  # fmt: skip
        sigmas = controls.slider(
            "Threshold, standard deviations", "sigmas", low=1.0, high=10.0, default=4.0, step=0.25,
            help="Of the logarithm of normal scores. Higher: fewer false alarms, later detection. Needs no training.",
        )  # fmt: skip
    with right:
        if signal is None:
            narration.say(NAME, "upload")
            return []
        clock, rows = figures.Clock.of(signal.time, len(signal.values)), sensors.normal_rows(len(signal.values), normal)
        if sample:
            task, private = (sensors.train_sample, sample, normal), False
        else:
            task, private = (sensors.train, signal.values, signal.channels, signal.sample_rate, normal), True
        tree = (sensors.shipped(sample, normal) if sample else None) or live.work(
            "sensors:train",
            (sample, name, normal),
            lambda: jobs.submit(*task, private=private),
            live.training_panel,
            again="Train",
        )
        downloads: list[Download] = []
        if tree is None:
            strips = figures.signal_strips(clock, signal.values, signal.channels, palette(), normal=rows)
            st.altair_chart(
                figures.stacked(strips[: figures.MAX_STRIPS]), width="stretch", alt="The signal as measured"
            )
        else:
            downloads = results(signal, clock, sensors.Analysis.from_tree(tree), rows, sigmas)
        if signal.notes:
            with st.expander(f"What was done to the file ({len(signal.notes)})"):
                st.markdown("\n".join(f"- {link.plain(note)}" for note in signal.notes))
    return downloads


with frame(NAME):
    files = workbench()
    controls.try_this({
        "A weak sensor offset": {"source": SAMPLE, "fault": "Sensor offset", "severity": 0.1},
        "An inter-turn short, hidden in noise": {"source": SAMPLE, "fault": "Inter-turn short", "noise": 8.0},
        "Call the fault normal": {"source": SAMPLE, "fault": "Open switch", "normal": (50.0, 80.0)},
    })  # fmt: skip
    narration.say(NAME, "reading")
    why(NAME)
    take_it_with_you(files)
