"""Trainings of the pages that are cancelled return what they have by then, and end without a result before that."""

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import pytest

from aecore import store
from aecore.audio.denoiser import SpeechDenoiser
from aecore.concepts import latent_clusters, vae_morphing, variants
from aecore.concepts.audio_denoising import NoiseSettings, sample
from aecore.concepts.audio_denoising import training as audio_tuning
from aecore.concepts.latent_clusters import training as clusters_training
from aecore.concepts.vae_morphing import training as morphing_training
from aecore.concepts.variants import training as variants_training
from aecore.jobs import Cancelled
from aecore.numerics.progress import finish


def cancel(task: Generator[dict, Any, Any], where: Callable[[dict], bool]) -> Any:
    """Run a task until its progress says so, throw into it what a worker throws, and return what it returns."""
    while not where(next(task)):
        pass
    try:
        task.throw(Cancelled())
    except StopIteration as end:
        return store.loads(store.dumps(end.value))  # as it travels
    return result_of(task)


def result_of(task: Generator[dict, Any, Any]) -> Any:
    return store.loads(store.dumps(finish(task)))


def test_latent_clusters_keep_the_vae_as_it_is():
    settings = latent_clusters.ClusterSettings(epochs=6)
    left = cancel(clusters_training.train(settings), lambda p: p["part"] == latent_clusters.VAE and p["epoch"] == 2)
    made = latent_clusters.from_tree(left)
    assert {len(history) for name, history in made.history.items() if name != latent_clusters.PCA} == {len(made.epochs)}
    vae = made.history[latent_clusters.VAE]
    np.testing.assert_array_equal(vae[-1], vae[-2])  # where it was cancelled, it stays
    assert np.isfinite(made.maps[latent_clusters.VAE]).all()


def test_vae_morphing_keeps_the_vae_as_it_is():
    settings = morphing_training.MorphingSettings(epochs=4, width=16)
    left = cancel(morphing_training.train(settings), lambda p: p["part"] == vae_morphing.VAE)
    made = vae_morphing.from_tree(left)
    assert np.isfinite(made.vae.codes).all() and made.vae.reconstruction > 0


@pytest.mark.parametrize(
    "task",
    [lambda: clusters_training.train(latent_clusters.ClusterSettings(epochs=3)),
     lambda: morphing_training.train(morphing_training.MorphingSettings(epochs=4, width=16))],
    ids=["clusters", "morphing"],
)  # fmt: skip
def test_with_one_of_two_networks_there_is_nothing_to_show(task):
    running = task()
    next(running)
    with pytest.raises(Cancelled):
        running.throw(Cancelled())


def test_a_variant_is_measured_as_it_is():
    settings = variants.VariantSettings(kind=next(iter(variants.KINDS)), epochs=5)
    left = cancel(variants_training.train(settings), lambda p: p["epoch"] == 2)
    whole = result_of(variants_training.train(settings))
    assert set(whole) == set(left) and set(whole["row"]) == set(left["row"])
    assert len(left["losses"]) == 2


def test_a_denoiser_is_measured_as_it_is():
    task = audio_tuning.tune(sample(), NoiseSettings(noise="fan"), steps=100)
    left = cancel(task, lambda p: p["step"] > 0)
    assert len(left["losses"]) == 1
    assert set(left["after"]) == set(left["before"]) == {"clip", "phrase"}
    denoiser = SpeechDenoiser.from_tree(left["denoiser"])
    noisy = sample().mono[:16_000]
    np.testing.assert_array_equal(denoiser.denoise(noisy, 16_000), denoiser.denoise(noisy, 16_000))
