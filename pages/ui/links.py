"""What a link may hold: the keys of every page's settings, and what older links called them.

Links are shared and kept, so a key and the ids of its choices stay; what is renamed gets a line in `OLD`, and links
that say it the old way go on opening what they opened.
"""

from collections.abc import Mapping
from typing import NamedTuple

KEYS: dict[str, frozenset[str]] = {
    page: frozenset(keys.split())
    for page, keys in {
        "home": "digit k",
        "bottleneck": "signals complexity hiss draw machines waist clip channel",
        "latent_clusters": (
            "data size projection without pull cluster_epochs weights machine epoch vectors labels brush"
        ),
        "vae_morphing": (
            "images networks own_beta own_width own_seed z look walk_from walk_to step pin_a pin_b sampled taken "
            "drawing beta rebuilt cloud"
        ),
        "variants": (
            "var_input var_measure var_closer var_variant var_how var_sigma var_masked var_pair_one var_pair_other "
            "var_digit var_pen var_picture var_kind var_on var_start var_rounds var_rounds_conv var_rounds_mnist "
            + " ".join(f"var_weight{n} var_strength{n}" for n in range(12))
        ),
        "applications": "application",
        "mnist_compression": (
            "numbers pictures network width latent objective weights_seed epochs batch rate trained frame hand strokes "
            "photo"
        ),
        "audio_denoising": (
            "voice spoil add snr noise-seed noise-from sound noise-file axis from take take-strength take-loudness "
            "clip_tuned clip_trained"
        ),
        "sensor_anomalies": (
            "source normal view drag rule sigmas alarms risk closer fault severity speed load noise spall depth shaft "
            "radial vibration balls pitch ball contact mishap sensor extent people air outdoor room_noise file "
            "detector separator decimal encoding header time unit sample_rate label channels"
        ),
        "field_guide": (
            "section sample tried sized sized_channel bend trial wrong trial_seed history drawn_by items "
            "first_seed term"
        ),
    }.items()
}


class Old(NamedTuple):
    """What older links called a setting and its values: the key now, and the id of each value that has another now."""

    key: str
    values: Mapping[str, str] = {}


_NOISES = {
    "Gaussian": "gaussian", "Fan": "fan", "Vacuum cleaner": "vacuum", "Mains hum": "hum", "Babble": "babble",
    "Your own recording": "own",
}  # fmt: skip
_PLACES = {"The pointer": "pointer", "Pin A": "pin_a", "Pin B": "pin_b"}
_VARIANTS = {
    "PCA": "pca", "Undercomplete": "undercomplete", "Sparse: L1": "l1", "Sparse: KL": "kl", "Sparse: top-k": "topk",
    "Contractive": "contractive", "Denoising: Gaussian": "gaussian", "Denoising: masking": "masking",
    "Convolutional": "convolutional", "VAE": "vae", "β-VAE": "beta", "Conditional VAE": "conditional",
}  # fmt: skip

OLD: dict[str, dict[str, Old]] = {
    "bottleneck": {
        "signals": Old("signals", {"A family of sinusoids": "family", "Your own recording": "own"}),
        "machines": Old(
            "machines", {"Side by side": "all", "PCA": "pca", "Linear": "linear", "Nonlinear": "nonlinear"}
        ),
    },
    "latent_clusters": {
        "data": Old("data", {"Digits that ship": "digits", "MNIST": "mnist", "Your own": "own"}),
        "projection": Old("projection", {"PCA": "pca", "t-SNE": "tsne", "UMAP": "umap"}),
        "without": Old("without", {"nobody": ""}),
        "epochs": Old("cluster_epochs"),
        "labels": Old("labels", {"(no labels)": ""}),
        "machine": Old("machine", {"PCA": "pca", "Autoencoder": "autoencoder", "VAE": "vae"}),
    },
    "vae_morphing": {
        "pictures": Old("images", {"Shapes": "shapes", "Handwritten digits": "digits"}),
        "networks": Old("networks", {"As shipped": "shipped", "Train your own": "own"}),
        "closer": Old(
            "look",
            {
                "Walk": "walk",
                "Samples and grid": "samples",
                "Draw your own": "draw",
                "Noise in z": "noise",
                "β": "beta",
            },
        ),
        "walk_from": Old("walk_from", _PLACES),
        "walk_to": Old("walk_to", _PLACES),
        "taken": Old("taken", {"Your drawing": "own"}),
    },
    "variants": {
        "var_input": Old("var_input", {"As they are": "clean", "With noise": "noise", "Masked": "mask"}),
        "var_measure": Old(
            "var_measure",
            {
                "Test MSE": "mse",
                "MSE, noise": "noise",
                "MSE, masked": "mask",
                "10-NN": "knn",
                "Units in use": "used",
                "Active a digit": "active",
                "Selectivity": "selectivity",
                "Jolted code": "sensitivity",
                "By Jacobian": "jacobian",
                "Samples": "frechet",
                "Seconds": "seconds",
            },
        ),
        "var_closer": Old(
            "var_closer",
            {"One at a time": "one", "Two under the same input": "pair", "Train one yourself": "train"},
        ),
        "var_variant": Old("var_variant", _VARIANTS),
        "var_how": Old("var_how", {"A test digit": "digit", "Draw one": "draw", "Upload one": "file"}),
        "var_pair_one": Old("var_pair_one", _VARIANTS),
        "var_pair_other": Old("var_pair_other", _VARIANTS),
        "var_kind": Old("var_kind", _VARIANTS),
        "var_on": Old("var_on", {"The digits that ship": "digits", "MNIST": "mnist"}),
    },  # fmt: skip
    "applications": {
        "section": Old("application"),
    },
    "mnist_compression": {
        "pictures": Old("pictures", {"MNIST": "mnist", "Fashion-MNIST": "fashion", "Shipped": "shipped"}),
        "objective": Old("objective", {"Cross-entropy": "bce", "Squared error": "mse"}),
        "hand": Old("hand", {"Draw one": "draw", "Photo of one": "photo"}),
    },
    "audio_denoising": {
        "voice": Old("voice", {"The clip that ships": "clip", "Your microphone": "microphone", "A file": "file"}),
        "spoil": Old("spoil", _NOISES),
        "add": Old("add", _NOISES | {"None": "none"}),
        "noise-from": Old("noise-from", {"Your microphone": "microphone", "A file": "file"}),
        "axis": Old("axis", {"as heard (mel)": "mel", "in even steps": "linear"}),
    },
    "sensor_anomalies": {
        "rate": Old("sample_rate"),
    },
}


def belongs(key: str, page: str) -> bool:
    """Return whether a page has a setting of this key."""
    return key in KEYS.get(page, frozenset())


def translate(page: str, asked: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Return a link's keys and values as they are called now; where both names stand in it, the new one counts."""
    renamed = OLD.get(page, {})
    translated: dict[str, list[str]] = {}
    for key, texts in asked.items():
        old = renamed.get(key, Old(key))
        if old.key == key or old.key not in asked:
            translated[old.key] = [old.values.get(text, text) for text in texts]
    return translated
