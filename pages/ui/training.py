"""Training on a page: one panel with the button, the place in the queue, the loss, Cancel, and the way on.

The panel stands where the button was pressed. It names the settings that it trains with; what they are changed to
meanwhile does not touch the run, whose result waits under its own settings. A training that is stopped gives what it
has, and one that can go on offers to.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import streamlit as st

from aecore.errors import TooBusy
from aecore.jobs import Job
from pages.ui import settings, work
from pages.ui.foreign import plain
from pages.ui.settings import Setting, Unfit
from pages.ui.theme import palette
from pages.ui.work import Entry, Request, Slots

LINKED = (
    "This link was made after a training with these settings. Its result stayed with whoever trained it: train the "
    "same here to see it."
)


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
    linked_by: Sequence[str] = (),
    mark: str | None = None,
) -> Trained | None:
    """Offer a training, show it running, and return what it has given for exactly this request; else None.

    ``words`` say what will be trained. ``go_on`` makes the request that trains on from a result; it is shown as a
    button once there is one. A link that names one of ``linked_by`` (by default, of the request's settings) was made
    after a training, which its reader is told; ``mark`` is the key of a setting that stands in the link just for that,
    while a result is shown.
    """
    made = _train(slot, request, words, label, draw or draw_training, go_on, (mark,) if mark else linked_by)
    if made is not None and mark is not None:
        settings.value(_mark(mark))
        settings.keep(_mark(mark), True)
    return made


def _mark(key: str) -> Setting[bool]:
    """Return the setting that says in a link that it was made with a result in view."""

    def read(texts: list[str]) -> bool:
        if texts != ["yes"]:
            raise Unfit("it takes yes")
        return True

    return Setting(key=key, label="Trained", default=False, read=read, write=lambda found: "yes" if found else "no")


def _train(
    slot: str,
    request: Request,
    words: str,
    label: str,
    draw: Callable[[Job], None],
    go_on: Callable[[Any], Request] | None,
    linked_by: Sequence[str],
) -> Trained | None:
    mine = work.slots()
    entry = mine.get(slot, request.signature)
    for other in mine.all_of(slot):
        if other is not entry and other.busy:
            work.watch(slot, other, draw)
    if entry is not None and entry.busy:
        work.watch(slot, entry, draw)
        return None if entry.before is None else Trained(entry.before, whole=True)
    if entry is not None:
        return _show_end(slot, mine, entry, label, go_on)
    _offer_others(slot, mine, request, None)
    linked = any(map(settings.named_by_link, linked_by or request.settings)) and not mine.all_of(slot)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(LINKED if linked else words, icon=":material/model_training:")
        if st.button(label, key=f"{slot}:ask", type="primary", icon=":material/play_arrow:"):
            start(slot, request)
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


def find(slot: str, request: Request) -> Trained | None:
    """Return what `train` or `train_at_once` has given for exactly this request so far; draws and starts nothing."""
    entry = work.slots().get(slot, request.signature)
    if entry is None:
        return None
    if entry.outcome is not None:
        return Trained(entry.outcome, entry.whole)
    return None if entry.before is None else Trained(entry.before, whole=True)


def start(slot: str, request: Request, before: Any = None) -> None:
    """Begin a training; a visitor who has too much under way is told so when the page runs again."""
    named = settings.describe(request.settings)
    values = settings.snapshot(request.settings)
    try:
        work.slots().start(slot, request, name=named, values=values, before=before)
    except TooBusy as error:
        st.toast(plain(str(error)), icon=":material/hourglass_top:")


def _show_end(
    slot: str, mine: Slots, entry: Entry, label: str, go_on: Callable[[Any], Request] | None
) -> Trained | None:
    """Show what a training has come to; where going on gave nothing, that is what it went on from."""
    result, whole = entry.outcome, entry.whole
    if result is None:
        work.explain(slot, entry, label if entry.before is None else None)
        if entry.before is None:
            return None
        result, whole = entry.before, True
    else:
        work.say_where_from(entry, training=True)
    _offer_others(slot, mine, entry.request, entry)
    if go_on is not None:
        _offer_more(slot, entry, result, go_on)
    return Trained(result, whole)


def _offer_others(slot: str, mine: Slots, request: Request, shown: Entry | None) -> None:
    """Name the last result of other settings, with a button that puts them back."""
    others = [e for e in mine.all_of(slot) if e is not shown and not e.busy and e.values and e.outcome is not None]
    others = [e for e in others if e.request.subject == request.subject]
    if not others:
        return
    last = others[-1]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Trained in this visit: {plain(last.name)}.")
        st.button("Show it", key=f"{slot}:show", on_click=settings.put, args=(last.values,), type="tertiary")


def _offer_more(slot: str, entry: Entry, result: Any, go_on: Callable[[Any], Request]) -> None:
    def more() -> None:
        request = replace(go_on(result), signature=entry.request.signature)
        start(slot, request, before=result)

    st.button("Train on", key=f"{slot}:more", on_click=more, icon=":material/fast_forward:")


def draw_training(job: Job) -> None:
    """Draw a running training whose progress is {part, epoch, epochs, loss, progress}: stage, time left, loss."""
    latest = job.latest
    if latest is None or "epoch" not in latest:  # it has not begun to train, or never will: a saved detector scores
        st.progress((latest or {}).get("progress", 0.0), work.time_left(job).capitalize())
        return
    st.progress(
        latest["progress"], f"{latest['part']}: epoch {latest['epoch']} of {latest['epochs']}, {work.time_left(job)}"
    )
    from aecore.figures.training import falling_loss  # a figure library that a first paint need not wait for

    losses = [step["loss"] for step in job.progress if step["part"] == latest["part"]]
    chart = falling_loss(losses, latest["epochs"], palette())
    st.altair_chart(chart, width="stretch", alt=f"Training loss, from {losses[0]:.3g} to {losses[-1]:.3g}")
