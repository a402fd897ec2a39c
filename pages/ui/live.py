"""Long work beside a page: started, watched, cancelled with the tab; the page only ever sees a finished result."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import streamlit as st

from aecore.errors import AecoreError, JobCancelled, TooBusy
from aecore.jobs import Job
from pages.ui import link
from pages.ui.theme import palette

GRACE = 0.25  # s; work that is done by then is shown without a panel in between
EVERY = 0.25  # s between two looks at running work
AT_ONCE = 4  # pieces of work that one visitor may have waiting or running

RESTARTED = "The process that did this was stopped by the system, perhaps for want of memory; it has begun again."
UNKEPT = "The server's disk did not take this result: it is here now, and will have to be computed again next time."


class _Held(NamedTuple):
    signature: object
    job: Job


@st.cache_resource(scope="session", show_spinner=False, on_release=lambda held: _let_go(held))
def _held() -> dict[str, _Held]:
    """This visitor's jobs by slot; a closed tab lets go of them."""
    return {}


def _let_go(held: dict[str, _Held]) -> None:
    for entry in held.values():
        entry.job.cancel()
    held.clear()


def work(
    slot: str,
    signature: object,
    start: Callable[[], Job],
    draw: Callable[[Job], None],
    *,
    again: str | None = None,
    training: bool = True,
) -> Any | None:
    """Result of the slot's work, or None while its panel stands in for it.

    ``signature`` names what the work depends on: when it changes, the old work is cancelled and ``start`` submits anew.
    ``draw`` shows a running job; ``again`` names the button that starts ended work once more. What was found in the
    cache is said where it is a ``training``.
    """
    held = _held()
    if slot not in held or held[slot].signature != signature:
        if slot in held:
            held.pop(slot).job.cancel()
        try:
            held[slot] = _Held(signature, _admitted(held, start))
        except TooBusy as error:
            st.warning(link.plain(str(error)), icon=":material/hourglass_top:")
            st.button("Try again", key=f"{slot}:later", icon=":material/refresh:")
            return None
    job = held[slot].job
    _grace(job)
    if job.state in ("queued", "running"):
        st.fragment(_watch, run_every=EVERY)(slot, draw)
        return None
    if job.state == "done":
        if job.cached and training:
            st.caption("From the cache: this was trained before, with the same settings, data and code.")
        if not job.kept:
            st.caption(UNKEPT)
        return job.result()
    _ended(slot, job, again)
    return None


def _admitted(held: dict[str, _Held], start: Callable[[], Job]) -> Job:
    """Start work, unless this visitor has as much under way as one may; raises TooBusy."""
    busy = sum(entry.job.state in ("queued", "running") for entry in held.values())
    if busy >= AT_ONCE:
        raise TooBusy(f"{busy} of your computations are under way, as many as one visitor may have: cancel or wait.")
    return start()


def finished(slot: str, signature: object) -> Any | None:
    """Result of the slot's work, if it is this work and has come to a good end; starts and shows nothing."""
    entry = _held().get(slot)
    if entry is None or entry.signature != signature or entry.job.state != "done":
        return None
    return entry.job.result()


def forget(slot: str) -> None:
    """Drop a slot's work; the next run of the page starts it again."""
    if entry := _held().pop(slot, None):
        entry.job.cancel()


def running(slot: str) -> bool:
    """Whether this visitor's work in the slot has not come to its end."""
    entry = _held().get(slot)
    return entry is not None and entry.job.state in ("queued", "running")


def _watch(slot: str, draw: Callable[[Job], None]) -> None:
    entry = _held().get(slot)
    if entry is None or entry.job.state not in ("queued", "running"):
        st.rerun()
    with st.container(border=True):
        if entry.job.restarts:
            st.caption(RESTARTED)
        draw(entry.job)
        st.button("Cancel", key=f"{slot}:cancel", icon=":material/stop_circle:", on_click=entry.job.cancel)


def _ended(slot: str, job: Job, again: str | None) -> None:
    try:
        job.result()
    except JobCancelled:
        st.info("Stopped. Change a control or start it again.", icon=":material/stop_circle:")
    except AecoreError as error:
        st.error(link.plain(str(error)), icon=":material/error:")
    if again:
        st.button(
            again, key=f"{slot}:again", icon=":material/play_arrow:", on_click=forget, args=(slot,), type="primary"
        )


def _grace(job: Job) -> None:
    end = time.monotonic() + GRACE
    while job.state in ("queued", "running") and time.monotonic() < end:
        time.sleep(0.01)


def progress_bar(job: Job) -> None:
    """Draw running work whose progress is {part, progress}."""
    latest = job.latest or {}
    st.progress(latest.get("progress", 0.0), latest.get("part", "Starting"))


def training_panel(job: Job) -> None:
    """Draw a running training whose progress is {part, epoch, epochs, loss, progress}: stage, loss, time left."""
    latest = job.latest
    if (
        latest is None or "epoch" not in latest
    ):  # it has not begun to train, or never will: a saved detector only scores
        st.progress((latest or {}).get("progress", 0.0), time_left(job).capitalize())
        return
    st.progress(
        latest["progress"], f"{latest['part']}: epoch {latest['epoch']} of {latest['epochs']}, {time_left(job)}"
    )
    from aecore.figures.training import falling_loss  # a figure library that a first paint need not wait for

    losses = [step["loss"] for step in job.progress if step["part"] == latest["part"]]
    chart = falling_loss(losses, latest["epochs"], palette())
    st.altair_chart(chart, width="stretch", alt=f"Training loss, from {losses[0]:.3g} to {losses[-1]:.3g}")


def time_left(job: Job) -> str:
    """How long a job that reports ``progress`` 0..1 will go on, in words."""
    progress = (job.latest or {}).get("progress", 0.0)
    if job.state == "queued":
        place = f"number {job.ahead + 1} in the queue" if job.ahead else "you are next"
        return f"waiting for a free worker, {place}"
    if progress < 0.05:
        return "starting"
    seconds = job.seconds * (1 - progress) / progress
    return f"about {max(1, round(seconds))} s left"
