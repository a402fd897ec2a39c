"""A section of the Applications page: its parts in their order, a visitor's file and network, and shared sentences.

A section is a module beside this one with a function ``declare() -> Application``; it is imported when it is opened, so
that the seven others cost no time. Its texts stand in ``assets/text/applications.md``, each under a heading that begins
with the module's name ("denoising-hired").
"""

import functools
import importlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aecore import export
from aecore.concepts.applications import comparisons
from aecore.concepts.applications.comparisons import ComparisonTable
from aecore.figures import tables
from aecore.jobs import Task
from aecore.numerics.threads import one_thread
from pages.ui import training
from pages.ui.frame import narration, settings
from pages.ui.frame.downloads import Download, take_it_with_you
from pages.ui.frame.foreign import plain
from pages.ui.frame.page import existing, fragment, in_words, why
from pages.ui.inputs import controls
from pages.ui.inputs.uploads import upload
from pages.ui.training import work
from pages.ui.training.work import Request

NAME = "applications"
# By id in the link, which is also the module: the name.
SECTIONS = {
    "anomaly": "anomaly detection",
    "denoising": "denoising",
    "dimensions": "dimension reduction",
    "pretraining": "pre-training",
    "generation": "generation",
    "interpolation": "interpolation",
    "clustering": "clustering",
    "conditional": "conditional VAE",
}
BUILTIN, OWN = "builtin", "own"
SHOWN = {BUILTIN: "as it ships", OWN: "trained here"}
# Texts of every section, by the end of their headings; a section with a visitor's file has "upload" too.
TEXTS = ("hired", "verdict", "code", "why", "train")


@dataclass(frozen=True, kw_only=True)
class OwnFile:
    """A visitor's file in a section: the place where it is chosen, and the task that reads it.

    Attributes
    ----------
    title, label : of the place, and of the file chooser.
    key : the file's setting.
    task : of `aecore.jobs`, takes the file's name and bytes.
    show : draws what stands in the place once the file is read, given its fingerprint and what the task gave; without
        it, the notes on how it was read.
    """

    title: str
    label: str
    key: str
    task: Task
    show: Callable[[str, Any], None] = lambda _fingerprint, read: draw_notes(read["notes"])


class TrainingControl(NamedTuple):
    """One control of a training: a slider over low..high in whole numbers, or a choice between ``options``."""

    label: str
    key: str
    default: Any
    low: int = 0
    high: int = 0
    step: int = 1
    options: Mapping[str, str] | None = None

    def draw(self) -> Any:
        """Draw the control and return its value."""
        if self.options is not None:
            return controls.choice(self.label, self.key, self.options, default=self.default)
        found = controls.slider(
            self.label, self.key, low=self.low, high=self.high, default=self.default, step=self.step
        )
        return int(found)


def _same(*args: Any) -> tuple[Any, ...]:
    return args


@dataclass(frozen=True, kw_only=True)
class OwnTraining:
    """A visitor's training in a section: its controls, and the task of `aecore.jobs` that trains.

    Attributes
    ----------
    key : the setting that chooses between the built-in network and the visitor's.
    task : is given what `own_network` is given, and the controls' values.
    controls : drawn in the place of the training.
    scene : keys of the figure's settings that the training depends on.
    args : turns what the task is given into its arguments, where these differ.
    label, title : of the choice, and of the place.
    names : of the built-in network and of the visitor's.
    wide : whether the place is as wide as the page, so that its controls fit beside one another.
    """

    key: str
    task: Task
    controls: Sequence[TrainingControl]
    scene: Sequence[str] = ()
    args: Callable[..., tuple[Any, ...]] = _same
    label: str = "Network"
    title: str = "Train it here"
    names: Mapping[str, str] = field(default_factory=lambda: SHOWN)
    wide: bool = False

    def request(self, given: Sequence[Any]) -> Request:
        """Draw the controls and return what is asked for."""
        args = self.args(*given, *(control.draw() for control in self.controls))
        keys = (control.key for control in self.controls)
        return Request(task=self.task, args=args, signature=args, settings=(*self.scene, *keys))


@dataclass(frozen=True, kw_only=True)
class Application:
    """One application.

    Attributes
    ----------
    title : its heading.
    show : draws controls and figure; takes what was read from the visitor's file, or None.
    scene : keys of the settings that its figure shows. A prompt puts those that it does not name to their defaults, so
        that it shows the same whatever was there before.
    prompts : values of settings by prompt.
    tables : which of `comparisons.read` are shown, in this order.
    own : the visitor's file, where the section takes one.
    onwards : names of pages that go on from here.
    texts : of the section alone, beside `TEXTS`.
    """

    title: str
    show: Callable[[Any], None]
    scene: Sequence[str]
    prompts: Mapping[str, Mapping[str, Any]]
    tables: Sequence[str]
    own: OwnFile | None = None
    onwards: Sequence[str] = ()
    texts: Sequence[str] = ()

    @property
    def parts(self) -> tuple[str, ...]:
        """The ends of the headings of all texts that the section says."""
        return (*TEXTS, *(("upload",) if self.own is not None else ()), *self.texts)


def figure(draw: Callable[[Any], None]) -> Callable[[Any], None]:
    """Decorate a section's ``show``: a fragment of the page whose linear algebra keeps to one thread."""

    @functools.wraps(draw)
    def run(own: Any) -> None:
        with one_thread():
            draw(own)

    return fragment(run)


