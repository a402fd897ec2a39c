"""The checklist: every decision with a small measurement before and after."""

import pandas as pd
import streamlit as st

from aecore import export
from aecore.concepts.field_guide import checklist
from aecore.concepts.field_guide import pretrained as shipped
from aecore.concepts.field_guide.checklist import SEEDS, Measured
from aecore.figures import field_guide as figures
from pages.ui.frame import narration, settings
from pages.ui.frame.downloads import Download
from pages.ui.frame.theme import palette
from pages.ui.inputs import controls
from pages.ui.training import work
from pages.ui.training.work import Request

NAME = "field_guide"
MEASURING = "field_guide:measure"
# Titles of the items, in their order.
NAMES = {
    "scaling": "Scaling",
    "windowing": "Windowing",
    "overlap": "Overlap",
    "splits": "Splits in time order",
    "thresholds": "Thresholds",
    "contamination": "Normal rows that were not",
    "drift": "Drift, and when to retrain",
    "stopping": "When to stop",
    "deployment": "Deployment",
}
# The section of the page's text that advises on each item.
ADVICE = {item: item for item in NAMES} | {"drift": "drift-item"}
PROMPTS = {
    "Where a test flatters": {"items": ["splits", "thresholds"], "first_seed": settings.DEFAULT},
    "What happens after the first day": {"items": ["drift", "deployment"], "first_seed": settings.DEFAULT},
    "Measure everything with other seeds": {"items": [], "first_seed": 100},
}


def show() -> list[Download]:
    narration.say(NAME, "checklist")
    left, right = st.columns([3, 1], gap="large")
    with left:
        wanted = controls.several("Only these", "items", NAMES)
    with right:
        first = int(controls.number("First of five seeds", "first_seed", low=0, high=1000, default=0))
    found = shipped.load_checklist() if first == 0 else _again(first)
    if found is None:
        return []
    shown = [(item, m) for item, m in zip(NAMES, found, strict=True) if not wanted or item in wanted]
    for pair in (shown[i : i + 2] for i in range(0, len(shown), 2)):
        for column, (item, measured) in zip(st.columns(2, gap="large"), pair, strict=False):
            with column, st.container(border=True):
                _item(narration.text(NAME, ADVICE[item]), measured)
    return [Download("Checklist", "checklist.csv", lambda: export.csv(_table(found)))]


def _again(first: int) -> list[Measured] | None:
    request = Request(task=checklist.measure, args=(SEEDS, first), signature=first, settings=("first_seed",))
    tree = work.fetch(MEASURING, request, words="Measuring", again="Measure")
    return None if tree is None else checklist.from_tree(tree)


def _item(advice: str, measured: Measured) -> None:
    item = measured.item
    st.markdown(f"**{item.name}**: {advice}")
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
