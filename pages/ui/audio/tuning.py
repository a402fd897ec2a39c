"""Training on the visitor's own clip: tuning the network that ships, and beside it one that starts from nothing."""

from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from aecore.concepts.audio_denoising import benchmark as concept
from aecore.figures import audio as figures
from aecore.figures.training import falling_loss
from aecore.jobs import Job
from pages.ui import training
from pages.ui.audio.sources import SLOTS, SoundSource
from pages.ui.frame import narration
from pages.ui.frame.theme import palette
from pages.ui.training import work
from pages.ui.training.work import Request

Tree = dict[str, Any]

NAME = "audio_denoising"
KEPT = 4  # trained networks of a way that a session keeps, of 3 MB each
PICTURE = 160  # px


class _Plan(NamedTuple):
    """A way to train on one clip."""

    method: str  # as among the takes
    button: str
    text: str  # the section that offers it
    scratch: bool

    @property
    def slot(self) -> str:
        return f"audio:{self.method}"

    @property
    def mark(self) -> str:
        """Key of the setting that says in a link that its result was there."""
        return f"{self.method}_trained"


PLANS = (
    _Plan("tuned", "Tune to this clip", "tune-offer", False),
    _Plan("scratch", "Train from scratch on it", "scratch-offer", True),
)
WORDS = {"tuned": "tuned to this clip", "scratch": "from scratch on this clip"}
COLUMNS = {
    "this clip": st.column_config.NumberColumn("this clip, dB", format="%+.1f"),
    "another phrase": st.column_config.NumberColumn("another phrase, dB", format="%+.1f"),
}


def models(source: SoundSource) -> dict[str, Tree]:
    """Return what was trained on this sound in this kind of noise, by method."""
    if source.mixing.noise == "none":
        return {}
    found = {plan.method: training.find(plan.slot, _request(source, plan)) for plan in PLANS}
    return {method: made.value for method, made in found.items() if made is not None}


def name_of(models: dict[str, Tree]) -> tuple[tuple[str, int], ...]:
    """Return what tells trained models of one source apart: a training that was stopped may be repeated and go on."""
    return tuple((method, len(model["losses"])) for method, model in models.items())


def offer(source: SoundSource) -> None:
    """Draw the words, a panel for each way to train, and what came of it."""
    st.subheader("Train it on this clip, now", divider="gray")
    narration.say(NAME, "tune")
    if source.mixing.noise == "none":
        st.info(narration.text(NAME, "tune-what"), icon=":material/info:")
        return
    for column, plan in zip(st.columns(len(PLANS), gap="large"), PLANS, strict=True):
        with column:
            training.train(
                plan.slot,
                _request(source, plan),
                words=narration.text(NAME, plan.text),
                label=plan.button,
                draw=_panel,
                mark=plan.mark,
            )
    results = models(source)
    if results:
        st.dataframe(gain_table(results), hide_index=True, width="stretch", column_config=COLUMNS)
        narration.say(NAME, "tuned")


def gain_table(results: dict[str, Tree]) -> pd.DataFrame:
    """Gains in SI-SDR, dB, in noise that none has met: of the network that ships, and of each trained one."""
    named = {"as it ships": next(iter(results.values()))["before"]}
    named |= {WORDS[m]: r["after"] for m, r in results.items()}
    words = {"clip": "this clip", "phrase": "another phrase"}
    return pd.DataFrame([{"network": n} | {words[on]: db for on, db in gains.items()} for n, gains in named.items()])


def _request(source: SoundSource, plan: _Plan) -> Request:
    task, args = concept.tune, (source.sound, source.mixing, source.own, plan.scratch)
    if not source.private:
        task, args = concept.tune_sample, (source.mixing.noise, plan.scratch)
    return Request(
        task=task, args=args, signature=source.training, settings=source.settings, private=source.private,
        source=SLOTS, subject=(source.signature[0], source.training[-1]), keep=KEPT,
    )  # fmt: skip


def _panel(job: Job) -> None:
    latest = job.latest
    if latest is None:
        st.progress(0.0, work.time_left(job).capitalize())
        return
    words = f"{latest['part']}: step {latest['step']} of {latest['steps']}, {work.time_left(job)}"
    st.progress(min(1.0, latest["progress"]), words)
    losses = [step["loss"] for step in job.progress]
    chart = falling_loss(losses, latest["steps"] // max(1, job.progress[0]["step"]), palette())
    st.altair_chart(chart, width="stretch", alt=f"Training loss, from {losses[0]:.3g} to {losses[-1]:.3g}")
    drawn = latest["picture"]
    rows, _ = figures.mel_rows(drawn["hertz"])
    dark = st.context.theme.type == "dark"
    image = figures.picture(drawn["pixels"][rows], "heat", dark=dark, height=PICTURE)
    st.image(image, caption="The clip in fresh noise, cleaned by what it has learnt so far", width="stretch")
