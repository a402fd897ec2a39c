"""Trained networks on their way into the browser: once, by name, in a message that never changes with the figures."""

import functools
import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from aecore.numerics.dense import DenseNetwork
from pages.ui.components.modules import module
from pages.ui.figures.message import Packer

_component = st.components.v2.component(
    "networks",
    html='<div class="networks" hidden></div>',
    js=module("shared/message.js", "shared/shelf.js", "shared/decoder.js", "shared/networks.js"),
)


def send(networks: Sequence[DenseNetwork], *, key: str) -> None:
    """Put networks on the browser's shelf, where the page's components find them by `name_of`; draws nothing."""
    _component(key=key, data=_pack(tuple(map(_Same, networks))))


class _Same(NamedTuple):
    """A network as a key: the same one, not an equal one, for comparing two would take as long as packing one."""

    network: DenseNetwork

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.network is other.network

    def __hash__(self) -> int:
        return id(self.network)


@functools.lru_cache(maxsize=8)
def _pack(networks: tuple[_Same, ...]) -> bytes:
    return pack([each.network for each in networks])


def name_of(network: DenseNetwork) -> str:
    """Name by content: the same weights are the same network, wherever they are used."""
    return _name(_Same(network))


@functools.lru_cache(maxsize=16)
def _name(same: _Same) -> str:
    network = same.network
    digest = hashlib.blake2b(f"{network.activation} {network.output}".encode(), digest_size=12)
    for weights, biases in network.layers:
        digest.update(weights.tobytes())
        digest.update(biases.tobytes())
    return digest.hexdigest()


def pack(networks: Sequence[DenseNetwork]) -> bytes:
    """Weights as float32, bare: as Arrow they take three times as long, as JSON fifty times."""
    packer = Packer()
    described = [
        {
            "name": name_of(network),
            "activation": network.activation,
            "output": network.output,
            "layers": [{"weights": packer.exact(w), "biases": packer.exact(b)} for w, b in network.layers],
        }
        for network in networks
    ]
    return packer.message({"networks": described})
