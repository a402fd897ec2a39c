"""Long work beside a page: what a visitor has asked for, what runs, and what came of it.

Work lives in the visitor's session, in *slots*: a slot holds what one part of a page asks for, each piece under the
signature of its settings and data. So a setting that changes while something is trained leaves the run alone, and
settings that were trained before in this visit give their result back. The session's end stops what still runs; a line
that breaks for less than the grace that Streamlit gives a session does not.

`fetch` starts work by itself and shows it until it is done (a file that is read, a sound that is cleaned); what a
visitor starts and watches is `training`.
"""

import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from aecore import jobs
from aecore.errors import AecoreError, DataError, DataGone, DatasetMissing, JobCancelled, SettingError, TooBusy
from aecore.jobs import Held, Job
from pages.ui.frame.foreign import plain

GRACE = 0.25  # s; work that is done by then is shown without a panel in between
EVERY = 0.25  # s between two looks at running work
SOON, BETWEEN = 5.0, 0.15  # s; work that is younger is waited for so long in each look, and its end is noticed sooner
AT_ONCE = 4  # pieces of work that one visitor may have waiting or running
KEPT = 6  # results of one slot that a visit gives back
AGAIN, AGAIN_WITHIN = 3, 60.0  # times within so many seconds that data which are gone are read again unasked
SECONDS = 60.0  # that a download waits for what it computes

LOADED = {  # what a first upload would have the workers of each lane load: seconds of its wait
    "short": ("aecore.concepts.sensor_anomalies.tasks", "aecore.figures.sensor_drawing"),
    "long": ("aecore.anomaly.detector", "aecore.concepts.sensor_anomalies.tasks", "torch._dynamo"),
}

