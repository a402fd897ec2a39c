"""What the colours mean, in both themes; told apart by lightness and dash too, for red-green colour blindness."""

from typing import NamedTuple


class Palette(NamedTuple):
    """One colour a role."""

    input: str
    reconstruction: str
    latent: str
    anomaly: str
    normal: str  # the stretch that the visitor vouches for
    quiet: str  # rules, captions, what was lost


LIGHT = Palette("#C8323C", "#0E9F86", "#6A4FC8", "#C27C00", "#7A8CA8", "#6B7280")
DARK = Palette("#FF6B6B", "#2EC4A6", "#A78BFA", "#F5B041", "#8FA3C0", "#9CA3AF")
