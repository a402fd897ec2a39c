"""Audio denoising: record a phrase, add noise, clean it; a network beside classical filters, heard and seen."""

from typing import Any

import streamlit as st

from aecore.concepts.audio_denoising import benchmark as concept
from pages.ui.audio import results, sources, tuning
from pages.ui.audio.listening import KEY, NETWORK, AudioResult, listen
from pages.ui.audio.sources import CLIP, SNR, SoundSource
from pages.ui.frame import narration
from pages.ui.frame.page import frame, why
from pages.ui.inputs import controls
from pages.ui.inputs.uploads import show_notes
from pages.ui.training import work
from pages.ui.training.work import Request

NAME = "audio_denoising"
CLEANING, LAST = "audio:clean", "audio:last"

load_shipped = st.cache_resource(show_spinner=False)(concept.load_pretrained)


def fetch_result(source: SoundSource, models: dict[str, tuning.Tree]) -> AudioResult | None:
    """Return the newest result for this sound: until another noise is in, the one before stays up."""
    sound = source.signature[0]
    signature = (source.signature, tuning.name_of(models))
    tree = load_shipped(source.mixing) if sound is None and not models else None
    with st.container():  # always there, so that what follows keeps its place, and the player its own
        if tree is None:
            tree = work.fetch(CLEANING, request(source, models, signature), words="Cleaning", again="Clean it")
    if tree is not None:
        st.session_state[LAST] = AudioResult(sound, tree, signature)
    last: AudioResult | None = st.session_state.get(LAST)
    return last if last is not None and last.sound == sound else None


def request(source: SoundSource, models: dict[str, tuning.Tree], signature: Any) -> Request:
    """Return the work that cleans a source by every method and by the ``models`` trained on it."""
    if not source.private and not models:
        return Request(task=concept.sample_bench, args=(source.mixing,), signature=signature, lane="short", keep=1)
    denoisers = {method: model["denoiser"] for method, model in models.items()}
    return Request(
        task=concept.bench, args=(source.sound, source.mixing, source.own, denoisers), signature=signature,
        lane="short", private=True, source=sources.SLOTS, keep=1,
    )  # fmt: skip


def workbench() -> None:
    voice = controls.choice("Voice", "voice", sources.VOICES, default=CLIP)
    left, right = st.columns([1, 3], gap="large")
    with left:
        source = sources.choose(voice)
    if source is None:
        forget()
        with right:
            narration.say(NAME, "waiting")
        return
    models = tuning.models(source)
    now: dict[str, Any] = st.session_state.setdefault("audio:now", {})
    with right:
        result = fetch_result(source, models)
        if result is None:
            return
        listen(result, now)
        show_notes(result.tree["notes"], "About this recording", width="content")
    results.show_measures(result.tree)
    tuning.offer(source)
    results.offer_files(result.tree, now, models["tuned"]["denoiser"] if "tuned" in models else None)


def forget() -> None:
    """Let go of what was heard last: its sound is not on the page any more."""
    st.session_state.pop(LAST, None)
    st.session_state.pop("audio:now", None)


with frame(NAME):
    workbench()
    usual = {"voice": CLIP, "snr": SNR, "noise-seed": 0, KEY: NETWORK, f"{KEY}-strength": 100}
    controls.try_this({
        "A voice under a vacuum cleaner": usual | {"spoil": "vacuum", "snr": 0.0},
        "Voices behind a voice": usual | {"spoil": "babble"},
        "Half the strength": usual | {"spoil": "fan", f"{KEY}-strength": 50},
    })  # fmt: skip
    left, right = st.columns(2, gap="large")
    with left:
        narration.say(NAME, "what-to-notice")
    with right:
        narration.say(NAME, "what-it-cannot")
    why(NAME)
