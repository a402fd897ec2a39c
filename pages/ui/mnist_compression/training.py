"""The visitor's own training on the compression page: its settings, the panel, and the ten pictures as they come."""

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aecore.concepts import mnist_compression as core
from aecore.concepts.mnist_compression import pictures
from aecore.data.datasets import drawn_digits
from aecore.figures import mnist as figures
from aecore.jobs import Job
from pages.ui import training
from pages.ui.frame import narration, settings
from pages.ui.frame.theme import palette
from pages.ui.inputs import controls
from pages.ui.training import TrainedResult, work
from pages.ui.training.work import Request

NAME = "mnist_compression"
TRAINING = "mnist:train"
SOURCES = {pictures.MNIST: "MNIST", pictures.FASHION: "Fashion-MNIST", pictures.SHIPPED: "Shipped"}
MEGABYTES = {pictures.MNIST: 12, pictures.FASHION: 31}
LOSSES = {"bce": "Cross-entropy", "mse": "Squared error"}
RATES = ("0.0005", "0.001", "0.002", "0.005", "0.01", "0.1")
BATCHES = ("32", "64", "128", "256", "512")
DEFAULTS: dict[str, Any] = {
    "pictures": pictures.MNIST, "network": core.DENSE, "width": "512", "latent": 32, "objective": "bce",
    "weights_seed": 0, "epochs": 5, "batch": "128", "rate": "0.002",
}  # fmt: skip

Tree = core.Tree


def choose() -> tuple[core.CompressionNetwork, core.CompressionTraining]:
    """Draw the controls of network and training, and what the network costs; return what they are set to."""
    first, second, third = st.columns(3, gap="large")
    with first:
        source = controls.choice("Pictures", "pictures", SOURCES, default=DEFAULTS["pictures"])
        kind = controls.choice("Network", "network", core.KINDS, default=DEFAULTS["network"])
        width = int(controls.choice("Width", "width", [str(w) for w in core.WIDTHS], default=DEFAULTS["width"],
                                    help=narration.text(NAME, "width")))  # fmt: skip
    with second:
        low, high = core.LATENT_RANGE
        latent = controls.slider("Numbers in the code", "latent", low=low, high=high, default=DEFAULTS["latent"],
                                 step=1, help=narration.text(NAME, "log2"))  # fmt: skip
        st.button(f"Use the log2 rule: {core.LOG2_RULE}", key="mnist:log2", type="tertiary",
                  on_click=settings.put, args=({"latent": core.LOG2_RULE},))  # fmt: skip
        loss = controls.choice("Loss", "objective", LOSSES, default=DEFAULTS["objective"])
        seed = controls.number("Seed", "weights_seed", low=0, high=9999, default=DEFAULTS["weights_seed"])
    with third:
        low, high = core.EPOCHS_RANGE
        epochs = controls.slider("Epochs", "epochs", low=low, high=high, default=DEFAULTS["epochs"], step=1)
        batch = controls.select("Batch", "batch", BATCHES, default=DEFAULTS["batch"])
        rate = float(controls.select("Learning rate", "rate", RATES, default=DEFAULTS["rate"]))
    network = core.CompressionNetwork(kind=kind, latent_dim=int(latent), width=width, loss=loss, seed=int(seed))
    costs = core.cost(network)
    with st.container(horizontal=True):
        st.metric("Parameters", f"{costs.parameters:,}")
        st.metric("Bytes a digit", costs.bytes_per_digit, help=narration.text(NAME, "bytes"))
        st.metric("Compression", f"{costs.ratio:.3g} : 1", help="784 pixels of one byte to one byte a code number")
    return network, core.CompressionTraining(
        source=source, epochs=int(epochs), batch_size=int(batch), learning_rate=rate
    )


def train(network: core.CompressionNetwork, chosen: core.CompressionTraining) -> TrainedResult | None:
    """Offer the training, show it running, and return its result for exactly these settings."""
    here = pictures.available(chosen.source)

    def request(*start: Tree) -> Request:
        return Request(
            task=core.train, args=(network, chosen, *start), signature=(network, chosen), settings=tuple(DEFAULTS),
            private=not here,  # so that no cache keeps what was trained on other pictures where these cannot be had
        )  # fmt: skip

    made = training.train(
        TRAINING, request(), words=_offer(chosen.source, here), draw=lambda job: draw(job, chosen.source),
        go_on=lambda result: request(core.start_of(result)), mark="digits_trained",
    )  # fmt: skip
    if made is not None and made.value["offline"]:
        st.info(narration.text(NAME, "offline"), icon=":material/cloud_off:")
        st.button("Try the download again", key=f"{TRAINING}:download", icon=":material/refresh:",
                  on_click=training.start, args=(TRAINING, request()))  # fmt: skip
    return made


def _offer(source: str, here: bool) -> str:
    words = narration.text(NAME, "train")
    if here:
        return words
    return f"{words} {SOURCES[source]}, {MEGABYTES[source]} MB, is downloaded before the first training, once."


def draw(job: Job, source: str) -> None:
    """Draw a running training: the download, then how far and how fast, the ten pictures, both curves."""
    steps = [step for step in job.progress if "epoch" in step]
    if not steps:
        _draw_download(job)
        return
    latest = steps[-1]
    speed = f"{latest['images_per_second']:,.0f} images a second"
    st.progress(latest["progress"], f"Epoch {latest['epoch']} of {latest['epochs']}, {speed}, {work.time_left(job)}")
    drawn = [step for step in steps if step["frame"] is not None]
    left, right = st.columns([3, 2], gap="large")
    with left:
        draw_pictures(_originals(steps, source), drawn[-1]["frame"], f"Rebuilt, squared error {drawn[-1]['error']:.4f}")
    with right:
        known = [step for step in drawn if step["loss"] is not None]
        if known:
            per_epoch = latest["seen"] / max(latest["progress"], 1e-9) / latest["epochs"]
            history = {key: [step[key] for step in known] for key in ("loss", "validation")}
            history["epoch"] = [step["seen"] / per_epoch for step in known]
            chart = figures.losses(history, latest["epochs"], palette()).whole
            st.vega_lite_chart(None, chart, width="stretch", alt=f"Training loss, now {known[-1]['loss']:.4g}")


def _draw_download(job: Job) -> None:
    latest = job.latest
    if latest is None or "bytes" not in latest:
        st.progress(0.0, work.time_left(job).capitalize())
        return
    done = f"{latest['bytes'] / 1e6:.1f} of {latest['total'] / 1e6:.1f} MB" if latest["total"] else "asking the mirror"
    st.progress(latest["progress"], f"Downloading {latest['file'] or 'the pictures'}: {done}")


def _originals(steps: list[dict[str, Any]], source: str) -> NDArray[np.uint8] | None:
    """Return the ten pictures that go in; those of Fashion-MNIST lie where it was downloaded, and not here."""
    sent: NDArray[np.uint8] | None = next((s["watched"] for s in steps if s.get("watched") is not None), None)
    if sent is None and source != pictures.FASHION:
        return drawn_digits.load()
    return sent


def draw_pictures(originals: NDArray[np.uint8] | None, rebuilt: NDArray[np.uint8], label: str) -> None:
    """Draw originals, where they are known, above their reconstructions."""
    colours = palette()
    above = [] if originals is None else [("In", originals, colours.input)]
    st.html(figures.rows_of_pictures([*above, (label, rebuilt, colours.reconstruction)]))
