"""The checklist: every decision with a small measurement before and after."""

import pandas as pd
import streamlit as st

from aecore import export, jobs
from aecore.concepts.field_guide import checklist, shipped
from aecore.concepts.field_guide.checklist import ITEMS, SEEDS, Measured
from aecore.figures import field_guide as figures
from pages.ui import controls, live, narration
from pages.ui.downloads import Download
from pages.ui.theme import palette

NAME = "field_guide"
MEASURING = "field_guide:measure"
ADVICE = {
    "Scaling": lambda: narration.text(NAME, "scaling"),
    "Windowing": lambda: narration.text(NAME, "windowing"),
    "Overlap": lambda: narration.text(NAME, "overlap"),
    "Splits in time order": lambda: narration.text(NAME, "splits"),
    "Thresholds": lambda: narration.text(NAME, "thresholds"),
    "Normal rows that were not": lambda: narration.text(NAME, "contamination"),
    "Drift, and when to retrain": lambda: narration.text(NAME, "drift-item"),
    "When to stop": lambda: narration.text(NAME, "stopping"),
    "Deployment": lambda: narration.text(NAME, "deployment"),
}
PROMPTS = {
    "Where a test flatters": {"items": ["Splits in time order", "Thresholds"]},
    "What happens after the first day": {"items": ["Drift, and when to retrain", "Deployment"]},
    "Measure everything with other seeds": {"items": [], "first_seed": 100},
}


def show() -> list[Download]:
    narration.say(NAME, "checklist")
    left, right = st.columns([3, 1], gap="large")
    with left:
        wanted = controls.several("Only these", "items", [item.name for item in ITEMS])
    with right:
        first = int(controls.number("First of five seeds", "first_seed", low=0, high=1000, default=0))
    found = shipped.measured() if first == 0 else _again(first)
    if found is None:
        return []
    shown = [m for m in found if not wanted or m.item.name in wanted]
    for pair in (shown[i : i + 2] for i in range(0, len(shown), 2)):
        for column, measured in zip(st.columns(2, gap="large"), pair, strict=False):
            with column, st.container(border=True):
                _item(measured)
    return [Download("Checklist", "checklist.csv", lambda: export.csv(_table(found)))]


def _again(first: int) -> list[Measured] | None:
    tree = live.work(MEASURING, first, lambda: jobs.submit(checklist.measure, SEEDS, first), live.progress_bar,
                     again="Measure", training=False)  # fmt: skip
    return None if tree is None else checklist.from_tree(tree)


def _item(measured: Measured) -> None:
    item = measured.item
    st.markdown(f"**{item.name}**: {ADVICE[item.name]()}")
    st.caption(item.measure[0].upper() + item.measure[1:])
    names = (item.before, item.after)
    st.html(figures.before_and_after(measured.before, measured.after, names, item.form, item.ideal, palette()))


def _table(found: list[Measured]) -> pd.DataFrame:
    return pd.DataFrame([
        {"item": m.item.name, "measure": m.item.measure, "before": m.item.before, "after": m.item.after,
         "mean_before": m.before.mean(), "mean_after": m.after.mean(), "sd_before": m.before.std(ddof=1),
         "sd_after": m.after.std(ddof=1)}
        for m in found
    ])  # fmt: skip
