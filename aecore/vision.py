"""torchvision on a torch that was built without CUDA."""

from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import torch

_KEEP: list[torch.library.Library] = []  # a Library's declarations live as long as the object


def import_torchvision() -> ModuleType:
    """Import torchvision (seconds: call it where it is used) and return it.

    The registry's Linux build of torchvision is made for CUDA; beside a CPU-only torch its C++ operators do not load,
    and the import stops where it registers the shape rules of ``nms`` and ``qnms``. Declaring these two schemas first
    is enough: datasets, transforms and image grids use neither.
    """
    if torch.version.cuda is None and not _KEEP and not _operators_load():
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _KEEP.append(library)
    import torchvision

    return torchvision


def _operators_load() -> bool:
    spec = find_spec("torchvision")
    if spec is None or spec.origin is None:
        return False
    for path in Path(spec.origin).parent.glob("_C*"):
        try:
            torch.ops.load_library(path)
        except OSError:  # built for another torch
            return False
        return True
    return False
