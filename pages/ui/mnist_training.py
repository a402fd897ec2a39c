"""The visitor's own training on the compression page: settings, fetching, the ten digits as they come."""

import time
from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aecore import jobs
from aecore.concepts import mnist_compression as core
from aecore.concepts import mnist_compression_pictures as pictures
from aecore.data import mnist, mnist_download
from aecore.figures import mnist as figures
from pages.ui import controls, live, narration
from pages.ui.page import in_words
from pages.ui.theme import palette

NAME = "mnist_compression"
TRAINING, FETCHING = "mnist:train", "mnist:fetch"
SOURCES = {"MNIST": pictures.MNIST, "Fashion-MNIST": pictures.FASHION, "Shipped": pictures.SHIPPED}
MEGABYTES = {pictures.MNIST: 12, pictures.FASHION: 31}
LOSSES = {"Cross-entropy": "bce", "Squared error": "mse"}
RATES = {"0.0005": 5e-4, "0.001": 1e-3, "0.002": 2e-3, "0.005": 5e-3, "0.01": 1e-2, "0.1": 1e-1}
PATIENCE = 12.0  # s that a cancelled training is waited for: beyond, its process is gone


class Asked(NamedTuple):
    """A training that the visitor started."""

    network: core.Network
    training: core.Training
    start: core.Start | None = None

    @property
    def key(self) -> str:
        """Where it keeps what it has."""
        return core.key(*self)


@st.fragment
def offer() -> None:
    """Settings and the button that trains with them; nothing else of the page waits while one is moved."""
    with in_words():
        start_button(*settings())


def settings() -> tuple[core.Network, core.Training]:
    """Controls of network and training, and what the network weighs."""
    first, second, third = st.columns(3, gap="large")
    with first:
        source = SOURCES[controls.choice("Pictures", "pictures", list(SOURCES), default="MNIST")]
        kind = controls.choice("Network", "network", list(core.KINDS), default=core.DENSE)
        width = int(controls.choice("Width", "width", [str(w) for w in core.WIDTHS], default="512",
                                    help=narration.text(NAME, "width")))  # fmt: skip
    with second:
        low, high = core.LATENT_RANGE
        latent = controls.slider("Numbers in the code", "latent", low=low, high=high, default=32, step=1,
                                 help=narration.text(NAME, "log2"))  # fmt: skip
        st.button(f"Use the log2 rule: {core.LOG2_RULE}", key="mnist:log2", on_click=_log2, type="tertiary")
        loss = LOSSES[controls.choice("Loss", "objective", list(LOSSES), default="Cross-entropy")]
        seed = controls.number("Seed", "weights_seed", low=0, high=9999, default=0)
    with third:
        low, high = core.EPOCHS_RANGE
        epochs = controls.slider("Epochs", "epochs", low=low, high=high, default=5, step=1)
        batch = controls.select("Batch", "batch", ["32", "64", "128", "256", "512"], default="128")
        rate = RATES[controls.select("Learning rate", "rate", list(RATES), default="0.002")]
    network = core.Network(kind=kind, latent_dim=int(latent), width=width, loss=loss, seed=int(seed))
    training = core.Training(source=source, epochs=int(epochs), batch_size=int(batch), learning_rate=rate)
    weighs = core.cost(network)
    with st.container(horizontal=True):
        st.metric("Parameters", f"{weighs.parameters:,}")
        st.metric("Bytes a digit", weighs.bytes_per_digit, help=narration.text(NAME, "bytes"))
        st.metric("Compression", f"{weighs.ratio:.3g} : 1", help="784 pixels of one byte to one byte a code number")
    return network, training


def _log2() -> None:
    st.session_state["latent"] = core.LOG2_RULE


def start_button(network: core.Network, training: core.Training) -> None:
    """Offer to train on exactly these settings."""
    asked = Asked(network, training)
    running = live.running(TRAINING) or live.running(FETCHING)
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button("Train", key="mnist:ask", type="primary", icon=":material/play_arrow:", disabled=running)
        if not pictures.available(training.source):
            st.caption(f"{mnist.TITLES[training.source]} is not on this machine yet: it is fetched first, "
                       f"{MEGABYTES[training.source]} MB, once.")  # fmt: skip
    if pressed:
        ask(asked)
        st.rerun()


def ask_for_more(asked: Asked, seen: int) -> None:
    """Go on from where a training stands, for as many epochs as the slider says by now."""
    before = asked.training
    more = core.Training(
        source=before.source, epochs=int(st.session_state["epochs"]), batch_size=before.batch_size,
        learning_rate=before.learning_rate,
    )  # fmt: skip
    ask(Asked(asked.network, more, core.Start(asked.key, seen)))


