"""Parts of the Latent clusters page: the visitor's own data, the linked maps, and what a brush has taken."""

from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from aecore import jobs
from aecore.concepts import latent_clusters as clusters
from aecore.concepts.latent_clusters import MACHINES, Brought, ClusterMaps, Collection
from aecore.concepts.latent_clusters import tables as views
from aecore.data.datasets import mnist
from aecore.figures import latent_clusters as figures
from pages.ui import training
from pages.ui.components.scrubber import Points, scrubber
from pages.ui.frame import narration, private, settings
from pages.ui.frame.foreign import plain
from pages.ui.frame.settings import Setting, Unfit
from pages.ui.frame.theme import palette
from pages.ui.inputs import controls
from pages.ui.inputs.uploads import Upload, request_reading, show_notes, upload
from pages.ui.training import work

NAME = "latent_clusters"
READING, LABELLING = "latent_clusters:read", "latent_clusters:label"
MONTAGE = 60  # pictures of a brushed set
UNLABELLED = ""  # no column has an empty name
BRUSH, BRUSHING = "brush", "latent_clusters:brush"


class CodeSource(NamedTuple):
    """Data to lay out, a name for them, and whether they are a visitor's own."""

    signature: object
    data: Collection
    private: bool = False


@st.cache_resource(show_spinner=False)
def shipped_digits() -> Collection:
    return clusters.collection("digits")


def digits() -> CodeSource | None:
    return CodeSource("digits", shipped_digits())


def mnist_digits() -> CodeSource | None:
    if not mnist.present():
        st.info(narration.text(NAME, "no-mnist"), icon=":material/download:")
        return None
    return CodeSource("mnist", _mnist())


@st.cache_resource(show_spinner=False, max_entries=1)
def _mnist() -> Collection:
    data = clusters.collection("mnist")
    return clusters.first(data, clusters.SHOWN_MNIST)


def own() -> CodeSource | None:
    """Return the visitor's table or pictures, once they are read."""
    left, right = st.columns([2, 1], gap="large")
    with left:
        file = upload("A table of vectors, or a zip of pictures", "vectors", help=narration.text(NAME, "own"))
    if file is None:
        st.markdown(narration.text(NAME, "own"))
        return None
    found: Brought | None = work.fetch(READING, request_reading(clusters.read_own, file), words="Reading the file")
    if found is None:
        return None
    with right:
        label = found.label
        if found.columns:  # its default is what the reader found, so that a column which the file has not is no choice
            labels = {UNLABELLED: "(no labels)"} | {column: column for column in found.columns}
            label = controls.select("Labels", "labels", labels, default=found.label)
        if label != found.label:
            found = _relabel(file, label)
        if found is None:
            return None
        show_notes(found.notes)
    return CodeSource(("own", file.fingerprint, label), found.data, private=True)


def _relabel(file: Upload, label: str) -> Brought | None:
    """Return a visitor's data with other labels, from the table that a worker holds; None while that goes on."""
    read = work.slots().get(READING, file.fingerprint)
    request = work.Request(
        task=clusters.label_own, args=(file.name, read.job.handle if read else None, label),
        signature=(file.fingerprint, label), lane="short", private=True, source=READING,
    )  # fmt: skip
    found: Brought | None = work.fetch(LABELLING, request, words="Reading the column")
    return found


def escape_names(data: Collection) -> Collection:
    """Return data whose classes, named by a visitor's file, may stand in Markdown."""
    return data._replace(names=tuple(plain(name) for name in data.names))


