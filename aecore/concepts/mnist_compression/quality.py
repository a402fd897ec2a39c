"""How good a rebuilt picture is: squared error, its logarithm, and structural similarity; pixels in 0..1."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

WINDOW = 7  # pixels, square
K1, K2 = 0.01, 0.03  # of Wang et al.: they keep the quotients tame where a window is flat
CLEAN = 1e-10  # squared error below which a picture counts as equal: its PSNR would have no bound

Array = NDArray[np.floating]


class PictureQuality(NamedTuple):
    """Means over pictures: ``mse``; ``psnr`` in dB; ``ssim`` in -1..1, 1 being equal."""

    mse: float
    psnr: float
    ssim: float


def squared_error(x: Array, y: Array) -> NDArray[np.float64]:
    """Mean squared error of each picture, [N, H, W] twice -> [N]."""
    return np.square(x.astype(np.float64) - y).mean((1, 2))


def psnr(x: Array, y: Array) -> NDArray[np.float64]:
    """Peak signal-to-noise ratio of each picture in dB, ``-10 log10 MSE`` as the peak is 1; [N]."""
    return -10 * np.log10(np.maximum(squared_error(x, y), CLEAN))


def ssim(x: Array, y: Array) -> NDArray[np.float64]:
    """Structural similarity of each picture, mean over windows of 7 x 7 that lie whole inside; [N].

    ``(2 m_x m_y + c1)(2 v_xy + c2) / ((m_x^2 + m_y^2 + c1)(v_x + v_y + c2))`` with sample variances and c = (K L)^2,
    L = 1. Wang, Bovik, Sheikh & Simoncelli, *IEEE Transactions on Image Processing* 13 (2004); here every pixel of a
    window weighs the same.
    """
    a, b = x.astype(np.float64), y.astype(np.float64)

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        edge = WINDOW // 2
        smooth: NDArray[np.float64] = uniform_filter(values, size=(1, WINDOW, WINDOW))
        return smooth[:, edge:-edge, edge:-edge]

    count = WINDOW**2
    mean_a, mean_b, unbiased = mean(a), mean(b), count / (count - 1)
    var_a, var_b = unbiased * (mean(a * a) - mean_a**2), unbiased * (mean(b * b) - mean_b**2)
    shared = unbiased * (mean(a * b) - mean_a * mean_b)
    c1, c2 = K1**2, K2**2
    similar = (2 * mean_a * mean_b + c1) * (2 * shared + c2)
    return (similar / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))).mean((1, 2))


def quality(x: Array, y: Array) -> PictureQuality:
    """Means of all three over pictures [N, H, W]."""
    return PictureQuality(float(squared_error(x, y).mean()), float(psnr(x, y).mean()), float(ssim(x, y).mean()))