RESTARTED = "The process that did this was stopped by the system, perhaps for want of memory; it has begun again."
UNKEPT = "The server's disk did not take this result: it is here now, and will have to be computed again next time."


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is to be computed.

    Attributes
    ----------
    task, args : a task of `aecore.jobs` with its arguments.
    signature : tells this piece of work from others of its slot.
    settings : keys of the page's settings that it depends on; they name it on its panel.
    source : the slot, or slots, that read the data that it uses, if any: read again where the data are gone.
    subject : what it is about beside the settings (a visitor's file): results of another one are not offered.
    keep : how many pieces of work the slot holds from now on, this one included.
    """

    task: Callable[..., Any]
    args: tuple[Any, ...] = ()
    signature: Hashable
    settings: tuple[str, ...] = ()
    private: bool = False
    lane: str = "long"
    isolated: bool = False
    source: str | tuple[str, ...] = ()
    subject: Hashable = None
    keep: int = KEPT

    @property
    def sources(self) -> tuple[str, ...]:
        """The slots that read the data that it uses."""
        return (self.source,) if isinstance(self.source, str) else self.source

    def submit(self) -> Job:
        """Hand the work to the workers."""
        extra = {"isolated": True} if self.isolated else {}
        return jobs.submit(self.task, *self.args, lane=self.lane, private=self.private, **extra)


@dataclass
class Entry:
    """One piece of work in its slot."""

    request: Request
    job: Job
    name: str = ""  # its settings in words
    values: dict[str, Any] = field(default_factory=dict)  # of its settings, to put them back
    before: Any = None  # the result that this work goes on from, shown until it has its own

    @property
    def busy(self) -> bool:
        """Whether it waits, runs, or is being stopped."""
        return self.job.state in ("queued", "running") or not self.job.settled

    @property
    def outcome(self) -> Any | None:
        """The result, whole or partial; None where there is none (yet)."""
        if self.job.state == "done":
            return self.job.result()
        return self.job.partial if self.job.settled else None

    @property
    def whole(self) -> bool:
        """Whether the work has come to its own end."""
        return self.job.state == "done"


class Slots:
    """All work of one visitor."""

    def __init__(self) -> None:
        self.entries: dict[str, OrderedDict[Hashable, Entry]] = {}
        self.read: dict[str, list[float]] = {}  # by slot: when its data were gone
        weakref.finalize(self, _stop_all, self.entries)  # with the session

    def get(self, slot: str, signature: Hashable) -> Entry | None:
        """Return a piece of work, and count it as the one that was used last."""
        found = self.entries.get(slot, OrderedDict()).get(signature)
        if found is not None:
            self.entries[slot].move_to_end(signature)
        return found

    def all_of(self, slot: str) -> list[Entry]:
        """Return a slot's work, the one that was used last at the end."""
        return list(self.entries.get(slot, OrderedDict()).values())

    def start(self, slot: str, request: Request, **more: Any) -> Entry:
        """Submit work; raises TooBusy where this visitor, or everybody, has too much under way."""
        busy = sum(entry.busy for entries in self.entries.values() for entry in entries.values())
        if busy >= AT_ONCE:
            raise TooBusy(
                f"{busy} of your computations are under way, as many as one visitor may have: cancel one or wait."
            )
        entry = Entry(request, request.submit(), **more)
        entries = self.entries.setdefault(slot, OrderedDict())
        entries[request.signature] = entry
        entries.move_to_end(request.signature)
        for signature in [s for s, each in entries.items() if not each.busy][: max(0, len(entries) - request.keep)]:
            del entries[signature]
        return entry

    def forget(self, slot: str, signature: Hashable) -> None:
        """Stop a piece of work and drop what it has."""
        entry = self.entries.get(slot, OrderedDict()).pop(signature, None)
        if entry is not None:
            entry.job.cancel()
            if entry.job.handle is not None:
                jobs.release(entry.job.handle)  # now: parts of the page may hold on to the handle for a while

    def forget_slot(self, slot: str) -> None:
        """Stop and drop all work of a slot."""
        for signature in list(self.entries.get(slot, ())):
            self.forget(slot, signature)

    def read_again(self, source: str) -> bool:
        """Drop a slot whose data are gone, so that they are read again; False where that has been done in vain."""
        since = time.monotonic() - AGAIN_WITHIN
        times = self.read[source] = [each for each in self.read.get(source, []) if each > since]
        if len(times) >= AGAIN:
            return False
        times.append(time.monotonic())
        self.forget_slot(source)
        return True

    def forget_private(self) -> None:
        """Stop and drop all work on this visitor's own data."""
        for slot, entries in self.entries.items():
            for signature in [s for s, entry in entries.items() if entry.request.private]:
                self.forget(slot, signature)


def slots() -> Slots:
    """Return this visitor's work."""
    found: Slots = st.session_state.setdefault("work", Slots())
    return found


def _stop_all(entries: dict[str, OrderedDict[Hashable, Entry]]) -> None:
    for slot in entries.values():
        for entry in slot.values():
            entry.job.cancel()
    entries.clear()


# ---------------------------------------------------------------------- work that starts by itself
def fetch(
    slot: str,
    request: Request,
    *,
    words: str = "",
    draw: Callable[[Job], None] | None = None,
    again: str = "Try again",
    grace: float = GRACE,
) -> Any | None:
    """Return the result of work that starts by itself; None while its progress (or why it failed) stands in for it.

    Other work of the slot that still runs is stopped: what it was for is not on the page any more. ``words`` say what
    is done; ``draw`` shows it running in another way; ``again`` names the button that starts it anew; what ends within
    ``grace`` seconds is not shown running.
    """
    mine = slots()
    entry = mine.get(slot, request.signature)
    for other in mine.all_of(slot):
        if other is not entry and other.busy:
            mine.forget(slot, other.request.signature)
    if entry is None:
        entry = _start(mine, slot, request)
        if entry is None:
            return None
    _wait_briefly(entry, grace)
    if entry.busy:
        watch(slot, entry, draw or (lambda job: draw_progress(job, words)))
        return None
    if entry.outcome is not None:
        say_where_from(entry)
        return entry.outcome
    explain(slot, entry, again)
    return None


def fetch_held(slot: str, request: Request, *, words: str = "") -> Held | None:
    """Return what a private task has told and the `Handle` of what it holds in its worker; else as `fetch` does."""
    summary = fetch(slot, request, words=words)
    entry = slots().get(slot, request.signature)
    return None if summary is None or entry is None else Held(summary, entry.job.handle)


@st.cache_resource(show_spinner=False)
def start_workers() -> threading.Thread:
    """Once a server: start the workers now, as the page asks for a file, which takes its visitor a moment to choose."""
    thread = threading.Thread(target=jobs.warm, args=(LOADED,), name="warm-up", daemon=True)
    thread.start()
    return thread


def running(slot: str) -> bool:
    """Return whether work of the slot waits or runs."""
    return any(entry.busy for entry in slots().all_of(slot))


def compute(mine: Slots, task: Callable[..., Any], *args: Any, lane: str = "short", private: bool = True) -> Any:
    """Run a task for a download and return its result; raises TooBusy, or JobError after `SECONDS`.

    A download is made outside the page's run, so the page hands over its `slots`.
    """
    request = Request(task=task, args=args, signature=object(), private=private, lane=lane)
    entry = mine.start("downloads", request)
    try:
        return entry.job.result(timeout=SECONDS)
    finally:
        mine.forget("downloads", request.signature)


def _start(mine: Slots, slot: str, request: Request) -> Entry | None:
    try:
        return mine.start(slot, request)
    except TooBusy as error:
        st.warning(plain(str(error)), icon=":material/hourglass_top:")
        st.button("Try again", key=f"{slot}:later", icon=":material/refresh:")
        return None


# ---------------------------------------------------------------------- shown
def watch(slot: str, entry: Entry, draw: Callable[[Job], None]) -> None:
    """Show running work with a button that cancels it, renewed several times a second; its end runs the page again."""
    key = f"{slot}:{id(entry)}"

    def look() -> None:
        if entry.job.seconds < SOON:
            _wait_briefly(entry, BETWEEN)
        if not entry.busy:
            st.rerun()
        with st.container(border=True):
            # above what grows: the button and the bar stand where the training was asked for
            with st.container(horizontal=True, vertical_alignment="center"):
                if entry.job.state in ("queued", "running"):
                    st.button("Cancel", key=f"{key}:cancel", icon=":material/stop_circle:", on_click=entry.job.cancel)
                else:
                    st.caption("Stopping; what there is will be shown.")
                if entry.name:
                    st.caption(f"Training with {plain(entry.name)}")
            if entry.job.restarts:
                st.caption(RESTARTED)
            draw(entry.job)

    st.fragment(look, run_every=EVERY)()


def say_where_from(entry: Entry, *, training: bool = False) -> None:
    """Say what a result is that did not come about as usual: from the cache, not kept, or stopped early."""
    if not entry.whole:
        st.caption("Stopped early: this is what there was by then.")
    elif entry.job.cached and training:
        st.caption("From the cache: this was trained before, with the same settings, data and code.")
    if not entry.job.kept:
        st.caption(UNKEPT)


def explain(slot: str, entry: Entry, again: str | None, begin: Callable[[], None] | None = None) -> None:
    """Say why work has no result, and offer it ``again`` where that may help.

    ``begin`` starts it; without it, the work is dropped, and starts by itself when the page runs. Where its data are
    gone, they are read again without a word.
    """
    mine = slots()
    try:
        entry.job.result()
    except DataGone as error:
        mine.forget(slot, entry.request.signature)
        if all([mine.read_again(source) for source in entry.request.sources]):
            st.rerun()
        st.error(plain(str(error)), icon=":material/error:")
        again = "Read again"
    except JobCancelled:
        st.info("Stopped. Change a setting or start it again.", icon=":material/stop_circle:")
    except AecoreError as error:
        st.error(plain(str(error)), icon=":material/error:")
        if isinstance(error, DataError | SettingError) and not isinstance(error, DatasetMissing):
            return  # the same data and settings are refused for the same reason again
    if again is not None:
        st.button(
            again, key=f"{slot}:again", icon=":material/play_arrow:", type="primary",
            on_click=begin or (lambda: mine.forget(slot, entry.request.signature)),
        )  # fmt: skip


def _wait_briefly(entry: Entry, seconds: float) -> None:
    end = time.monotonic() + seconds
    while entry.busy and time.monotonic() < end:
        time.sleep(0.01)


def draw_progress(job: Job, words: str = "") -> None:
    """Draw running work whose progress is {part, progress}: how far, or its place in the queue."""
    latest = job.latest or {}
    if job.state == "queued":
        st.progress(0.0, f"{words or 'Waiting'}: {time_left(job)}")
    else:
        st.progress(latest.get("progress", 0.0), latest.get("part", words or "Starting"))


def time_left(job: Job) -> str:
    """Return how long a job that reports ``progress`` 0..1 will go on, in words."""
    progress = (job.latest or {}).get("progress", 0.0)
    if job.state == "queued":
        place = f"number {job.ahead + 1} in the queue" if job.ahead else "you are next"
        return f"waiting for a free worker, {place}"
    if progress < 0.05:
        return "starting"
    seconds = job.seconds * (1 - progress) / progress
    return f"about {max(1, round(seconds))} s left"
