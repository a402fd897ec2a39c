"""Training on a page: one panel with the button, the place in the queue, the loss, Cancel, and the way on.

The panel stands where the button was pressed. It names the settings that it trains with; what they are changed to
meanwhile does not touch the run, whose result waits under its own settings. A training that is stopped gives what it
has, and one that can go on offers to.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

import streamlit as st

from aecore.errors import TooBusy
from aecore.jobs import Job
from pages.ui import settings, work
from pages.ui.foreign import plain
from pages.ui.theme import palette
from pages.ui.work import Entry, Request, Slots

LINKED = (
    "This link was made after a training with these settings. Its result stayed with whoever trained it: train the "
    "same here to see it."
)

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Trained(NamedTuple):
    """What a training has given."""

    value: Any
    whole: bool  # False where it was stopped early


def train(
    slot: str,
    request: Request,
    *,
    words: str,
    label: str = "Train",
    draw: Callable[[Job], None] | None = None,
    go_on: Callable[[Any], Request] | None = None,
    shown_by: Mapping[str, Any] = NOTHING,
) -> Trained | None:
    """Offer a training, show it running, and return what it has given for exactly this request; else None.

    ``words`` say what will be trained. ``go_on`` makes the request that trains on from a result; it is shown as a
    button once there is one. ``shown_by`` are settings, with their values, that show the result in place of something
    else: they are set when the training begins, and a link that names one was made after a training.
    """
    mine = slots = work.slots()
    entry = mine.get(slot, request.signature)
    for other in mine.all_of(slot):
        if other is not entry and other.busy:
            work.watch(slot, other, draw or draw_training)
    if entry is not None and entry.busy:
        work.watch(slot, entry, draw or draw_training)
        return None if entry.before is None else Trained(entry.before, whole=True)
    if entry is not None and entry.outcome is not None:
        _offer_others(slot, slots, entry)
        work.say_where_from(entry, training=True)
        if go_on is not None:
            _offer_more(slot, slots, entry, go_on, shown_by)
        return Trained(entry.outcome, entry.whole)
    if entry is not None:
        work.explain(slot, entry, label)
        return None
    _offer_others(slot, slots, None)
    linked = any(settings.named_by_link(key) for key in (*request.settings, *shown_by)) and not mine.all_of(slot)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(LINKED if linked else words, icon=":material/model_training:")
        if st.button(label, key=f"{slot}:ask", type="primary", icon=":material/play_arrow:"):
            start(slot, request, shown_by=shown_by)
            st.rerun()
    return None


def train_at_once(
    slot: str, request: Request, *, draw: Callable[[Job], None] | None = None, label: str = "Train"
) -> Trained | None:
    """Train without being asked, as soon as settings or data change; else as `train` does.

    Work of the slot that still runs for other settings is stopped.
    """
    mine = work.slots()
    before = mine.get(slot, request.signature)
    value = work.fetch(slot, request, draw=draw or draw_training, again=label)
    entry = mine.get(slot, request.signature)
    if value is None or entry is None:
        return None
    if before is None and entry.job.cached:
        st.caption("From the cache: this was trained before, with the same settings, data and code.")
    return Trained(value, entry.whole)


def start(slot: str, request: Request, before: Any = None, shown_by: Mapping[str, Any] = NOTHING) -> None:
    """Begin a training; a visitor who has too much under way is told so when the page runs again."""
    named = settings.describe(request.settings)
    values = settings.snapshot(request.settings) | dict(shown_by)
    try:
        work.slots().start(slot, request, name=named, values=values, before=before)
    except TooBusy as error:
        st.toast(plain(str(error)), icon=":material/hourglass_top:")
        return
    settings.put(shown_by)


def _offer_others(slot: str, mine: Slots, shown: Entry | None) -> None:
    """Name the last result of other settings, with a button that puts them back."""
    others = [e for e in mine.all_of(slot) if e is not shown and not e.busy and e.values and e.outcome is not None]
    if not others:
        return
    last = others[-1]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Trained in this visit: {plain(last.name)}.")
        st.button("Show it", key=f"{slot}:show", on_click=settings.put, args=(last.values,), type="tertiary")


def _offer_more(
    slot: str, mine: Slots, entry: Entry, go_on: Callable[[Any], Request], shown_by: Mapping[str, Any]
) -> None:
    result = entry.outcome

    def more() -> None:
        request = replace(go_on(result), signature=entry.request.signature)
        start(slot, request, before=result, shown_by=shown_by)

    st.button("Train on", key=f"{slot}:more", on_click=more, icon=":material/fast_forward:")


def draw_training(job: Job) -> None:
    """Draw a running training whose progress is {part, epoch, epochs, loss, progress}: stage, time left, loss."""
    latest = job.latest
    if latest is None or "epoch" not in latest:  # it does not train yet, or any more, or never will
        part, left = (latest or {}).get("part", ""), work.time_left(job)
        st.progress((latest or {}).get("progress", 0.0), f"{part}, {left}" if part else left.capitalize())
        return
    st.progress(
        latest["progress"], f"{latest['part']}: epoch {latest['epoch']} of {latest['epochs']}, {work.time_left(job)}"
    )
    from aecore.figures.training import falling_loss  # a figure library that a first paint need not wait for

    losses = [step["loss"] for step in job.progress if step["part"] == latest["part"]]
    chart = falling_loss(losses, latest["epochs"], palette())
    st.altair_chart(chart, width="stretch", alt=f"Training loss, from {losses[0]:.3g} to {losses[-1]:.3g}")
