"""Is this just PCA? A curve through the data by one latent dimension."""

import numpy as np
import pandas as pd
import streamlit as st

from aecore import export
from aecore.concepts.field_guide import curved
from aecore.concepts.field_guide import pretrained as shipped
from aecore.figures import field_guide as figures
from pages.ui.components.scrubber import Panel, Points, scrubber
from pages.ui.frame import narration
from pages.ui.frame.downloads import Download
from pages.ui.frame.page import fragment
from pages.ui.frame.theme import palette

NAME = "field_guide"
PROMPTS = {"A straight line": {"bend": 0}, "Half a turn": {"bend": 5}, "Nearly a ring": {"bend": 7}}
DEFAULT = 4  # 120 degrees
INPUT, REBUILT = 3, 2  # groups of a cloud that are drawn in the input's red and the reconstruction's green
NARROW, WIDE = 8, 32


def show() -> list[Download]:
    narration.say(NAME, "pca")
    bent = shipped.load_bends()
    _bench(bent)
    return [Download("Errors by bend", "bend.csv", lambda: export.csv(_table(bent)))]


@fragment
def _bench(bent: curved.Bent) -> None:
    turn = scrubber(
        _panels(bent), label="Turns by, degrees", key="bend", values=bent.turns, default=DEFAULT, height=240, columns=3
    )
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.html(figures.lost_against_bend(bent.turns, bent.lost, bent.floor, turn, palette()))
    with right:
        st.markdown(curved.verdict(bent, turn))
        st.markdown(_on_digits())


def _on_digits() -> str:
    sizing = shipped.load_sizing("digits")
    at = {name: sizing.sizes.index(k) for name, k in (("narrow", NARROW), ("wide", WIDE))}
    return narration.text(NAME, "pca-real").format(
        narrow=NARROW, wide=WIDE,
        **{f"pca_{name}": float(sizing.lost_by_pca[i]) for name, i in at.items()},
        **{f"network_{name}": float(sizing.lost.mean(0)[i]) for name, i in at.items()},
    )  # fmt: skip


def _table(bent: curved.Bent) -> pd.DataFrame:
    return pd.DataFrame({"degrees": bent.turns, **bent.lost, "noise": bent.floor})


def _panels(bent: curved.Bent) -> list[Panel]:
    count = bent.points.shape[1]
    classes = np.repeat([INPUT, REBUILT], count)
    return [
        Points(title=name, values=np.concatenate([bent.points, bent.rebuilt[name]], 1), classes=classes,
               captions=[f"{share:.1%} lost" for share in bent.lost[name]])
        for name in curved.MACHINES
    ]  # fmt: skip
