"""Training on a page: one panel with the button, the place in the queue, the loss, Cancel, and the way on.

The panel stands where the button was pressed. It names the settings that it trains with; what they are changed to
meanwhile does not touch the run, whose result waits under its own settings. A training that is stopped gives what it
has, and one that can go on offers to.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

import streamlit as st

from aecore.errors import TooBusy
from aecore.jobs import Job
from pages.ui.frame import settings
from pages.ui.frame.foreign import plain
from pages.ui.frame.settings import Setting, Unfit
from pages.ui.frame.theme import palette
from pages.ui.training import work
from pages.ui.training.work import Entry, Request, Slots

GRACE = 0.6  # s; a training that is over by then needs no panel, which would be looked at only so often
LINKED = (
    "This link was made after a training with these settings. Its result stayed with whoever trained it: train the "
    "same here to see it."
)
NOTHING: Mapping[str, Any] = MappingProxyType({})


class TrainedResult(NamedTuple):
    """What a training has given."""

    value: Any
    whole: bool  # False where it was stopped early


class _Offer(NamedTuple):
    """How a training is offered: in one slot, with these words, and what goes on from its result."""

    slot: str
    words: str
    label: str
    draw: Callable[[Job], None]
    go_on: Callable[[Any], Request] | None
    shown_by: Mapping[str, Any]


def train(
    slot: str,
    request: Request,
    *,
    words: str,
    label: str = "Train",
    draw: Callable[[Job], None] | None = None,
    go_on: Callable[[Any], Request] | None = None,
    shown_by: Mapping[str, Any] = NOTHING,
    mark: str | None = None,
) -> TrainedResult | None:
    """Offer a training, show it running, and return what it has given for exactly this request; else None.

    Parameters
    ----------
    slot, request : where the work is kept, and what it is.
    words : say what will be trained.
    label : names the button.
    draw : shows it running; by default `draw_training`.
    go_on : makes the request that trains on from a result; it is offered once there is one.
    shown_by : settings with their values that show the result in place of something else: they are set when the
        training begins, and a link that names one was made after a training.
    mark : key of a setting that says so where ``shown_by`` does not: it is in the link while a result is shown.
    """
    offer = _Offer(slot, words, label, draw or draw_training, go_on, shown_by)
    mine = work.slots()
    marker = None if mark is None else _marker(mark)
    linked = _is_linked(offer, request, mine, (*shown_by, *([] if mark is None else [mark])))
    if marker is not None:
        settings.value(marker)
    entry = mine.get(slot, request.signature)
    for other in mine.all_of(slot):
        if other is not entry and other.busy:
            work.watch(slot, other, offer.draw)
    made = _stand(offer, request, mine, entry, linked)
    if marker is not None:
        settings.keep(marker, made is not None or linked)
    return made


def _stand(offer: _Offer, request: Request, mine: Slots, entry: Entry | None, linked: bool) -> TrainedResult | None:
    """Draw where a training stands, and return what it has given."""
    if entry is None:
        _offer_others(offer.slot, mine, request, None)
        _ask(offer, request, linked)
        return None
    if entry.busy:
        work.watch(offer.slot, entry, offer.draw)
        return None if entry.before is None else TrainedResult(entry.before, whole=True)
    result, whole = entry.outcome, entry.whole
    if result is None:
        begin = functools.partial(start, offer.slot, request, shown_by=offer.shown_by)
        work.explain(offer.slot, entry, offer.label if entry.before is None else None, begin)
        if entry.before is None:
            return None
        result, whole = entry.before, True  # going on gave nothing
    else:
        work.say_where_from(entry, training=True)
    _offer_others(offer.slot, mine, entry.request, entry)
    if offer.go_on is not None:
        _offer_more(offer, entry, result)
    elif not whole:
        st.button(
            offer.label, key=f"{offer.slot}:again", icon=":material/play_arrow:", on_click=start,
            args=(offer.slot, request),
        )  # fmt: skip
    return TrainedResult(result, whole)


def train_at_once(
    slot: str, request: Request, *, draw: Callable[[Job], None] | None = None, label: str = "Train"
) -> TrainedResult | None:
    """Train without being asked, as soon as settings or data change; else as `train` does.

    Work of the slot that still runs for other settings is stopped.
    """
    mine = work.slots()
    before = mine.get(slot, request.signature)
    value = work.fetch(slot, request, draw=draw or draw_training, again=label, grace=GRACE)
    entry = mine.get(slot, request.signature)
    if value is None or entry is None:
        return None
    if before is None and entry.job.cached:
        st.caption("From the cache: this was trained before, with the same settings, data and code.")
    return TrainedResult(value, entry.whole)


def find(slot: str, request: Request) -> TrainedResult | None:
    """Return what `train` or `train_at_once` has given for exactly this request so far; draws and starts nothing."""
    entry = work.slots().get(slot, request.signature)
    if entry is None:
        return None
    if entry.outcome is not None:
        return TrainedResult(entry.outcome, entry.whole)
    return None if entry.before is None else TrainedResult(entry.before, whole=True)


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


def _ask(offer: _Offer, request: Request, linked: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(LINKED if linked else offer.words, icon=":material/model_training:")
        if st.button(offer.label, key=f"{offer.slot}:ask", type="primary", icon=":material/play_arrow:"):
            start(offer.slot, request, shown_by=offer.shown_by)
            st.rerun()


def _marker(key: str) -> Setting[bool]:
    def read(texts: list[str]) -> bool:
        if texts != ["yes"]:
            raise Unfit("it takes yes")
        return True

    return Setting(key=key, label="a training's result", default=False, read=read, write=lambda _: "yes")


def _is_linked(offer: _Offer, request: Request, mine: Slots, keys: tuple[str, ...]) -> bool:
    """Return whether a link has named exactly this training, of which this visit has no result."""
    if mine.all_of(offer.slot) or not any(map(settings.named_by_link, keys)):
        return False
    named: object = st.session_state.setdefault(f"{offer.slot}:linked", request.signature)
    return named == request.signature


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


def _offer_more(offer: _Offer, entry: Entry, result: Any) -> None:
    assert offer.go_on is not None
    go_on = offer.go_on

    def more() -> None:
        request = replace(go_on(result), signature=entry.request.signature)
        start(offer.slot, request, before=result, shown_by=offer.shown_by)

    st.button("Train on", key=f"{offer.slot}:more", on_click=more, icon=":material/fast_forward:")


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
