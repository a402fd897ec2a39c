"""Sound: spectrograms, a network that removes noise from speech, its classical peers, and measures of quality.

``SpeechDenoiser`` is imported when it is first asked for, since it needs torch.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aecore.audio.denoiser import SpeechDenoiser

__all__ = ["SpeechDenoiser"]


def __getattr__(name: str) -> Any:
    if name == "SpeechDenoiser":
        from aecore.audio.denoiser import SpeechDenoiser

        return SpeechDenoiser
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
