"""What a scrubber's panel refuses: roles without a colour, arrays without numbers, captions that miscount."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aecore.errors import DataError, SettingError

Role = Literal["input", "reconstruction", "lost", "latent", "anomaly", "neutral"]
ROLES: tuple[str, ...] = get_args(Role)


def as_frames(values: ArrayLike, title: str, dimensions: tuple[int, ...]) -> NDArray[np.float32]:
    """Values as finite float32 with one of the allowed numbers of dimensions."""
    array = np.asarray(values, dtype=np.float32)
    if array.ndim not in dimensions or array.size == 0:
        wanted = " or ".join(str(d) for d in dimensions)
        raise DataError(f"The panel {title!r} needs a filled array of {wanted} dimensions, got shape {array.shape}.")
    if not np.isfinite(array).all():
        raise DataError(f"The panel {title!r} cannot draw NaN or infinite values; fill or drop them first.")
    return array


def check_role(role: str) -> None:
    """Raise SettingError for a role that the palette does not have."""
    if role not in ROLES:
        raise SettingError(f"role must be one of {', '.join(ROLES)}, got {role!r}.")


def check_captions(captions: Sequence[str], positions: int, title: str) -> None:
    """Raise DataError where there are captions, but not one for each position."""
    if captions and positions > 1 and len(captions) != positions:
        raise DataError(
            f"The panel {title!r} has {positions} positions but {len(captions)} captions; give one for each."
        )


def check_classes(classes: NDArray[Any], count: int, title: str) -> None:
    """Raise DataError for classes that are not one in 0..255 for each point."""
    if classes.shape != (count,):
        raise DataError(f"The panel {title!r} has {count} points but classes of shape {classes.shape}; give one each.")
    outside = classes[(classes < 0) | (classes > 255)]
    if outside.size:
        raise DataError(f"The panel {title!r} needs classes in 0..255, got {outside[0]}.")
