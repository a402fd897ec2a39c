"""Where the sound comes from: the clip that ships, the microphone or a file; and the noise that is added to it."""

from typing import Any, NamedTuple
from urllib.parse import urlsplit

import streamlit as st

from aecore.concepts import audio_denoising as concept
from aecore.concepts.audio_denoising import NoiseSettings
from aecore.data.readers import uploads
from aecore.errors import DataError
from aecore.jobs import Handle
from pages.ui.frame import narration, settings
from pages.ui.inputs import controls
from pages.ui.inputs.uploads import MAX_MEGABYTES, Upload, request_reading, upload
from pages.ui.training import work

NAME = "audio_denoising"
CLIP, MICROPHONE, FILE = "clip", "microphone", "file"
VOICES = {CLIP: "The clip that ships", MICROPHONE: "Your microphone", FILE: "A file"}
OWN_NOISE, NO_NOISE = "own", "none"
NOISES = {
    "gaussian": "Gaussian", "fan": "Fan", "vacuum": "Vacuum cleaner", "hum": "Mains hum", "babble": "Babble",
    OWN_NOISE: "Your own recording",
}  # fmt: skip
WITH_NONE = {NO_NOISE: "None"} | NOISES
READING, READING_NOISE = SLOTS = "audio:read", "audio:read-noise"
MICROPHONE_RATE = 48_000  # Hz, what sound cards record at anyhow; the network's band ends below half of 16 kHz
LOUDEST, SOFTEST, SNR, SNR_STEP = -5.0, 20.0, 5.0, 1.0  # dB: from a voice drowned in noise to a whisper of it
MAX_SEED = 99


class SoundSource(NamedTuple):
    """A sound, the noise to add, and what names both; ``sound`` is None for the built-in clip.

    A visitor's recordings, ``sound`` and ``own``, lie in the worker that read them.
    """

    sound: Handle | None
    mixing: NoiseSettings
    own: Handle | None
    signature: tuple[Any, ...]
    settings: tuple[str, ...]  # keys of what is chosen beside the sound

    @property
    def private(self) -> bool:
        """Whether something of the visitor's is in it."""
        return self.sound is not None or self.own is not None

    @property
    def training(self) -> tuple[Any, ...]:
        """What names a training: sound and kind of noise; levels and seeds are drawn anew for every mix."""
        return (self.signature[0], self.mixing.noise, self.signature[-1])


def choose(voice: str) -> SoundSource | None:
    """Draw what the voice needs, and the noise; None until both are there."""
    sound, name = None, None
    if voice != CLIP:
        taken = microphone("Say a phrase", "spoken") if voice == MICROPHONE else file("A recording", "sound")
        sound = None if taken is None else _read(taken, READING)
        if taken is None or sound is None:
            return None
        name = taken.fingerprint
    # two controls, since their defaults differ: a visitor's recording comes with a noise of its own
    options, key, default = (NOISES, "spoil", "fan") if sound is None else (WITH_NONE, "add", NO_NOISE)
    kind = controls.select("Noise to add", key, options, default=default, help=narration.text(NAME, "noise"))
    if kind == NO_NOISE:
        return SoundSource(sound, NoiseSettings(noise="none"), None, (name, "none"), (key,))
    own = _own_noise() if kind == OWN_NOISE else None
    snr = controls.slider(
        "Voice over noise, dB", "snr", low=LOUDEST, high=SOFTEST, default=SNR, step=SNR_STEP,
        help="At 0 dB the noise is as loud as the voice, at -5 dB three times its power.",
    )  # fmt: skip
    seed = _another()
    if kind == OWN_NOISE and own is None:
        return None
    mixing = NoiseSettings(noise=kind, snr=snr, seed=seed)  # type: ignore[arg-type]  # one of its literals
    return SoundSource(sound, mixing, None if own is None else own[1], (name, mixing, own and own[0]), (key,))


def file(label: str, key: str) -> Upload | None:
    """File chooser."""
    return upload(label, key, help=narration.text(NAME, "upload"))


def microphone(label: str, key: str) -> Upload | None:
    """Recorder; what was recorded stays for the session, across pages."""
    if not secure(st.context.url):
        st.warning(narration.text(NAME, "insecure"), icon=":material/mic_off:")
    kept = f"{key}:kept"

    def keep_recording() -> None:
        taken = st.session_state[key]
        data = b"" if taken is None else taken.getvalue()
        st.session_state[kept] = Upload("The recording", data, uploads.fingerprint(data)) if data else None

    st.audio_input(
        label, key=key, sample_rate=MICROPHONE_RATE, help=narration.text(NAME, "microphone"), on_change=keep_recording
    )
    recorded: Upload | None = st.session_state.get(kept)
    if recorded is not None and len(recorded.data) > MAX_MEGABYTES * 10**6:
        raise DataError(
            f"The recording has {len(recorded.data) / 10**6:.0f} MB and this page takes {MAX_MEGABYTES}; "
            "record a shorter one."
        )
    return recorded


def secure(url: str | None) -> bool:
    """Whether a browser will lend a microphone to a page at this address."""
    parts = urlsplit(url or "")
    host = parts.hostname or "localhost"
    return parts.scheme in ("https", "") or host in ("localhost", "::1") or host.startswith("127.")


def _own_noise() -> tuple[str, Handle] | None:
    """The visitor's own noise and its fingerprint."""
    ways = {way: VOICES[way] for way in (MICROPHONE, FILE)}
    where = controls.choice("Noise from", "noise-from", ways, default=MICROPHONE)
    taken = microphone("The noise alone", "din") if where == MICROPHONE else file("The noise", "noise-file")
    sound = None if taken is None else _read(taken, READING_NOISE)
    return None if taken is None or sound is None else (taken.fingerprint, sound)


def _read(taken: Upload, slot: str) -> Handle | None:
    """Have a worker read a visitor's recording and keep it."""
    held = work.fetch_held(slot, request_reading(concept.hold, taken, keep=1), words="Reading the recording")
    return None if held is None else held.value


def _another() -> int:
    def change() -> None:
        settings.put({"noise-seed": (settings.current("noise-seed", 0) + 1) % (MAX_SEED + 1)})

    with st.container(horizontal=True, vertical_alignment="bottom"):
        seed = controls.slider("Seed of the noise", "noise-seed", low=0, high=MAX_SEED, default=0, step=1)
        st.button("Another", key="noise-another", on_click=change, icon=":material/casino:")
    return int(seed)
