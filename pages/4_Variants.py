"""Variants: every kind of autoencoder on the same digits, what its penalty does, and two of them under one input."""

import streamlit as st

from aecore import export
from aecore.concepts.variants import tables as views
from pages.ui import variants as ui
from pages.ui.frame import narration
from pages.ui.frame.downloads import Download, take_it_with_you
from pages.ui.frame.page import frame, why
from pages.ui.inputs import controls
from pages.ui.variants import one, pair, training

NAME = "variants"
ONE, PAIR, TRAIN = "one", "pair", "train"
CLOSER = {ONE: one.one_of_them, PAIR: pair.two_of_them, TRAIN: training.train_one}
LABELS = {ONE: "One at a time", PAIR: "Two under the same input", TRAIN: "Train one yourself"}
KEYS = {PAIR: pair.KEYS, TRAIN: training.KEYS}

with frame(NAME):
    made = ui.results()
    ui.all_of_them(made)
    left, right = st.columns([3, 2], gap="large")
    with left:
        ui.one_measure(made)
    with right:
        narration.say(NAME, "reading")
    ui.table(made)
    st.subheader(narration.text(NAME, "closer"), divider="gray")
    CLOSER[ui.closer(LABELS, KEYS)](made)
    controls.try_this({
        "Mask a third of every digit": {"var_input": "mask", "var_measure": "mask"},
        "Turn L1 up until units fall silent": {"var_closer": ONE, "var_variant": "l1", one.strength_key("l1"): 4},
        "A noisy 3 through a denoiser and PCA": {"var_closer": PAIR, "var_how": pair.DIGIT, "var_digit": "3",
                                                 "var_sigma": 0.5, "var_masked": 0.0,
                                                 "var_pair_one": "gaussian", "var_pair_other": "pca"},
    })  # fmt: skip
    why(NAME)
    take_it_with_you(
        [
            Download("Every run", "variants.csv", lambda: export.csv(views.flat(made.rows).to_pandas())),
        ]
    )