def open_section(name: str) -> None:
    """Draw one section from its title to its end."""
    section: Application = importlib.import_module(f"{__package__}.{name}").declare()
    st.header(section.title)
    st.markdown(text(name, "hired"))
    asked_for, figure = st.container(), st.container()
    brought = None
    if section.own is not None:
        with in_words():
            brought = _read_own_file(name, section.own, asked_for)
    with figure:
        section.show(brought)
    st.subheader("Measured against", divider="gray")
    st.markdown(text(name, "verdict"))
    made = comparisons.read(name)
    for table in (made[key] for key in section.tables):
        st.html(tables.table(*table.cells()))
        st.caption(origin(table))
    st.subheader("In code", divider="gray")
    st.markdown(text(name, "code"))
    controls.try_this(prompts(name, section))
    why(name, lambda: st.markdown(text(name, "why")))
    take_it_with_you([
        Download(f"Table: {key}", f"{name}-{key}.csv", lambda table=table: export.csv(table.frame()))
        for key, table in made.items()
    ])  # fmt: skip
    _onwards(section.onwards)


def prompts(name: str, section: Application) -> dict[str, dict[str, Any]]:
    """Return what each prompt sets: the section, and all of its scene."""
    scene = {"application": name} | dict.fromkeys(section.scene, settings.DEFAULT)
    return {prompt: scene | dict(values) for prompt, values in section.prompts.items()}


# ---------------------------------------------------------------------- a visitor's file
def _read_own_file(name: str, own: OwnFile, asked_for: DeltaGenerator) -> Any | None:
    """Draw the place for a visitor's file; returns what was read from it, or None.

    What a link says of a file goes to ``asked_for``, where it is seen before the figure, and the place is open then.
    """
    words = text(name, "upload")
    asked = bool(settings.current(own.key, ""))
    with st.expander(own.title, icon=":material/upload_file:", expanded=asked):
        file = upload(own.label, own.key, help=words, ask_in=asked_for, where=f'under "{own.title}" below')
        if file is None:
            st.markdown(words)
            return None
        request = Request(
            task=own.task, args=(file.name, file.data), signature=file.fingerprint, lane="short", private=True,
            isolated=True, keep=1,
        )  # fmt: skip
        read = work.fetch(reading(name), request, words="Reading the file")
        if read is not None:
            own.show(file.fingerprint, read)
        return read


def reading(name: str) -> str:
    """Return the slot that reads a section's file."""
    return f"{NAME}:{name}:own"


# ---------------------------------------------------------------------- a visitor's network
class ShownNetwork(NamedTuple):
    """What a section's figure shows: what the visitor's training gave, or None for the built-in one; and in words."""

    trained: Any | None
    words: str


def own_network(name: str, asked: OwnTraining, *given: Any) -> ShownNetwork:
    """Draw the place where a visitor trains what the section shows, and return what is to be shown.

    ``given`` are the arguments of the task that the figure sets. The place is open where a link names one of its
    settings or one is not at its default; while it is closed, its widgets cost no time.
    """
    label, key, names = asked.label, asked.key, asked.names
    used = any(
        settings.differs(each) or settings.named_by_link(each) for each in (key, *(c.key for c in asked.controls))
    )
    box = _fold(asked.title, f"{key}:box", opened=used)
    with box:
        if not (box.open or used):
            return ShownNetwork(None, f"{label}: {names[BUILTIN]}.")
        left, right = st.columns([1, 2], gap="large") if asked.wide else (nullcontext(), nullcontext())
        with left:
            which = controls.choice(label, key, names, default=BUILTIN)
        with right:
            request = asked.request(given)
        made = training.train(f"{NAME}:{name}", request, words=text(name, "train"), shown_by={key: OWN})
    if which == BUILTIN:
        return ShownNetwork(None, f"{label}: {names[BUILTIN]}.")
    if made is None:
        return ShownNetwork(None, f"{label}: {names[BUILTIN]}, until {names[OWN]} with these settings.")
    early = "" if made.whole else ", stopped early"
    return ShownNetwork(made.value, f"{label}: {names[OWN]} ({settings.describe(request.settings)}){early}.")


def _fold(title: str, key: str, *, opened: bool) -> Any:
    """Return a fold that opens by itself when ``opened`` becomes true, and else is as the visitor left it."""
    before = f"{key}:opened"
    if opened and not (st.session_state.get(before) and key in st.session_state):
        st.session_state[key] = True
    st.session_state[before] = opened
    return st.expander(title, icon=":material/model_training:", key=key, on_change="rerun")


# ---------------------------------------------------------------------- sentences
def draw_notes(notes: Sequence[str]) -> None:
    """Draw how a visitor's file was read, a line each."""
    st.markdown("\n".join(f"- {plain(note)}" for note in notes))


def list_values(
    values: Mapping[str, float], form: str, notes: Mapping[str, str] | None = None, *, unit: str = ""
) -> str:
    """Return "name value, name value" with the largest in bold, and notes on some in brackets."""
    best = max(values, key=lambda name: values[name])
    parts = {name: f"{name} {format(value, form)}{unit}" for name, value in values.items()}
    parts[best] = f"**{parts[best]}**"
    return ", ".join(part + (f" ({notes[name]})" if notes and name in notes else "") for name, part in parts.items())


def text(name: str, part: str) -> str:
    """Return one of a section's texts."""
    return narration.text(NAME, f"{name}-{part}")


def origin(table: ComparisonTable) -> str:
    """Return where a table's numbers come from."""
    seeds = f"{table.seeds[0]} to {table.seeds[-1]}"
    return (
        f"Mean ± standard deviation over {len(table.seeds)} seeds ({seeds}), made by `{table.script}` "
        f"as of `{table.version}`."
    )


def _onwards(names: Sequence[str]) -> None:
    """Draw links to the pages that go on from here, of those that exist."""
    pages = [page for page in existing() if page.name in names]
    if pages:
        with st.container(horizontal=True):
            for page in pages:
                st.page_link(page.file, label=narration.text(page.name, "title"), icon=page.icon)
