"""Training on the visitor's own clip: tuning the network that ships, and beside it one that starts from nothing."""

from typing import Any, NamedTuple

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aecore import jobs
from aecore.concepts import audio_bench as concept
from aecore.figures import audio as figures
from aecore.figures.training import falling_loss
from pages.ui import live, narration
from pages.ui.audio.sources import Source
from pages.ui.theme import palette

Tree = dict[str, Any]

NAME = "audio_denoising"
ASKED, DONE = "audio:asked", "audio:trained"
KEPT = 4  # trained networks a session keeps, of 3 MB each
PICTURE = 160  # px


class _Plan(NamedTuple):
    """A way to train on one clip."""

    method: str  # as among the takes
    button: str
    scratch: bool


PLANS = (_Plan("tuned", "Tune to this clip", False), _Plan("scratch", "Train from scratch on it", True))
WORDS = {"tuned": "tuned to this clip", "scratch": "from scratch on this clip"}
COLUMNS = {
    "this clip": st.column_config.NumberColumn("this clip, dB", format="%+.1f"),
    "another phrase": st.column_config.NumberColumn("another phrase, dB", format="%+.1f"),
}


def models(source: Source) -> dict[str, Tree]:
    """Denoisers trained on this sound in this kind of noise, by method."""
    done = st.session_state.get(DONE, {})
    return {p.method: done[p.method, source.tuning]["denoiser"] for p in PLANS if (p.method, source.tuning) in done}


def offer(source: Source) -> None:
    """Draw the words, a button for each way, the training as it runs, and what came of it."""
    st.subheader("Train it on this clip, now", divider="gray")
    narration.say(NAME, "tune")
    if source.spoiling.noise == "none":
        st.info(narration.text(NAME, "tune-what"), icon=":material/info:")
        return
    for column, plan in zip(st.columns(len(PLANS), gap="large"), PLANS, strict=True):
        _train(column, plan, source)
    done = st.session_state.get(DONE, {})
    results = {p.method: done[p.method, source.tuning] for p in PLANS if (p.method, source.tuning) in done}
    if results:
        st.dataframe(gain_table(results), hide_index=True, width="stretch", column_config=COLUMNS)
        narration.say(NAME, "tuned")


def gain_table(results: dict[str, Tree]) -> pd.DataFrame:
    """Gains in SI-SDR, dB, in noise that none has met: of the network that ships, and of each trained one."""
    named = {"as it ships": next(iter(results.values()))["before"]}
    named |= {WORDS[m]: r["after"] for m, r in results.items()}
    words = {"clip": "this clip", "phrase": "another phrase"}
    return pd.DataFrame([{"network": n} | {words[on]: db for on, db in gains.items()} for n, gains in named.items()])


def _train(column: DeltaGenerator, plan: _Plan, source: Source) -> None:
    """Button, running training, or nothing where it is done."""
    slot, done = f"audio:{plan.method}", st.session_state.setdefault(DONE, {})
    if (plan.method, source.tuning) in done:
        return
    with column:
        asked = st.session_state.setdefault(ASKED, {})
        if asked.get(plan.method) != source.tuning:
            kind = "secondary" if plan.scratch else "primary"
            if not st.button(plan.button, key=f"{slot}:ask", type=kind, icon=":material/model_training:"):
                return
            asked[plan.method] = source.tuning
            st.rerun()
        result = live.work(slot, source.tuning, lambda: _job(source, plan.scratch), _panel, again=plan.button)
    if result is not None:
        done[plan.method, source.tuning] = result
        for oldest in list(done)[:-KEPT]:
            del done[oldest]
        st.rerun()  # the player above gets the new take


def _job(source: Source, scratch: bool) -> jobs.Job:
    if source.sound is None and source.own is None:
        return jobs.submit(concept.tune_sample, source.spoiling.noise, scratch)
    return jobs.submit(concept.tune, source.heard, source.spoiling, source.own, scratch, private=True)


def _panel(job: jobs.Job) -> None:
    latest = job.latest
    if latest is None:
        st.progress(0.0, live.time_left(job).capitalize())
        return
    words = f"{latest['part']}: step {latest['step']} of {latest['steps']}, {live.time_left(job)}"
    st.progress(min(1.0, latest["progress"]), words)
    losses = [step["loss"] for step in job.progress]
    chart = falling_loss(losses, latest["steps"] // max(1, job.progress[0]["step"]), palette())
    st.altair_chart(chart, width="stretch", alt=f"Training loss, from {losses[0]:.3g} to {losses[-1]:.3g}")
    drawn = latest["picture"]
    rows, _ = figures.mel_rows(drawn["hertz"])
    dark = st.context.theme.type == "dark"
    image = figures.picture(drawn["pixels"][rows], "heat", dark=dark, height=PICTURE)
    st.image(image, caption="The clip in fresh noise, cleaned by what it has learnt so far", width="stretch")
