"""Why blurry or wrong? Trials with faults switched on, a diagnosis of their curves, and of a visitor's own."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from aecore import export
from aecore.concepts.field_guide import own_history, trials
from aecore.concepts.field_guide import pretrained as shipped
from aecore.concepts.field_guide.diagnosis import UNCLEAR, CurveVerdict
from aecore.concepts.field_guide.trials import HEALTHY, KINDS, History, Trial, TrialOutcome
from aecore.figures import field_guide as figures
from pages.ui import training
from pages.ui.frame import narration, settings
from pages.ui.frame.downloads import Download
from pages.ui.frame.theme import palette
from pages.ui.inputs import controls
from pages.ui.inputs.uploads import request_reading, show_notes, upload
from pages.ui.training import work
from pages.ui.training.work import Request

NAME = "field_guide"
TRIAL, READING = "field_guide:trial", "field_guide:history"
SETS = {"digits": "Digits", "sinusoids": "Sinusoids", "shapes": "Drawn shapes", "inverter": "Inverter currents"}
FAULTS = {
    "latent_size": trials.SMALL,
    "loss": trials.LOSS,
    "epochs": trials.SHORT,
    "leak": trials.LEAK,
    "scaling": trials.RAW,
    "dead_units": trials.DEAD,
    "learning_rate": trials.FAST,
}
TRIED = {"trial": settings.DEFAULT, "trial_seed": settings.DEFAULT}  # the data and seed whose curves are at hand
PROMPTS = {
    "Units that never fire": {"wrong": ["dead_units"]} | TRIED,
    "The test has been learnt": {"wrong": ["leak"]} | TRIED,
    "Two things at once": {"wrong": ["latent_size", "learning_rate"]} | TRIED,
}


def show() -> list[Download]:
    narration.say(NAME, "wrong")
    left, middle, right = st.columns([5, 3, 1], gap="large")
    with left:
        data = controls.choice("Data of the trial", "trial", SETS, default="digits")
    with middle:
        faults = [FAULTS[fault] for fault in controls.several("What goes wrong", "wrong", FAULTS)]
    with right:
        seed = int(controls.number("Trial seed", "trial_seed", low=0, high=trials.MAX_SEED,
                                   default=shipped.SHOWN_SEED))  # fmt: skip
    trial = Trial(data=data, faults=tuple(faults), seed=seed)
    outcome = _outcome(trial)
    if outcome is not None:
        _trial(trial, outcome)
    st.subheader("Your own history", divider="gray")
    mine = _own()
    st.markdown("**What each kind looks like**" + (", yours in violet" if mine else ""))
    _gallery(data, mine)
    st.subheader("How often it is right", divider="gray")
    _confusion()
    return [] if outcome is None else [
        Download("Curves of the trial", "history.csv", lambda: export.csv(_table(outcome.history)))
    ]  # fmt: skip


def _outcome(trial: Trial) -> TrialOutcome | None:
    if found := shipped.load_exemplar(trial):
        return found
    request = Request(task=trials.run, args=(trial,), signature=trial, settings=("trial", "wrong", "trial_seed"))
    made = training.train_at_once(TRIAL, request)
    return None if made is None else trials.read_outcome(made.value)


def _trial(trial: Trial, outcome: TrialOutcome) -> None:
    history, verdict = outcome.history, shipped.load_diagnosis().diagnosis(outcome.history)
    left, right = st.columns([3, 2], gap="large")
    with left:
        words = "Training and held-out loss by epoch of the trial"
        st.html(figures.history(history.train, history.validation, palette(), words))
        _examples(trial, outcome)
    with right:
        truth = " and ".join(trial.faults) or HEALTHY
        right_word = "right" if verdict.kind == truth else "left open" if verdict.kind == UNCLEAR else "wrong"
        _verdict(verdict, f"Switched on: {truth}. The diagnosis is **{right_word}**.")


def _verdict(verdict: CurveVerdict, words: str) -> None:
    st.markdown(f"##### Diagnosis: {verdict.kind}")
    st.markdown(verdict.why)
    st.html(figures.probabilities(verdict.probabilities, palette()))
    st.caption(words)
    if verdict.kind in NEXT:
        st.markdown(f"**Next**: {NEXT[verdict.kind]}")


NEXT = {
    "latent too small": "double the code and see whether the plateau falls.",
    "wrong loss": "match loss and data: squared error for standardised values, cross-entropy only for 0..1.",
    "too few epochs": "train on; stop when the held-out loss has not improved for a tenth of the epochs.",
    "leak into the test": "look for duplicates and overlapping windows across the split; split in time order.",
    "unscaled inputs": "standardise each column on what is learnt from, and keep the scaler with the weights.",
    "dead units": "check the first biases and the learning rate, or take a leaky activation.",
    "learning rate too high": "divide the learning rate by ten, or let it fall over the epochs.",
    "healthy": "nothing in the curves speaks against this training.",
}


def _examples(trial: Trial, outcome: TrialOutcome) -> None:
    inputs, rebuilt = (trials.pictures(trial, part) for part in (outcome.inputs, outcome.rebuilt))
    if inputs is not None and rebuilt is not None:
        st.html(figures.examples(inputs, rebuilt, palette()))
    else:
        st.html(figures.example(outcome.inputs[0], outcome.rebuilt[0], palette()))


def _own() -> History | None:
    left, right = st.columns([2, 3], gap="large")
    with left:
        file = upload("A training's history", "history", help=narration.text(NAME, "own-history"))
        if file is None:
            st.markdown(narration.text(NAME, "own-history"))
            return None
        found = work.fetch(READING, request_reading(own_history.read, file, keep=1), words="Reading the file")
        if found is None:
            return None
        history, notes = found
        words = "Your training and held-out loss by epoch"
        st.html(figures.history(history.train, history.validation, palette(), words))
        show_notes(notes)
    with right:
        _verdict(shipped.load_diagnosis().diagnosis(history), f"{len(history.train)} epochs of yours.")
    return history


def _gallery(data: str, mine: History | None) -> None:
    kinds = {kind: trials.read_outcome(shipped.load_diagnosis().exemplars[data][kind]).history for kind in KINDS}
    curves = {kind: (h.train, h.validation) for kind, h in kinds.items()}
    st.html(figures.gallery(curves, mine and mine.train, palette()))
    st.caption("Loss relative to the first one, over % of the epochs.")


def _confusion() -> None:
    narration.say(NAME, "confusion")
    made = shipped.load_diagnosis()
    answers = [*KINDS, UNCLEAR]
    for column, (title, counts) in zip(st.columns(2, gap="large"), {
        "Other seeds": made.unseen_seeds, "Other data": made.other_data}.items(), strict=True):  # fmt: skip
        with column:
            st.markdown(f"**{title}**: {_accuracy(counts)}")
            st.html(figures.confusion(counts, KINDS, answers, palette()))
    st.caption(f"Both together, without the share of silent units: {_accuracy(made.without_units)}")


def _accuracy(counts: Any) -> str:
    right, unclear = int(np.trace(counts[:, :-1])), int(counts[:, -1].sum())
    answered = int(counts.sum()) - unclear
    return f"{right} of {answered} answers right, and {unclear} of {int(counts.sum())} trials left unclear."


def _table(history: History) -> pd.DataFrame:
    return pd.DataFrame({"epoch": np.arange(1, len(history.train) + 1), "train_loss": history.train,
                         "val_loss": history.validation, "active": history.active})  # fmt: skip
