"""Flux maps of synchronous machines: which flux linkage every pair of currents makes, with saturation on both axes.

The currents are given by the fluxes, which makes the family easy to write down and free of losses:

    i_d + i_f = (1 + |psi_d / s_d|^S + c |psi_q / s_q|^2) psi_d / L_d
    i_q       = (1 + |psi_q / s_q|^T) psi_q / L_q + c psi_q psi_d^2 / (L_d s_q^2)

after Hinkkanen, Pescetto, Moelsae, Saarakkala, Pellegrino & Bojoi (2017), "Sensorless self-commissioning of synchronous
reluctance motors at standstill without rotor locking", IEEE Trans. Ind. Appl. 53(3): L are the inductances without
saturation, s the fluxes at the knee, S and T how sharp it is, c the cross-coupling, and i_f stands for the magnets,
seen from the d axis. Both are slopes of one stored energy, so d i_d / d psi_q = d i_q / d psi_d.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.data.simulators.recording import seeded, within
from aecore.errors import DataError

Array = NDArray[np.float64]

D_POINTS, Q_POINTS = 16, 8  # of the grid: -1..1 on d, 0..1 on q, for psi_q is odd in i_q and psi_d even
STEPS = 20  # of Newton's method
POLE_PAIRS = 4


class Machines(NamedTuple):
    """Parameters of N machines, [N] each, per unit of rated current (1) and of the voltage-free flux at it."""

    inductance_d: Array  # without saturation
    inductance_q: Array
    knee_d: Array
    knee_q: Array
    sharpness_d: Array
    sharpness_q: Array
    coupling: Array
    magnets: Array  # i_f, the current on d that would make the magnets' flux


@dataclass(frozen=True, kw_only=True)
class Family:
    """Ranges that machines are drawn from; saliency is L_q / L_d, magnets is i_f."""

    inductance: tuple[float, float] = (0.3, 0.6)  # L_d
    saliency: tuple[float, float] = (1.1, 4.0)
    knee: tuple[float, float] = (0.45, 0.95)
    sharpness: tuple[float, float] = (2.0, 6.0)
    coupling: tuple[float, float] = (0.0, 0.5)
    magnets: tuple[float, float] = (0.2, 1.6)
    hole: tuple[float, float] | None = None  # of saliencies that are left out

    def __post_init__(self) -> None:
        for name in ("inductance", "saliency", "knee", "sharpness", "magnets"):
            low, high = getattr(self, name)
            within(name, low, 1e-3, 100)
            within(name, high, low, 100)

    def draw(self, count: int, seed: int) -> Machines:
        """Draw machines evenly from the ranges, all parameters independent."""
        seeded(seed)
        rng = np.random.default_rng(seed)
        inductance = rng.uniform(*self.inductance, count)
        saliency = rng.uniform(*self.saliency, count)
        if self.hole is not None:
            low, high = self.hole
            inside = (saliency > low) & (saliency < high)
            while inside.any():
                saliency[inside] = rng.uniform(*self.saliency, int(inside.sum()))
                inside = (saliency > low) & (saliency < high)
        return Machines(
            inductance, inductance * saliency,
            rng.uniform(*self.knee, count), rng.uniform(*self.knee, count),
            rng.uniform(*self.sharpness, count), rng.uniform(*self.sharpness, count),
            rng.uniform(*self.coupling, count), rng.uniform(*self.magnets, count),
        )  # fmt: skip


def grid() -> tuple[Array, Array]:
    """Currents i_d [16] in -1..1 and i_q [8] in 0..1, per unit."""
    return np.linspace(-1, 1, D_POINTS), np.linspace(0, 1, Q_POINTS)


def currents(machines: Machines, psi_d: Array, psi_q: Array) -> tuple[Array, Array]:
    """Return (i_d, i_q) for fluxes [N, ...]; the equations stand at the top."""
    m = Machines(*(p.reshape(-1, *[1] * (psi_d.ndim - 1)) for p in machines))
    d, q = psi_d / m.knee_d, psi_q / m.knee_q
    i_d = (1 + np.abs(d) ** m.sharpness_d + m.coupling * q**2) * psi_d / m.inductance_d - m.magnets
    cross = m.coupling * psi_d**2 / (m.inductance_d * m.knee_q**2)
    i_q = (1 + np.abs(q) ** m.sharpness_q) * psi_q / m.inductance_q + cross * psi_q
    return i_d, i_q


def maps(machines: Machines) -> Array:
    """Flux maps [N, 2, 16, 8], psi_d and psi_q over `grid`, by Newton's method."""
    i_d, i_q = np.meshgrid(*grid(), indexing="ij")  # (16, 8)
    shape = (len(machines.magnets), *i_d.shape)
    psi_d, psi_q = np.full(shape, 0.1), np.zeros(shape)
    for _ in range(STEPS):
        now_d, now_q = currents(machines, psi_d, psi_q)
        off_d, off_q = i_d - now_d, i_q - now_q
        dd, dq, qq = _slopes(machines, psi_d, psi_q)
        det = dd * qq - dq**2
        step_d, step_q = (qq * off_d - dq * off_q) / det, (dd * off_q - dq * off_d) / det
        shorter = np.minimum(1.0, 0.2 / np.maximum(np.hypot(step_d, step_q), 1e-12))  # far away, powers overshoot
        psi_d, psi_q = psi_d + shorter * step_d, psi_q + shorter * step_q
    return np.stack([psi_d, psi_q], axis=1)


def _slopes(machines: Machines, psi_d: Array, psi_q: Array) -> tuple[Array, Array, Array]:
    """Return (d i_d / d psi_d, d i_d / d psi_q, d i_q / d psi_q): the energy's second derivatives."""
    m = Machines(*(p[:, None, None] for p in machines))
    d, q = np.abs(psi_d / m.knee_d), np.abs(psi_q / m.knee_q)
    dd = (1 + (m.sharpness_d + 1) * d**m.sharpness_d + m.coupling * q**2) / m.inductance_d
    dq = 2 * m.coupling * psi_d * psi_q / (m.inductance_d * m.knee_q**2)
    qq = (1 + (m.sharpness_q + 1) * q**m.sharpness_q) / m.inductance_q
    return dd, dq, qq + m.coupling * psi_d**2 / (m.inductance_d * m.knee_q**2)


def torque(flux: Array, *, pole_pairs: int = POLE_PAIRS) -> Array:
    """``T = 1.5 p (psi_d i_q - psi_q i_d)`` of maps [..., 2, 16, 8] over `grid`: [..., 16, 8].

    In N m where the maps are in Wb and the grid in A; per unit otherwise.
    """
    if flux.shape[-3:] != (2, D_POINTS, Q_POINTS):
        raise DataError(f"Flux maps are [..., 2, {D_POINTS}, {Q_POINTS}], got {flux.shape}; bring them to the grid.")
    i_d, i_q = np.meshgrid(*grid(), indexing="ij")
    return 1.5 * pole_pairs * (flux[..., 0, :, :] * i_q - flux[..., 1, :, :] * i_d)
