"""A closer look at the two maps: a walk, samples and grid, the visitor's drawing, beta, and the noise in z."""

import base64
import html
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from aecore import export
from aecore.concepts import vae_morphing as morphing
from aecore.concepts.vae_morphing import LatentPlane, Morphing
from aecore.concepts.vae_morphing import reparameterisation as noise
from aecore.concepts.vae_morphing.beta import ASSET as BETA_RUNS
from aecore.concepts.vae_morphing.pictures import resize
from aecore.figures import vae_morphing as figures
from pages.ui.components import cloud, latent_pad, networks
from pages.ui.components.latent_pad import Mark, Pad, Position
from pages.ui.components.scrubber import Images, scrubber
from pages.ui.components.sketch import sketch
from pages.ui.frame import narration, settings
from pages.ui.frame.downloads import Download
from pages.ui.frame.theme import palette
from pages.ui.inputs import controls
from pages.ui.vae_morphing import Look
from pages.ui.vae_morphing.beta import balance

if TYPE_CHECKING:
    import pandas as pd

NAME = "vae_morphing"
WALK, SAMPLING, DRAW, NOISE, BETA = "walk", "samples", "draw", "noise", "beta"
LABELS = {WALK: "Walk", SAMPLING: "Samples and grid", DRAW: "Draw your own", NOISE: "Noise in z", BETA: "β"}
POINTER, PIN_A, PIN_B = "pointer", "pin_a", "pin_b"  # ends of a walk that are places; pins are settings, too
PLACES = {POINTER: "The pointer", PIN_A: "Pin A", PIN_B: "Pin B"}
PINS = {PIN_A: (-2.0, 0.0), PIN_B: (2.0, 0.0)}
DRAWING = "own"
STEPS, IN_STRIP = 33, 9
GRID, SAMPLES = 12, 24
DRAWS = 256


def sections() -> dict[str, Callable[[Morphing, Position], Look]]:
    """Return the closer looks that there are, by their ids."""
    found = {WALK: walk, SAMPLING: samples, DRAW: draw, NOISE: noisy}
    return found | ({BETA: balance} if BETA_RUNS.is_file() else {})