def ask(asked: Asked) -> None:
    live.forget(TRAINING)
    live.forget(FETCHING)
    st.session_state["mnist:asked"] = asked
    st.session_state["mnist:seen"] = 0


def trained() -> tuple[Asked, core.Tree] | None:
    """What the training that was asked for has come to; its panel stands here while it runs."""
    asked: Asked | None = st.session_state.get("mnist:asked")
    if asked is None or not (asked := _with_pictures(asked)):
        return None
    panel = _Panel(asked)
    result = live.work(
        TRAINING, asked, lambda: jobs.submit(core.train, asked.network, asked.training, asked.start), panel.draw,
        again="Train again",
    )  # fmt: skip
    if result is None and not live.running(TRAINING):
        with st.spinner("Keeping what there is …"):
            result = _left_behind(asked)
    return None if result is None else (asked, result)


def _with_pictures(asked: Asked) -> Asked | None:
    """Fetch the pictures where they are missing; where they cannot be had, go on with those that ship."""
    source = asked.training.source
    if pictures.available(source):
        return asked
    live.work(
        FETCHING, source, lambda: jobs.submit(mnist_download.download, source, private=True), _draw_fetching,
        again="Try again",
    )  # fmt: skip
    if live.running(FETCHING):
        return None
    if pictures.available(source):
        st.rerun()
    st.info(narration.text(NAME, "offline"), icon=":material/cloud_off:")
    training = core.Training(
        source=pictures.SHIPPED, epochs=asked.training.epochs, batch_size=min(asked.training.batch_size, 32),
        learning_rate=asked.training.learning_rate,
    )  # fmt: skip
    return Asked(asked.network, training)


def _draw_fetching(job: jobs.Job) -> None:
    latest = job.latest or {"file": "", "bytes": 0, "total": 0, "progress": 0.0}
    done = f"{latest['bytes'] / 1e6:.1f} of {latest['total'] / 1e6:.1f} MB" if latest["total"] else "asking the mirror"
    st.progress(latest["progress"], f"Fetching {latest['file'] or 'the pictures'}: {done}")


def _left_behind(asked: Asked) -> core.Tree | None:
    """What a cancelled training left; it stops within a second, and judges itself before that."""
    held = st.session_state.get("mnist:left")
    if held is not None and held[0] == asked:
        return held[1]
    end, seen = time.monotonic() + PATIENCE, st.session_state.get("mnist:seen", 0)
    while seen:
        tree = core.kept(asked.key)
        if tree is not None and tree["seen"] >= seen:
            st.session_state["mnist:left"] = (asked, tree)
            return tree
        if time.monotonic() > end:
            break
        time.sleep(0.1)
    return None


class _Panel:
    """A running training: how far, how fast, the ten pictures, both curves."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.originals: NDArray[np.uint8] = pictures.watched(asked.training.source)

    def draw(self, job: jobs.Job) -> None:
        """Draw where it stands."""
        steps = job.progress
        if not steps:
            st.progress(0.0, live.time_left(job).capitalize())
            return
        latest = steps[-1]
        st.session_state["mnist:seen"] = latest["seen"]
        speed = f"{latest['images_per_second']:,.0f} images a second"
        st.progress(
            latest["progress"], f"Epoch {latest['epoch']} of {latest['epochs']}, {speed}, {live.time_left(job)}"
        )
        drawn = [step for step in steps if step["frame"] is not None]
        left, right = st.columns([3, 2], gap="large")
        with left:
            pictures_now(self.originals, drawn[-1]["frame"], f"Rebuilt, squared error {drawn[-1]['error']:.4f}")
        with right:
            known = [step for step in drawn if step["loss"] is not None]
            if known:
                per_epoch = latest["seen"] / max(latest["progress"], 1e-9) / latest["epochs"]
                history = {key: [step[key] for step in known] for key in ("loss", "validation")}
                history["epoch"] = [step["seen"] / per_epoch for step in known]
                chart = figures.losses(history, latest["epochs"], palette()).whole
                st.vega_lite_chart(None, chart, width="stretch",
                                   alt=f"Training loss, now {known[-1]['loss']:.4g}")  # fmt: skip


def pictures_now(originals: NDArray[np.uint8], rebuilt: NDArray[np.uint8], label: str) -> None:
    """Originals above, reconstructions below."""
    colours = palette()
    st.html(figures.rows_of_pictures([
        ("In", originals, colours.input), (label, rebuilt, colours.reconstruction),
    ]))  # fmt: skip
