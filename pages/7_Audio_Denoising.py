"""Audio denoising: say it, spoil it, clean it; a network and the classical filters, heard and seen side by side."""

from typing import Any

import streamlit as st

from aecore import jobs
from aecore.concepts import audio_bench as concept
from pages.ui import controls, link, live, narration
from pages.ui.audio import results, sources, tuning
from pages.ui.audio.listening import KEY, Result, listen
from pages.ui.audio.sources import CLIP
from pages.ui.page import frame, why

NAME = "audio_denoising"
CLEANING, LAST = "audio:clean", "audio:last"

shipped = st.cache_resource(show_spinner=False)(concept.shipped)


def cleaned(source: sources.Source, models: dict[str, Any]) -> Result | None:
    """The newest result for this sound: until another noise is in, the one before stays up."""
    sound = source.signature[0]
    signature = (source.signature, tuple(models))
    tree = shipped(source.spoiling) if sound is None and not models else None
    with st.container():  # always there, so that what follows keeps its place, and the player its own
        if tree is None:
            tree = live.work(
                CLEANING, signature, lambda: start(source, models), live.progress_bar, again="Clean it", training=False
            )
    if tree is not None:
        st.session_state[LAST] = Result(sound, tree, signature)
    last = st.session_state.get(LAST)
    return last if last is not None and last.sound == sound else None


def start(source: sources.Source, models: dict[str, Any]) -> jobs.Job:
    if source.sound is None and source.own is None and not models:
        return jobs.submit(concept.sample_bench, source.spoiling, lane="short")
    return jobs.submit(concept.bench, source.heard, source.spoiling, source.own, models, lane="short", private=True)


def workbench() -> None:
    voice = controls.choice("Voice", "voice", sources.VOICES, default=CLIP)
    left, right = st.columns([1, 3], gap="large")
    with left:
        source = sources.source(voice)
    if source is None:
        with right:
            narration.say(NAME, "waiting")
        return
    models = tuning.models(source)
    now: dict[str, Any] = st.session_state.setdefault("audio:now", {})
    with right:
        result = cleaned(source, models)
        if result is None:
            return
        listen(result, now)
        notes = result.tree["notes"]
        with st.popover(f"About this recording ({len(notes)})"):
            st.markdown("\n".join(f"- {link.plain(note)}" for note in notes))
    results.measured(result.tree)
    tuning.offer(source)
    results.files(result.tree, now, models.get("tuned"))


with frame(NAME):
    workbench()
    controls.try_this({
        "A voice under a vacuum cleaner": {"voice": CLIP, "spoil": "Vacuum cleaner", "snr": 0.0, KEY: "network"},
        "Voices behind a voice": {"voice": CLIP, "spoil": "Babble", "snr": 5.0, KEY: "network"},
        "Half the strength": {"voice": CLIP, KEY: "network", f"{KEY}-strength": 50},
    })  # fmt: skip
    left, right = st.columns(2, gap="large")
    with left:
        narration.say(NAME, "what-to-notice")
    with right:
        narration.say(NAME, "what-it-cannot")
    why(NAME)
