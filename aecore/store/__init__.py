"""Results and models on disk: trees in safetensors files, and a cache of them keyed by content; knows no domain."""

from aecore.store.cache import fingerprint, folder, get, key, put
from aecore.store.trees import Tree, dumps, loads, read, write

__all__ = ["Tree", "dumps", "fingerprint", "folder", "get", "key", "loads", "put", "read", "write"]
