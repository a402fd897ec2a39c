"""The field's words, each with the page that shows it."""

from typing import NamedTuple


class Term(NamedTuple):
    """A word, what it means, and the page and settings where it can be seen."""

    word: str
    meaning: str
    page: str  # its text's name
    settings: dict[str, str]  # keys and values as they stand in a link


TERMS = (
    Term("Active unit", "A hidden unit that fires for at least some data; the others learn nothing.",
         "field_guide", {"section": "wrong", "trial": "digits", "wrong": "dead_units"}),
    Term("Anomaly score", "How badly a row is rebuilt, in units of its usual error.", "sensor_anomalies", {}),
    Term("Beta", "The weight of a VAE's KL term: more of it buys smoothness with sharpness.", "vae_morphing",
         {"look": "beta"}),
    Term("Bottleneck", "The narrow middle; what does not fit through it is lost.", "bottleneck", {"waist": "2"}),
    Term("Code", "The few numbers that stand for a datum; also its latent.", "home", {"k": "4"}),
    Term("Contamination", "Strange rows among those that were called normal.", "field_guide",
         {"section": "checklist"}),
    Term("Decoder", "The half that makes a datum of a code.", "vae_morphing", {}),
    Term("Denoising", "Noisy in, clean out: the network learns what belongs.", "audio_denoising", {}),
    Term("Drift", "Normal moves; yesterday's model calls today strange.", "field_guide", {"section": "checklist"}),
    Term("Elbow", "Where a curve of kept variance turns flat.", "field_guide", {"section": "size", "sample": "digits"}),
    Term("Encoder", "The half that makes a code of a datum.", "latent_clusters", {}),
    Term("Epoch", "One pass over all that is learnt from.", "latent_clusters", {"epoch": "2"}),
    Term("Explained variance", "The share of what differs between data that is kept.", "home", {}),
    Term("False alarm", "A normal row above the threshold.", "sensor_anomalies", {"rule": "alarms"}),
    Term("Held-out data", "Never learnt from, so that their error can be believed.", "field_guide",
         {"section": "wrong", "trial": "digits", "wrong": "leak"}),
    Term("Hole", "A place between codes where the decoder makes up what no datum looks like.", "vae_morphing", {}),
    Term("KL divergence", "How far a VAE's cloud of a code is from the standard normal.", "vae_morphing", {}),
    Term("Latent space", "Where the codes live; near codes decode to similar data.", "latent_clusters", {}),
    Term("Leak", "Something of the test was learnt from; the test then praises too much.", "field_guide",
         {"section": "wrong", "trial": "digits", "wrong": "leak"}),
    Term("Loss", "What training makes small: here the error of the reconstruction.", "mnist_compression", {}),
    Term("Manifold", "The curved sheet that data lie near; PCA only knows flat ones.", "field_guide",
         {"section": "pca", "bend": "180"}),
    Term("Nested dropout", "Hiding all but the first k numbers while training, so that the first say most.",
         "bottleneck", {}),
    Term("PCA", "The best flat squeeze; a linear autoencoder ends there.", "bottleneck", {"machines": "pca"}),
    Term("Posterior", "A VAE's cloud around a datum's code.", "vae_morphing", {"look": "noise"}),
    Term("Prior", "Where a VAE's codes should lie: the standard normal; sample it to generate.", "field_guide",
         {"section": "generate"}),
    Term("Reconstruction", "What comes back from the code.", "home", {}),
    Term("Reparameterisation", "z = μ + σε: the noise moved aside, so that gradients pass.", "vae_morphing",
         {"look": "noise"}),
    Term("Silhouette", "How much farther the nearest other kind is than one's own.", "latent_clusters", {}),
    Term("Threshold", "The score above which a row counts as strange.", "sensor_anomalies", {"sigmas": "5"}),
    Term("Undercomplete", "A code smaller than the input: copying is impossible.", "mnist_compression", {}),
    Term("Variational autoencoder", "One that encodes a cloud instead of a point.", "vae_morphing", {}),
    Term("Window", "Some consecutive rows taken as one datum.", "field_guide", {"section": "checklist"}),
)  # fmt: skip


def matching(text: str) -> list[Term]:
    """Terms whose word or meaning holds the text, in alphabetical order; all for none."""
    wanted = text.strip().lower()
    return [term for term in TERMS if wanted in f"{term.word} {term.meaning}".lower()]
