"""The primer's concepts in their order: each has one page, one text, and what is pre-trained for it.

Page order, navigation, the command ``pretrain``, the README's table of pages and the tests read `CONCEPTS`. A new page
is an entry here, a script in ``pages``, a text in ``assets/text`` and a module or folder beside this file. Functions
are named by strings and loaded when they are used: nothing here imports torch, Streamlit or a concept.
"""

import importlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, cast

from aecore.paths import MODELS, ROOT

Progress = Iterator[dict[str, Any]]


class Pretraining(NamedTuple):
    """One argument of ``aecore pretrain``: its name, its task, and the file that the task writes."""

    name: str
    task: str  # "module:function" below `aecore`
    asset: str = ""  # the file's name without its ending in `aecore.paths.MODELS`; by default, ``name``

    @property
    def file(self) -> str:
        """Name of the file that the task writes."""
        return f"{self.asset or self.name}.safetensors"

    def load(self) -> Callable[[], Progress]:
        """Import the task, a generator of progress."""
        module, function = self.task.split(":")
        return cast(
            Callable[[], Iterator[dict[str, Any]]], getattr(importlib.import_module(f"aecore.{module}"), function)
        )


class Concept(NamedTuple):
    """One page: ``name`` of its text and code, its script from the project's root, icon, and line in the README."""

    name: str
    file: str
    icon: str
    summary: str
    pretraining: tuple[Pretraining, ...] = ()

    @property
    def title(self) -> str:
        """First heading of its text."""
        with (ROOT / "assets" / "text" / f"{self.name}.md").open(encoding="utf-8") as lines:
            return next(lines).removeprefix("# ").strip()


CONCEPTS = (
    Concept(
        "home", "Home.py", ":material/home:",
        "squeeze handwritten digits through *k* numbers, dragging *k*; an autoencoder beside PCA",
        (Pretraining("home", "concepts.home:pretrain"),),
    ),
    Concept(
        "bottleneck", "pages/1_Bottleneck.py", ":material/hourglass:",
        "squeeze signals through *k* numbers with PCA, a linear and a nonlinear autoencoder side by side; your own "
        "recording too",
        (Pretraining("bottleneck", "concepts.bottleneck:pretrain"),),
    ),
    Concept(
        "latent_clusters", "pages/2_Latent_Clusters.py", ":material/bubble_chart:",
        "PCA, an autoencoder and a VAE lay out the same digits, or your CSV or zip of pictures, under one brush; watch "
        "the clusters form",
        (Pretraining("latent_clusters", "concepts.latent_clusters.training:pretrain"),),
    ),
    Concept(
        "vae_morphing", "pages/3_VAE_Morphing.py", ":material/animation:",
        "drag one pointer over a plain autoencoder's and a VAE's latent plane, holes shaded; walk, sample, draw your "
        "own, train your own",
        (
            Pretraining("morphing_shapes", "concepts.vae_morphing.pretrained:pretrain_shapes"),
            Pretraining("morphing_digits", "concepts.vae_morphing.pretrained:pretrain_digits"),
            Pretraining("beta", "concepts.vae_morphing.beta:pretrain"),
            Pretraining("vae20_digits", "concepts.vae_morphing.pretrained:pretrain_wide"),
        ),
    ),
    Concept(
        "variants", "pages/4_Variants.py", ":material/category:",
        "every kind of autoencoder on the same digits, measured over five seeds beside PCA; turn a penalty and watch "
        "the units; two kinds under your own digit",
        (Pretraining("variants", "concepts.variants.training:pretrain"),),
    ),
    Concept(
        "applications", "pages/5_Applications.py", ":material/work:",
        "hire an autoencoder for a job and see it measured beside the obvious alternative: find a fault, clean a "
        "current, bend a flux map by its knobs, find the modes of a drive, and more; each trains live and takes your "
        "own data",
        tuple(
            Pretraining(f"applications_{section}", f"concepts.applications.{section}:pretrain")
            for section in (
                "denoising", "dimensions", "clustering", "anomaly", "interpolation", "generation", "pretraining",
                "conditional",
            )
        ),
    ),
    Concept(
        "mnist_compression", "pages/6_MNIST_Compression.py", ":material/compress:",
        "ten digits through *k* numbers; train, cancel, go on and scrub the film; the same bytes by PCA, JPEG and "
        "WebP; your own digit",
        (Pretraining("mnist", "concepts.mnist_compression.pretrained:pretrain", "mnist_compression"),),
    ),
    Concept(
        "audio_denoising", "pages/7_Audio_Denoising.py", ":material/graphic_eq:",
        "record or upload a phrase, add a fan or a vacuum cleaner, switch between noisy and cleaned without losing the "
        "place, tune the network to your clip",
        (
            Pretraining("denoiser", "audio.pretraining:pretrain"),
            # After the denoiser, which it runs.
            Pretraining("audio", "concepts.audio_denoising.benchmark:pretrain"),
        ),
    ),
    Concept(
        "sensor_anomalies", "pages/8_Sensor_Anomalies.py", ":material/sensors:",
        "upload a log or break a simulated inverter, bearing or office room, choose the normal stretch, drag the "
        "threshold, look closely, take scores, events, a report and the detector",
        (Pretraining("sensors", "concepts.sensor_anomalies.pretrained:pretrain"),),
    ),
    Concept(
        "field_guide", "pages/9_Field_Guide.py", ":material/menu_book:",
        "choose a latent size, tell an autoencoder from PCA, switch on what goes wrong in a training and have your own "
        "history diagnosed, sample, a measured checklist, a glossary",
        (Pretraining("field_guide", "concepts.field_guide.pretrained:pretrain"),),
    ),
)  # fmt: skip
PRETRAINED = {one.name: one for concept in CONCEPTS for one in concept.pretraining}


def read_model_cards() -> dict[str, str]:
    """Return the row of ``assets/models/README.md`` on each file, by the file's name."""
    lines = (MODELS / "README.md").read_text(encoding="utf-8").splitlines()
    return {line.split("`")[1]: line for line in lines if line.startswith("| `")}


def write_table() -> str:
    """Write the README's table of pages."""
    titles = ["Home", *(concept.title for concept in CONCEPTS[1:])]
    rows = [f"| {title} | {concept.summary} |" for title, concept in zip(titles, CONCEPTS, strict=True)]
    return "\n".join(["| page | what you do there |", "| --- | --- |", *rows])
