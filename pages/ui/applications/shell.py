"""What a section of the Applications page is, and how each one begins and ends.

A section is a module beside this one with a function ``section() -> Section``; it is imported when it is opened, so
nobody waits for the seven others. Its words stand in ``assets/text/applications.md``, each under a heading that begins
with the section's own name ("denoising-hired").
"""

import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import streamlit as st

from aecore import export
from aecore.concepts.applications import measured
from aecore.concepts.applications.measured import Table
from aecore.figures import tables
from pages.ui import controls, narration
from pages.ui.downloads import Download, take_it_with_you
from pages.ui.page import existing, why

SECTIONS = {
    "anomaly detection": "anomaly",
    "denoising": "denoising",
    "dimension reduction": "dimensions",
    "pre-training": "pretraining",
    "generation": "generation",
    "interpolation": "interpolation",
    "clustering": "clustering",
    "conditional VAE": "conditional",
}  # name in the link -> module


class Section(NamedTuple):
    """One job: what it is hired for, the machine, what it was measured against, its code, and where to go next."""

    title: str
    hired: str  # two sentences
    show: Callable[[], None]  # controls and figure
    tables: Sequence[str]  # which of `measured.read` are shown, in this order
    verdict: str  # what the tables say, also where something else wins
    code: str  # the core call that does it, as Markdown
    why: str
    prompts: dict[str, dict[str, Any]]
    onwards: Sequence[str] = ()  # names of pages that go on from here


def available() -> list[str]:
    """Names of the sections that are there."""
    return [name for name, module in SECTIONS.items() if importlib.util.find_spec(f"{__package__}.{module}")]


def open_section(name: str) -> None:
    """Draw one section from its title to its end."""
    module = SECTIONS[name]
    section: Section = importlib.import_module(f"{__package__}.{module}").section()
    st.header(section.title)
    st.markdown(section.hired)
    section.show()
    st.subheader("Measured against", divider="gray")
    st.markdown(section.verdict)
    made = measured.read(module)
    for table in (made[key] for key in section.tables):
        st.html(tables.table(*table.cells()))
        st.caption(origin(table))
    st.subheader("In code", divider="gray")
    st.markdown(section.code)
    controls.try_this({prompt: {"section": name} | settings for prompt, settings in section.prompts.items()})
    why(module, lambda: st.markdown(section.why))
    take_it_with_you([
        Download(f"Table: {key}", f"{module}-{key}.csv", lambda table=table: export.csv(table.frame()))
        for key, table in made.items()
    ])  # fmt: skip
    _onwards(section.onwards)


@contextmanager
def training(label: str, choice: str, default: Any, *, popover: bool = False) -> Iterator[bool]:
    """A folded place for a training's controls, the first of which is ``choice``.

    False while it is closed and the choice stands at its default: then nobody waits for widgets that nobody sees.
    """
    kind = {"width": "stretch"} if popover else {}
    fold = st.popover if popover else st.expander
    box = fold(label, icon=":material/model_training:", key=f"{choice}:box", on_change="rerun", **kind)
    asked = choice in st.query_params or st.session_state.get(choice, default) != default
    with box:
        yield bool(box.open) or asked


def origin(table: Table) -> str:
    """Where a table's numbers come from."""
    seeds = f"{table.seeds[0]} to {table.seeds[-1]}"
    return (
        f"Mean ± standard deviation over {len(table.seeds)} seeds ({seeds}), made by `{table.script}` "
        f"as of `{table.version}`."
    )


def _onwards(names: Sequence[str]) -> None:
    """Links to the pages that go on from here, of those that exist."""
    pages = [page for page in existing() if page.name in names]
    if pages:
        with st.container(horizontal=True):
            for page in pages:
                st.page_link(page.file, label=narration.text(page.name, "title"), icon=page.icon)
