"""What a section of the Applications page is, and what all sections share: their order, own files, own networks.

A section is a module beside this one with a function ``section() -> Application``; it is imported when it is opened, so
nobody waits for the seven others. Its words stand in ``assets/text/applications.md``, each under a heading that begins
with the module's name ("denoising-hired").
"""

import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aecore import export
from aecore.concepts.applications import measured
from aecore.concepts.applications.measured import Table
from aecore.figures import tables
from aecore.jobs import Task
from pages.ui import training
from pages.ui.frame import narration, settings
from pages.ui.frame.downloads import Download, take_it_with_you
from pages.ui.frame.page import existing, in_words, why
from pages.ui.inputs import controls
from pages.ui.inputs.uploads import upload
from pages.ui.training import work
from pages.ui.training.work import Request

NAME = "applications"
SECTIONS = {
    "anomaly": "anomaly detection",
    "denoising": "denoising",
    "dimensions": "dimension reduction",
    "pretraining": "pre-training",
    "generation": "generation",
    "interpolation": "interpolation",
    "clustering": "clustering",
    "conditional": "conditional VAE",
}  # id in the link, which is also the module -> name
BUILTIN, OWN = "builtin", "own"
SHOWN = {BUILTIN: "as it ships", OWN: "trained here"}


@dataclass(frozen=True, kw_only=True)
class OwnFile:
    """A visitor's file in a section: the place where it is chosen, and the task that reads it.

    Attributes
    ----------
    title, label : of the place, and of the file chooser.
    key : the file's setting.
    task : of `aecore.jobs`, takes the file's name and bytes.
    show : draws what stands in the place once the file is read, given its fingerprint and what the task gave.
    """

    title: str
    label: str
    key: str
    task: Task
    show: Callable[[str, Any], None]


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
    tables : which of `measured.read` are shown, in this order.
    own : the visitor's file, where the section takes one.
    onwards : names of pages that go on from here.
    """

    title: str
    show: Callable[[Any], None]
    scene: Sequence[str]
    prompts: Mapping[str, Mapping[str, Any]]
    tables: Sequence[str]
    own: OwnFile | None = None
    onwards: Sequence[str] = ()


def open_section(name: str) -> None:
    """Draw one section from its title to its end."""
    section: Application = importlib.import_module(f"{__package__}.{name}").section()
    st.header(section.title)
    st.markdown(_text(name, "hired"))
    asked_for, figure = st.container(), st.container()
    brought = None
    if section.own is not None:
        with in_words():
            brought = _own_file(name, section.own, asked_for)
    with figure:
        section.show(brought)
    st.subheader("Measured against", divider="gray")
    st.markdown(_text(name, "verdict"))
    made = measured.read(name)
    for table in (made[key] for key in section.tables):
        st.html(tables.table(*table.cells()))
        st.caption(origin(table))
    st.subheader("In code", divider="gray")
    st.markdown(_text(name, "code"))
    controls.try_this(prompts(name, section))
    why(name, lambda: st.markdown(_text(name, "why")))
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
def _own_file(name: str, own: OwnFile, asked_for: DeltaGenerator) -> Any | None:
    """Draw the place for a visitor's file; returns what was read from it, or None.

    What a link says of a file goes to ``asked_for``, where it is seen before the figure, and the place is open then.
    """
    words = _text(name, "upload")
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


def own_network(
    name: str,
    key: str,
    request: Callable[[], Request],
    *,
    keys: Sequence[str],
    label: str = "Network",
    title: str = "Train it here",
    shown: Mapping[str, str] = SHOWN,
    wide: bool = False,
) -> ShownNetwork:
    """Draw the place where a visitor trains what the section shows, and return what is to be shown.

    ``key`` is the setting that chooses between the built-in one and the visitor's, ``keys`` those of the training's
    other controls, which ``request`` draws. The place is open where a link names one of them or one is not at its
    default; while it is closed, nobody waits for widgets that nobody sees. ``wide``: as wide as the page, so that its
    controls fit beside one another.
    """
    used = any(settings.differs(each) or settings.named_by_link(each) for each in (key, *keys))
    box = _fold(title, f"{key}:box", opened=used)
    with box:
        if not (box.open or used):
            return ShownNetwork(None, f"{label}: {shown[BUILTIN]}.")
        left, right = st.columns([1, 2], gap="large") if wide else (nullcontext(), nullcontext())
        with left:
            which = controls.choice(label, key, shown, default=BUILTIN)
        with right:
            asked = request()
        made = training.train(f"{NAME}:{name}", asked, words=_text(name, "train"), shown_by={key: OWN})
    if which == BUILTIN:
        return ShownNetwork(None, f"{label}: {shown[BUILTIN]}.")
    if made is None:
        return ShownNetwork(None, f"{label}: {shown[BUILTIN]}, until {shown[OWN]} with these settings.")
    early = "" if made.whole else ", stopped early"
    return ShownNetwork(made.value, f"{label}: {shown[OWN]} ({settings.describe(asked.settings)}){early}.")


def _fold(title: str, key: str, *, opened: bool) -> Any:
    """Return a fold that opens by itself when ``opened`` becomes true, and else is as the visitor left it."""
    before = f"{key}:opened"
    if opened and not (st.session_state.get(before) and key in st.session_state):
        st.session_state[key] = True
    st.session_state[before] = opened
    return st.expander(title, icon=":material/model_training:", key=key, on_change="rerun")


# ---------------------------------------------------------------------- words
def _text(name: str, part: str) -> str:
    return narration.text(NAME, f"{name}-{part}")


def origin(table: Table) -> str:
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