# ---------------------------------------------------------------------- the maps
@private.cache(max_entries=4)
def _table(signature: object, _made: ClusterMaps, _data: Collection) -> Any:
    table = views.point_table(_made, _data)
    pictures = _data.pictures()
    if pictures is not None:
        table["image"] = figures.data_urls(pictures, scale=max(1, 64 // pictures.shape[1]))
    return table


class _Brushing(NamedTuple):
    """A brush as a link, a prompt or the page set it last; the visitor's own is drawn in the browser."""

    signature: object  # of the maps that it belongs to
    moves: int  # of the setting, from outside the maps
    turn: int  # maps of another turn are new to the browser and hold no brush of the visitor's
    given: views.Ranges


def linked_maps(signature: object, made: ClusterMaps, data: Collection) -> np.ndarray:
    """Draw the maps; return the rows that are brushed, none where nothing is."""
    setting = _brush_setting()
    before = settings.value(setting)
    now = _last_brush(signature, before)
    table = _table(signature, made, data)
    if now.given:
        table = table.assign(linked=np.isin(np.arange(len(table)), views.find_brushed(made.maps, now.given)))
    chart = figures.maps(table, MACHINES, data.names, palette())
    event = st.vega_lite_chart(
        None, chart.whole, width="stretch", on_select="rerun", selection_mode=figures.BRUSH, key=_chart_key(now.turn),
        alt=figures.MAP_WORDS,
    )  # fmt: skip
    drawn = figures.brushed(event.selection) if event else {}
    drawn_before = st.session_state.get(f"{BRUSHING}:drawn") == now.turn
    st.session_state[f"{BRUSHING}:drawn"] = now.turn if drawn else None
    if drawn_before and not drawn and now.given:  # the visitor cleared the brush: the maps forget the link's as well
        settings.put({BRUSH: {}})
        st.rerun()
    # what the link will hold, to the same digit, so that whoever opens it sees the same rows
    ranges = views.brush_from_text(views.brush_to_text(drawn)) if drawn else now.given
    settings.keep(setting, ranges)
    return views.find_brushed(made.maps, ranges) if ranges else np.array([], np.int64)


def _last_brush(signature: object, value: views.Ranges) -> _Brushing:
    """Return the brush that was set last; it stays while another is drawn, for maps with new rows would lose that."""
    moves = settings.moves(BRUSH)
    known: _Brushing | None = st.session_state.get(BRUSHING)
    if known is not None and known.moves == moves and known.signature != signature:
        value = {}  # nobody has asked for a brush on these maps
    same = known is not None and (known.signature, known.moves) == (signature, moves)
    if known is None or not same or _chart_key(known.turn) not in st.session_state:
        known = _Brushing(signature, moves, known.turn + 1 if known else 1, value)
        st.session_state[BRUSHING] = known
    return known


def _chart_key(turn: int) -> str:
    return f"maps:{turn}"


def _brush_setting() -> Setting[views.Ranges]:
    def read(texts: list[str]) -> views.Ranges:
        found = views.brush_from_text(texts[0]) if len(texts) == 1 else {}
        if not found:
            raise Unfit("it takes a map and four numbers, as in pca:-1:1:0:2")
        return found

    return Setting(key=BRUSH, label="the brush", default={}, read=read, write=views.brush_to_text)


def brushed_set(data: Collection, rows: np.ndarray) -> None:
    """Draw pictures and counts of the brushed rows."""
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


def forming(made: ClusterMaps, data: Collection) -> None:
    """Draw the codes through training, under a handle."""
    count = made.history[clusters.PCA].shape[1]
    kinds = None if data.labels is None else data.labels[:count]
    panels = [Points(title=name, values=made.history[name], classes=kinds) for name in MACHINES]
    scrubber(
        panels, label="Epoch", key="epoch", values=made.epochs, default=len(made.epochs) - 1, height=260, columns=3
    )


def numbers(made: ClusterMaps) -> None:
    """Draw the measures, PCA's first."""
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


def worst(made: ClusterMaps, data: Collection, machine: str) -> None:
    """Draw the samples that a machine rebuilds worst, over their reconstructions."""
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


def draw_forming(job: jobs.Job) -> None:
    """Draw a running training: its loss, and the codes as they are now."""
    loss, codes = st.columns([3, 2], gap="large")
    with loss:
        training.draw_training(job)
    if job.latest:
        now = job.latest
        chart = figures.forming(now["codes"], now["labels"], palette())
        codes.altair_chart(chart, width="stretch", alt=f"Codes of the {now['part']} after epoch {now['epoch']}")
