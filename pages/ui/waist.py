"""The Bottleneck's panels under the scrubber: the machines' curves, and a network whose waist is as narrow as k."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pages.ui.scrubber import Curves, Line, Panel

LAYERS = 5  # input, hidden, code, hidden, output
FIBRES, SAMPLES = 9, 41
Array = NDArray[np.float32]


def machine_panels(shown: Array, frames: Mapping[str, Array]) -> list[Panel]:
    """Input [L] and reconstructions [K, L] of each machine, on one scale."""
    everything = np.concatenate([shown, *(f.ravel() for f in frames.values())])
    low, high = float(everything.min()), float(everything.max())
    room = 0.06 * (high - low) or 1.0
    variance = float(((shown - shown.mean()) ** 2).sum()) or 1.0
    return [
        Curves(
            title=name,
            lines=[Line(values=shown, role="input"), Line(values=f, role="reconstruction")],
            y_range=(low - room, high + room),
            captions=[f"{share:.1%} lost" for share in ((f - shown) ** 2).sum(1) / variance],
        )
        for name, f in frames.items()
    ]


def network_panel(widest: int, largest: int) -> Panel:
    """Draw fibres from ``widest`` numbers through k and back; logarithmic, so that 1 and 256 both can be seen."""
    k = np.arange(largest + 1)
    hidden = round((widest * largest) ** 0.5)
    sides = np.full_like(k, widest), np.full_like(k, hidden)
    layers = np.log1p(np.stack([*sides, k, *sides[::-1]], axis=1)) / np.log1p(widest)  # (K, 5)
    at = np.linspace(0, LAYERS - 1, SAMPLES)
    left = np.minimum(at.astype(int), LAYERS - 2)
    share = 0.5 - 0.5 * np.cos(np.pi * (at - left))  # flat at each layer
    width = layers[:, left] * (1 - share) + layers[:, left + 1] * share  # (K, SAMPLES)
    fibres = [Line(values=y * width, role="latent", label="network") for y in np.linspace(-1, 1, FIBRES)]
    captions = [f"{widest} → {n} → {widest}" for n in k]
    return Curves(title="The network", lines=fibres, y_range=(-1.05, 1.05), captions=captions)
