"""Parts of the Latent clusters page: the visitor's own data, the linked maps, and what a brush has taken."""

from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from aecore import jobs
from aecore.concepts import latent_clusters as clusters
from aecore.concepts import latent_clusters_views as views
from aecore.concepts.latent_clusters import MACHINES, Clusters, Collection
from aecore.data import mnist
from aecore.figures import latent_clusters as figures
from pages.ui import controls, link, live, narration
from pages.ui.scrubber import Points, scrubber
from pages.ui.theme import palette
from pages.ui.uploads import upload

NAME = "latent_clusters"
READING = "latent_clusters:read"
MONTAGE = 60  # pictures of a brushed set
NONE = "(no labels)"
LINKED, BRUSHED = "latent_clusters:linked", "latent_clusters:brushed"


class Source(NamedTuple):
    """Data to lay out, a name for them, and whether they are a visitor's own."""

    signature: object
    data: Collection
    private: bool = False


@st.cache_resource(show_spinner=False)
def shipped_digits() -> Collection:
    return clusters.collection("digits")


def digits() -> Source | None:
    return Source("digits", shipped_digits())


def mnist_digits() -> Source | None:
    if not mnist.present():
        st.info(narration.text(NAME, "no-mnist"), icon=":material/download:")
        return None
    return Source("mnist", _mnist())


@st.cache_resource(show_spinner=False, max_entries=1)
def _mnist() -> Collection:
    data = clusters.collection("mnist")
    return clusters.first(data, clusters.SHOWN_MNIST)


def own() -> Source | None:
    """The visitor's table or pictures, once they are read."""
    left, right = st.columns([2, 1], gap="large")
    with left:
        file = upload("A table of vectors, or a zip of pictures", "vectors", help=narration.text(NAME, "own"))
    if file is None:
        st.markdown(narration.text(NAME, "own"))
        return None
    asked = st.session_state.get("labels") or st.query_params.get("labels")
    label = "" if asked == NONE else asked
    name = (file.fingerprint, label)

    def start() -> jobs.Job:
        return jobs.submit(clusters.read_own, file.name, file.data, label, lane="short", private=True)

    found = live.work(READING, name, start, lambda _: st.progress(0.0, "Reading …"))
    if found is None:
        return None
    data, columns, label, notes = found
    with right:
        if columns:
            controls.select("Labels", "labels", [NONE, *columns], default=label or NONE)
        with st.popover(f"What was done to the file ({len(notes)})", width="stretch"):
            st.markdown("\n".join(f"- {link.plain(note)}" for note in notes))
    return Source(("own", *name), data, private=True)


# ---------------------------------------------------------------------- the maps
@st.cache_data(show_spinner=False, max_entries=4, scope="session")
def _table(signature: object, _made: Clusters, _data: Collection) -> Any:
    table = views.point_table(_made, _data)
    pictures = _data.pictures()
    if pictures is not None:
        table["image"] = figures.data_urls(pictures, scale=max(1, 64 // pictures.shape[1]))
    return table


def linked_maps(signature: object, made: Clusters, data: Collection) -> np.ndarray:
    """Draw the maps; returns the rows that are brushed, none where nothing is."""
    state = st.session_state
    if state.get(LINKED, (None, {}))[0] != signature:
        state[LINKED] = (signature, views.brush_from_text(st.query_params.get("brush", "")))
    linked = state[LINKED][1]  # kept while a brush is drawn: a chart whose rows change would lose it
    table = _table(signature, made, data)
    if linked:
        table = table.assign(linked=np.isin(np.arange(len(table)), views.chosen(made.maps, linked)))
    chart = figures.maps(table, MACHINES, data.names, palette())
    event = st.vega_lite_chart(
        None, chart.whole, width="stretch", on_select="rerun", selection_mode=figures.BRUSH, key="maps",
        alt=figures.MAP_WORDS,
    )  # fmt: skip
    ranges = figures.brushed(event.selection) if event else {}
    put_away = state.get(BRUSHED, False) and not ranges
    state[BRUSHED] = bool(ranges)
    if ranges:
        link.carry("brush", views.brush_to_text(ranges))
    elif put_away:
        link.carry("brush", None)
        state[LINKED] = (signature, {})
        if linked:  # the maps have to forget it too
            st.rerun()
    else:
        ranges = linked
    return views.chosen(made.maps, ranges) if ranges else np.array([], np.int64)


def brushed_set(data: Collection, rows: np.ndarray) -> None:
    """Montage and counts of what was brushed."""
    left, right = st.columns([3, 2], gap="large")
    pictures = data.pictures()
    with left:
        st.markdown(f"**{len(rows):,} brushed**" + (f", {MONTAGE} of them" if len(rows) > MONTAGE else ""))
        if pictures is not None:
            some = rows[np.unique(np.linspace(0, len(rows) - 1, MONTAGE).astype(int))] if len(rows) > MONTAGE else rows
            sheet = figures.montage(pictures[some], palette().input, per_row=15, scale=max(1, 32 // pictures.shape[1]))
            st.image(sheet, width="stretch")
        else:
            st.dataframe(data.x[rows[:MONTAGE]], height=220)
    with right:
        st.markdown("**Of each kind**")
        st.altair_chart(figures.class_counts(views.counts(data, rows), palette()), width="stretch",
                        alt="Bars: how many of the brushed data are of each kind")  # fmt: skip


def forming(made: Clusters, data: Collection) -> None:
    """The codes through training, under a handle."""
    count = made.history[clusters.PCA].shape[1]
    kinds = None if data.labels is None else data.labels[:count]
    panels = [Points(title=name, values=made.history[name], classes=kinds) for name in MACHINES]
    scrubber(
        panels, label="Epoch", key="epoch", values=made.epochs, default=len(made.epochs) - 1, height=260, columns=3
    )


def numbers(made: Clusters) -> None:
    """The measures, PCA's first."""
    st.dataframe(
        views.measure_table(made), hide_index=True, width="stretch",
        column_config={
            "machine": "Machine",
            "knn": st.column_config.NumberColumn("10-NN accuracy", format="%.3f"),
            "silhouette": st.column_config.NumberColumn("Silhouette", format="%.3f"),
            "trustworthiness": st.column_config.NumberColumn("Trustworthiness", format="%.3f"),
            "purity": st.column_config.NumberColumn("k-means purity", format="%.3f"),
            "error": st.column_config.NumberColumn("Squared error", format="%.4f"),
        },
    )  # fmt: skip


def worst(made: Clusters, data: Collection, machine: str) -> None:
    """What a machine rebuilds worst, over what it makes of it."""
    rows = made.worst[machine]
    st.markdown(views.worst_in_words(made, data, machine))
    pictures = data.pictures()
    if pictures is None:
        st.dataframe(views.point_table(made, data).iloc[rows], hide_index=True)
        return
    rebuilt = made.rebuilt[machine].reshape(-1, *pictures.shape[1:])
    scale = max(1, 48 // pictures.shape[1])
    for images, ink in ((pictures[rows], palette().input), (rebuilt, palette().reconstruction)):
        st.image(figures.montage(images, ink, per_row=len(rows), scale=scale), width="stretch")


def forming_panel(job: jobs.Job) -> None:
    """A running training: its loss, and the codes as they are now."""
    loss, codes = st.columns([3, 2], gap="large")
    with loss:
        live.training_panel(job)
    if job.latest:
        now = job.latest
        chart = figures.forming(now["codes"], now["labels"], palette())
        codes.altair_chart(chart, width="stretch", alt=f"Codes of the {now['part']} after epoch {now['epoch']}")
