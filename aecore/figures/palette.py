"""What the colours mean, in both themes; told apart by lightness and dash too, for red-green colour blindness."""

from typing import NamedTuple


class Palette(NamedTuple):
    """One colour a role, and ten for classes."""

    input: str
    reconstruction: str
    latent: str
    anomaly: str
    normal: str  # the stretch that the visitor vouches for
    quiet: str  # rules, captions, what was lost
    classes: tuple[str, ...]  # apart by lightness as well as hue; beyond ten they begin again

    def of_class(self, label: int) -> str:
        """Colour of a class by its place among the classes."""
        return self.classes[label % len(self.classes)]


def _classes(codes: str) -> tuple[str, ...]:
    return tuple(f"#{code}" for code in codes.split())


LIGHT = Palette(
    "#C8323C", "#0E9F86", "#6A4FC8", "#C27C00", "#7A8CA8", "#6B7280",
    _classes("2F6FBF E07B00 14804A C8323C 7D4FC4 8A5A3C D357A6 5B6570 9A9200 0AA3B5"),
)  # fmt: skip
DARK = Palette(
    "#FF6B6B", "#2EC4A6", "#A78BFA", "#F5B041", "#8FA3C0", "#9CA3AF",
    _classes("6FA8FF FFB454 52D08A FF7B7B B79BFF D0A184 FF94D2 B4BDC8 D9D04A 4FD8E6"),
)  # fmt: skip
