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
        "bottleneck": "signals complexity hiss draw machines waist clip channel cut_trained",
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
            "var_trained " + " ".join(f"var_weight{n} var_strength{n}" for n in range(12))
        ),
        "applications": (
            "application "
            "ano_machine ano_fault ano_spall ano_severity ano_speed_inverter ano_speed_bearing ano_load ano_noise "
            "ano_network ano_points ano_file "
            "den_signal den_kind den_level den_mode den_draw den_network den_code den_epochs den_file den_channel "
            "dim_size dim_source dim_machine dim_knobs dim_network dim_epochs dim_file "
            "pre_task pre_labels pre_draw pre_networks pre_seed "
            "gen_fault gen_rare gen_draw gen_example gen_vae gen_count "
            "int_data int_walk int_way int_speed int_torque int_figure int_size int_angle int_networks int_pull "
            "clu_count clu_length clu_source clu_drive clu_network clu_code clu_epochs clu_file "
            "con_class con_speed con_torque con_draw con_model con_epochs"
        ),
        "mnist_compression": (
            "numbers pictures network width latent objective weights_seed epochs batch rate frame hand strokes photo "
            "digits_trained"
        ),
        "audio_denoising": (
            "voice spoil add snr noise-seed noise-from sound noise-file axis from take take-strength take-loudness "
            "tuned_trained scratch_trained"
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
        "networks": Old("networks", {"As shipped": "builtin", "shipped": "builtin", "Train your own": "own"}),
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
        "section": Old(
            "application",
            {
                "anomaly detection": "anomaly",
                "dimension reduction": "dimensions",
                "pre-training": "pretraining",
                "conditional VAE": "conditional",
            },
        ),
        "ano_machine": Old("ano_machine", {"inverter currents": "inverter", "bearing vibration": "bearing"}),
        "ano_fault": Old(
            "ano_fault",
            {
                "open switch": "open_switch",
                "sensor offset": "offset",
                "sensor gain": "gain",
                "inter-turn short": "inter_turn",
            },
        ),
        "ano_spall": Old("ano_spall", {"outer race": "outer", "inner race": "inner"}),
        "den_signal": Old("den_signal", {"phase current": "current", "DC-link voltage": "link"}),
        "den_kind": Old("den_kind", {"white noise": "white", "switching ripple": "ripple", "EMI bursts": "bursts"}),
        "den_level": Old("den_level", {"1 %": "1", "2 %": "2", "5 %": "5", "10 %": "10", "20 %": "20"}),
        "den_mode": Old("den_mode", {"as it comes": "live"}),
        "pre_task": Old("pre_task", {"machine faults": "faults"}),
        "gen_fault": Old("gen_fault", {"misfiring switch": "misfiring", "inter-turn short": "inter_turn"}),
        "int_data": Old("int_data", {"phase currents": "currents"}),
        "int_walk": Old("int_walk", {"round the middle": "round"}),
        "int_pull": Old("int_pull", {"as it ships": "builtin", "very strong": "very_strong"}),
        "clu_length": Old("clu_length", {"30 s": "30", "60 s": "60", "120 s": "120"}),
        "con_class": Old(
            "con_class",
            {
                "open switch": "open_switch",
                "inter-turn short": "inter_turn",
                "sensor offset": "offset",
                "sensor gain": "gain",
            },
        ),
        **{
            key: Old(key, {"as it ships": "builtin", "as they ship": "builtin", "trained here": "own"})
            for key in (
                "ano_network",
                "den_network",
                "dim_network",
                "gen_vae",
                "int_networks",
                "clu_network",
                "con_model",
            )
        },
    },
    "field_guide": {
        "section": Old(
            "section",
            {
                "Latent size": "size",
                "Just PCA?": "pca",
                "Blurry or wrong?": "wrong",
                "Can it generate?": "generate",
                "Checklist": "checklist",
                "Glossary": "glossary",
            },
        ),
        "sample": Old("sample", {"Digits": "digits", "Sinusoids": "sinusoids", "Your own file": "own"}),
        "trial": Old(
            "trial",
            {
                "Digits": "digits",
                "Sinusoids": "sinusoids",
                "Drawn shapes": "shapes",
                "Inverter currents": "inverter",
            },
        ),
        "wrong": Old(
            "wrong",
            {
                "latent too small": "latent_size",
                "wrong loss": "loss",
                "too few epochs": "epochs",
                "leak into the test": "leak",
                "unscaled inputs": "scaling",
                "dead units": "dead_units",
                "learning rate too high": "learning_rate",
            },
        ),
        "items": Old(
            "items",
            {
                "Scaling": "scaling",
                "Windowing": "windowing",
                "Overlap": "overlap",
                "Splits in time order": "splits",
                "Thresholds": "thresholds",
                "Normal rows that were not": "contamination",
                "Drift, and when to retrain": "drift",
                "When to stop": "stopping",
                "Deployment": "deployment",
            },
        ),
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
        "source": Old(
            "source",
            {
                "Simulated inverter": "inverter",
                "Ball bearing": "bearing",
                "Office room": "room",
                "Your own file": "own",
            },
        ),
        "rule": Old(
            "rule",
            {
                "spread of the normal scores": "spread",
                "false alarms an hour": "alarms",
                "the tail of the normal scores": "tail",
            },
        ),
        "risk": Old("risk", {"1 %": "1", "0.1 %": "0.1", "0.01 %": "0.01", "0.001 %": "0.001"}),
        "drag": Old("drag", {"zooms in": "zoom", "marks the normal stretch": "mark"}),
        "closer": Old(
            "closer", {"The event": "event", "Latent map": "map", "Scores": "scores", "Against labels": "labels"}
        ),
        "fault": Old(
            "fault",
            {
                "Open switch": "open_switch",
                "Sensor offset": "offset",
                "Sensor gain": "gain",
                "Inter-turn short": "inter_turn",
                "None": "none",
            },
        ),
        "spall": Old(
            "spall",
            {"On the outer race": "outer", "On the inner race": "inner", "On a ball": "ball", "None": "none"},
        ),
        "mishap": Old(
            "mishap",
            {
                "Window left open": "window",
                "A stuck sensor": "stuck",
                "A drifting sensor": "drift",
                "Dropouts": "dropout",
                "None": "none",
            },
        ),
        "sensor": Old(
            "sensor",
            {
                "temperature [°C]": "temperature",
                "humidity [%]": "humidity",
                "CO2 [ppm]": "co2",
                "light [lx]": "light",
                "power [W]": "power",
            },
        ),
    }
    | {
        key: Old(key, {"as found": "found"})
        for key in ("separator", "decimal", "encoding", "header", "time", "unit", "label")
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