# ---------------------------------------------------------------------- walk
def walk(made: Morphing, at: Position) -> Look:
    """Walk from one picture or place to another, straight and spherical on both maps, beside a pixel cross-fade."""
    options = {name: name for name in made.names} | PLACES
    pins = {key: _pin(key) for key in PINS}
    left, right, buttons = st.columns([2, 2, 3], gap="large", vertical_alignment="bottom")
    with left:
        start = controls.select("From", "walk_from", options, default=made.names[0])
    with right:
        end = controls.select("To", "walk_to", options, default=made.names[-1])
    with buttons.container(horizontal=True):
        for key in PINS:
            st.button(
                f"{PLACES[key]} to the pointer", key=f"{key}:put", on_click=settings.put, args=({key: Position(*at)},)
            )
    walks, paths = {}, {}
    for plane in (made.vae, made.plain):
        ends = [_end(made, plane, chosen, at, pins) for chosen in (start, end)]
        walks[plane.name] = morphing.walk(plane, *ends, STEPS)
        paths[plane.name] = [walks[plane.name].straight, walks[plane.name].spherical]
    vae, plain = walks[made.vae.name], walks[made.plain.name]
    rows = {
        "VAE, straight": vae.straight_images, "VAE, spherical": vae.spherical_images,
        "Plain, straight": plain.straight_images, "Cross-fade": _crossfade(made, vae, start, end),
    }  # fmt: skip
    captions = {
        "VAE, straight": _captions(made, made.vae, vae.straight),
        "VAE, spherical": _captions(made, made.vae, vae.spherical),
        "Plain, straight": _captions(made, made.plain, plain.straight),
    }
    panels = [
        Images(title=name, frames=frames, role="reconstruction", captions=captions.get(name, ()))
        for name, frames in rows.items()
    ]
    scrubber(panels, label="Step", key="step", default=STEPS // 2, height=150, columns=4, autoplay=True)
    strip = np.concatenate([frames[:: (STEPS - 1) // (IN_STRIP - 1)] for frames in rows.values()])
    _show(figures.mosaic(strip, IN_STRIP), f"Strips of the walk, a row each: {', '.join(rows)}")
    st.caption(f"From top to bottom: {', '.join(rows)}.")
    wide = [figures.grey(frames, enlarged=112 // made.shape[0]) for frames in rows.values()]
    film = np.concatenate([np.concatenate(wide, axis=2), np.concatenate(wide, axis=2)[::-1]])  # there and back
    return Look({}, paths, [
        Download("Strips", "walk.png", lambda: export.png(figures.mosaic(strip, IN_STRIP)), "image/png"),
        Download("Animation", "walk.gif", lambda: export.gif(film, seconds=5), "image/gif"),
    ])  # fmt: skip


def _pin(key: str) -> Position:
    """Return where a pin stands."""
    setting = latent_pad.position_setting(key, PLACES[key], morphing.SPAN, PINS[key])
    return settings.keep(setting, settings.value(setting))


def _example(made: Morphing, name: str) -> np.ndarray | None:
    """Return the first real picture of a class; None where the name is of none."""
    if name not in made.names:
        return None
    return made.examples[made.example_labels == made.names.index(name)][0]


def _end(made: Morphing, plane: LatentPlane, chosen: str, at: Position, pins: dict[str, Any]) -> np.ndarray:
    image = _example(made, chosen)
    if image is not None:
        return morphing.encode(plane, image[None]).mu[0]
    return np.array(pins.get(chosen, at), np.float32)


def _crossfade(made: Morphing, vae: morphing.Walk, start: str, end: str) -> np.ndarray:
    """Real pictures faded into each other where both ends are real, decoded ones elsewhere: [S, H, W]."""
    ends = [_example(made, start), _example(made, end)]
    first, last = (
        decoded if image is None else resize(image[None], made.shape)[0]
        for image, decoded in zip(ends, (vae.straight_images[0], vae.straight_images[-1]), strict=True)
    )
    t = np.linspace(0, 1, STEPS)[:, None, None]
    return first * (1 - t) + last * t


def _captions(made: Morphing, plane: LatentPlane, codes: np.ndarray) -> list[str]:
    return ["hole" if s > 1 else "plausible" for s in morphing.distance_to_data(plane, codes, made.span)]


# ---------------------------------------------------------------------- samples and grid
def samples(made: Morphing, _: Position) -> Look:
    """Random codes of the standard normal decoded, and the whole plane as a grid, for both networks."""
    seed = int(controls.slider("Seed of the samples", "sampled", low=0, high=99, default=0, step=1))
    sheets = {}
    for column, plane in zip(st.columns(2, gap="large"), (made.plain, made.vae), strict=True):
        codes, images = morphing.samples(plane, SAMPLES, seed)
        grid = morphing.grid(plane, GRID).reshape(-1, *made.shape)
        sheets[plane.name] = figures.mosaic(grid, GRID)
        odd = int((morphing.distance_to_data(plane, codes, made.span) > 1).sum())
        with column:
            st.markdown(f"**{plane.name}**: {SAMPLES} samples of the standard normal, {odd} of them in a hole")
            _show(figures.mosaic(images, SAMPLES // 2), f"{SAMPLES} samples of the {plane.name}")
            st.markdown("The plane, in equal steps of probability")
            _show(sheets[plane.name], f"Grid of {GRID} by {GRID} pictures decoded by the {plane.name}")
    return Look({}, {}, [
        Download(f"Grid: {name}", f"grid-{name.split()[0].lower()}.png",
                 lambda sheet=sheet: export.png(sheet), "image/png")
        for name, sheet in sheets.items()
    ])  # fmt: skip


def _show(sheet: np.ndarray, words: str) -> None:
    """A sheet of pictures in the reconstruction's ink; ``words`` for those who do not see it."""
    picture = base64.b64encode(export.png(figures.inked(sheet, palette().reconstruction))).decode()
    style = "width:100%;image-rendering:pixelated"
    st.html(f'<img alt="{html.escape(words)}" style="{style}" src="data:image/png;base64,{picture}">')


# ---------------------------------------------------------------------- the visitor's drawing
def draw(made: Morphing, _: Position) -> Look:
    """A drawing is encoded: mean and spread on the maps, what both networks make of it beside it."""
    left, right = st.columns([1, 2], gap="large")
    what = "Draw a digit" if len(made.names) == 10 else "Draw a filled or outlined figure"
    with left:
        options = {DRAWING: "Your drawing"} | {name: name for name in made.names}
        taken = controls.select("Draw, or take one", "taken", options, default=DRAWING)
        image = _example(made, taken)
        if image is None:
            image = sketch(key="drawing", label=what, centred=len(made.names) == 10)
    if image is None:
        right.markdown(narration.text(NAME, "draw"))
        return Look({}, {}, [])
    marks, told = {}, []
    pictures = [resize(image[None], made.shape)[0]]
    for plane in (made.plain, made.vae):
        code = morphing.encode(plane, image[None])
        mu, sigma = code.mu[0], code.sigma[0]
        marks[plane.name] = Mark((float(mu[0]), float(mu[1])), (float(sigma[0]), float(sigma[1])))
        pictures.append(code.reconstruction[0])
        spread = f", σ = ({sigma[0]:.2f}, {sigma[1]:.2f})" if sigma.any() else ""
        told.append(f"**{plane.name}**: μ = ({mu[0]:.2f}, {mu[1]:.2f}){spread}")
    with right:
        st.markdown("What went in, and what the plain autoencoder and the VAE make of it")
        st.image([figures.inked(figures.grey(p[None], enlarged=160 // made.shape[0])[0], colour)
                  for p, colour in zip(pictures, (palette().input, *[palette().reconstruction] * 2), strict=True)],
                 caption=["input", "plain autoencoder", "VAE"], width=160)  # fmt: skip
        st.markdown("  \n".join(told))
    return Look(marks, {}, [])


# ---------------------------------------------------------------------- the noise in z
def noisy(made: Morphing, _: Position) -> Look:
    """Mean and spread under three handles, the cloud of z, and how gradients reach both."""
    name = controls.select("A picture to rebuild", "rebuilt", list(made.names), default=made.names[0])
    image = _example(made, name)
    code = morphing.encode(made.vae, image[None])
    limits = [np.clip(code.mu[0], -3, 3), np.clip(code.sigma[0], cloud.LEAST, 3)]
    own = cloud.Gaussian(*(tuple(round(float(v), cloud.DECIMALS) for v in pair) for pair in limits))
    pad = Pad(title=made.vae.name, decoder=made.vae.decoder, codes=made.vae.codes, labels=made.vae.labels,
              names=made.names)  # fmt: skip
    eps = np.random.default_rng(0).standard_normal((DRAWS, 2)).astype(np.float32)
    held = cloud.cloud(pad, eps, key="cloud", span=made.span, default=own, shape=made.shape, within=(name, own))
    found = gradients(networks.name_of(made.vae.decoder), name, held, made.vae, image)
    st.markdown(narration.text(NAME, "noise"))
    table = gradient_table(found)
    st.dataframe(table, hide_index=True, width="stretch")
    return Look({}, {}, [Download("Gradients", "gradients.csv", lambda: export.csv(table))])


@st.cache_data(show_spinner=False, max_entries=50)
def gradients(
    network: str, picture: str, held: cloud.Gaussian, _plane: LatentPlane, _image: np.ndarray
) -> noise.Gradients:
    """Measured anew only where the handles were left somewhere else; network and picture go by name."""
    image = resize(_image[None], morphing.shape_of(_plane))[0]
    return noise.gradients(_plane.decoder, image, np.array(held.mu), np.array(held.sigma), draws=DRAWS)


def gradient_table(found: noise.Gradients) -> "pd.DataFrame":
    """A row each way to the gradient: mean over the draws ± standard error, for mu and sigma."""
    import pandas as pd

    root = DRAWS**0.5
    rows = []
    for way in (noise.MOVED, noise.DIFFERENCES, noise.SCORE, noise.BLOCKED):
        row = {"way": way}
        for part, by in (("μ", found.mu[way]), ("σ", found.sigma[way])):
            for n, axis in enumerate("xy"):
                row[f"∂loss/∂{part} {axis}"] = f"{by.mean[n]:.1f} ± {by.spread[n] / root:.1f}"
        rows.append(row)
    return pd.DataFrame(rows)
