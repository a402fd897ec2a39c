"""A trained network to take away: film, history, weights, ONNX, and the lines of PyTorch that rebuild it."""

import io
import warnings
from collections.abc import Generator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from aecore.concepts.mnist_compression.settings import ACTIVATION, DENSE, CompressionNetwork

ZOOM, GAP, STILL = 3, 4, 12  # film: screen pixels a pixel; pixels between rows; extra showings of the last frame
MILLISECONDS = 120  # a frame
WEIGHTS = "mnist_autoencoder.safetensors"
OPSET = 20
Tree = dict[str, Any]


def film(originals: NDArray[np.uint8], frames: NDArray[np.uint8]) -> bytes:
    """Turn originals [10, 28, 28] over their reconstructions [K, 10, 28, 28] into a looping GIF, dark ink on white."""
    above = np.concatenate(list(originals), 1)  # (28, 280)
    gap = np.zeros((GAP, above.shape[1]), np.uint8)
    pictures = []
    for frame in frames:
        sheet = 255 - np.concatenate([gap, above, gap, np.concatenate(list(frame), 1), gap])
        pictures.append(Image.fromarray(sheet).resize((sheet.shape[1] * ZOOM, sheet.shape[0] * ZOOM), 0))
    file = io.BytesIO()
    durations = [MILLISECONDS] * (len(pictures) - 1) + [MILLISECONDS * STILL]
    pictures[0].save(file, "GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=True)
    return file.getvalue()


def make_film(originals: NDArray[np.uint8], frames: NDArray[np.uint8]) -> Generator[Tree, None, bytes]:
    """Return `film` as a job's task: fifty epochs take a second."""
    yield {"progress": 0.0}
    return film(originals, frames)


def history(result: Tree) -> pd.DataFrame:
    """One line an epoch: losses, squared error of the validation pictures, seconds, pictures a second."""
    return pd.DataFrame(result["history"]).rename(columns={"mse": "validation_mse"})


def weights(model: Tree) -> bytes:
    """Weights by their PyTorch names, as a plain safetensors file."""
    import safetensors.numpy

    return bytes(safetensors.numpy.save({name: np.ascontiguousarray(w) for name, w in model["weights"].items()}))


def snippet(network: CompressionNetwork) -> str:
    """Lines of PyTorch that rebuild the model around the weights file and send a batch through it."""
    encoder, decoder = _dense(network) if network.kind == DENSE else _convolutional(network)
    activation = {"silu": "nn.SiLU()"}[ACTIVATION]
    encoder, decoder = (part.replace("ACT", activation) for part in (encoder, decoder))
    pixels = "torch.sigmoid(decoder(code))" if network.loss == "bce" else "decoder(code).clamp(0, 1)"
    return (
        f"# An autoencoder for 28 x 28 pictures through {network.latent_dim} numbers; pip install torch safetensors\n"
        "import torch\n"
        "from safetensors.torch import load_file\n"
        "from torch import nn\n"
        "\n"
        f"encoder = nn.Sequential(\n{encoder})\n"
        f"decoder = nn.Sequential(\n{decoder})\n"
        'model = nn.ModuleDict({"encoder": encoder, "decoder": decoder})\n'
        f'model.load_state_dict(load_file("{WEIGHTS}"))\n'
        "\n"
        "pictures = torch.rand(5, 1, 28, 28)  # yours: ink is 1, paper 0\n"
        "with torch.inference_mode():\n"
        f"    code = encoder(pictures)  # (5, {network.latent_dim})\n"
        f"    rebuilt = {pixels}  # (5, 1, 28, 28)\n"
        "print(code.shape, rebuilt.shape)\n"
    )


def _dense(network: CompressionNetwork) -> tuple[str, str]:
    def stack(sizes: list[int]) -> str:
        layers = [f"nn.Linear({a}, {b})" for a, b in zip(sizes, sizes[1:], strict=False)]
        return f"    nn.Sequential({', ACT, '.join(layers)}),\n"

    sizes = network.sizes
    return f"    nn.Flatten(),\n{stack(sizes)}", f"{stack(sizes[::-1])}    nn.Unflatten(1, (1, 28, 28)),\n"


def _convolutional(network: CompressionNetwork) -> tuple[str, str]:
    channels, sides = [1, *network.hidden], [28, 14, 7, 4]
    pairs = list(zip(channels, channels[1:], strict=False))
    down = [f"    nn.Conv2d({a}, {b}, 3, stride=2, padding=1), ACT,\n" for a, b in pairs]
    up = [
        f"    ACT, nn.ConvTranspose2d({b}, {a}, 3, stride=2, padding=1, output_padding={1 - side % 2}),\n"
        for (a, b), side in zip(pairs, sides, strict=False)
    ][::-1]
    last = channels[-1]
    flat, k = last * sides[-1] ** 2, network.latent_dim
    return (
        "".join([*down, f"    nn.Flatten(), nn.Linear({flat}, {k}),\n"]),
        "".join([f"    nn.Linear({k}, {flat}), nn.Unflatten(1, ({last}, 4, 4)),\n", *up]),
    )


def to_onnx(model: Tree) -> Generator[Tree, None, bytes]:
    """Export a model tree as ONNX bytes; a job's task. ``pictures`` [N, 1, 28, 28] in, ``code`` and ``rebuilt`` out."""
    import onnx
    import torch

    from aecore import __version__
    from aecore.models import from_tree

    yield {"progress": 0.0}
    graph = _graph(from_tree(model)).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter speaks of its own deprecated parts
        program = torch.onnx.export(
            graph, (torch.zeros(3, 1, 28, 28),), dynamo=True, verbose=False, opset_version=OPSET, external_data=False,
            input_names=["pictures"], output_names=["code", "rebuilt"], dynamic_shapes=({0: torch.export.Dim("N")},),
        )  # fmt: skip
    assert program is not None  # as no file name was given
    exported = program.model_proto
    for part in (exported.graph, *exported.graph.node, *exported.graph.value_info, *exported.graph.initializer):
        del part.metadata_props[:]  # where in whose source tree each operation came from
    exported.producer_name, exported.producer_version = "aecore", __version__
    onnx.checker.check_model(exported, full_check=True)
    return bytes(exported.SerializeToString())


def _graph(model: Any) -> Any:
    from torch import Tensor, nn

    class ExportedAutoencoder(nn.Module):
        """Code and rebuilt pictures, cut to 0..1."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            code = self.model.encode(x)
            return code, self.model.decode(code).clamp(0, 1)

    return ExportedAutoencoder()
