"""Where a training runs, and in which precision: what is there is used without being asked for."""

import contextlib
import copy
import ctypes
import sys
import time
from typing import Any

import torch
from torch import Tensor, nn

from aecore.errors import SettingError

ACCELERATORS = ("cuda", "mps")
PRECISIONS = ("float32", "fastest")
NATIVE_BFLOAT16 = ("amx_bf16", "avx512_bf16")  # what a processor says that multiplies bfloat16 in its own units
TRIALS = 6  # steps in each precision, the quickest of which counts: the first ones also set up their kernels
KEPT = {-1: 128 * 2**20, -3: 32 * 2**20}  # glibc's M_TRIM_THRESHOLD and M_MMAP_THRESHOLD (malloc.h), in bytes
MARGIN = 1.15  # by which bfloat16 must be faster, so that what it loses in digits buys something


def device() -> torch.device:
    """Find the graphics processor (CUDA or Apple's MPS), or the CPU where there is none."""
    found = torch.accelerator.current_accelerator(check_available=True)
    return found if found is not None and found.type in ACCELERATORS else torch.device("cpu")


def place(model: Any, on: torch.device) -> Any:
    """Return the model itself on the CPU; elsewhere a copy, so that its owner may go on using the original.

    Noise is drawn where the model computes, so the copy gets a generator of that device. Weights of convolutions over
    pictures are laid out with the channels last, as the fast kernels read them; the activations follow them.
    """
    if on.type == "cpu":
        return model.to(memory_format=torch.channels_last)
    noise = getattr(model, "noise", None)
    replaced = {id(noise): torch.Generator(on)} if isinstance(noise, torch.Generator) else {}
    return copy.deepcopy(model, replaced).to(on, memory_format=torch.channels_last)


def restore_layout(model: Any) -> None:
    """Lay the weights out as they were built, for those who read their memory as it stands."""
    model.to(memory_format=torch.contiguous_format)


def keep_freed_memory() -> None:
    """Have glibc keep what a step frees for the next one; elsewhere nothing happens.

    Gradients and activations are freed and taken again in every step. Given back to the system in between, they come
    back page by page: Dask's workers, which trim eagerly, spend a quarter of a dense network's step on that.
    """
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        for parameter, size in KEPT.items():
            mallopt(parameter, size)


def place_of(model: nn.Module) -> torch.device:
    """Device of the model's weights."""
    return next((p.device for p in model.parameters()), torch.device("cpu"))


def precision(setting: str, model: Any, batch: Tensor | tuple[Tensor, ...]) -> torch.dtype:
    """Choose what to multiply matrices in; for ``"fastest"`` both are tried on a copy of ``model`` where both exist."""
    if setting not in PRECISIONS:
        raise SettingError(f"precision must be one of {', '.join(PRECISIONS)}, got {setting!r}")
    if setting == "float32" or place_of(model).type != "cpu" or not has_bfloat16():
        return torch.float32
    plain, short = (_seconds_a_step(copy.deepcopy(model), batch, dtype) for dtype in (torch.float32, torch.bfloat16))
    return torch.bfloat16 if short * MARGIN < plain else torch.float32


def has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 itself; elsewhere it is emulated, slowly."""
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in NATIVE_BFLOAT16)


def computing_in(dtype: torch.dtype) -> contextlib.AbstractContextManager[Any]:
    """Context in which a CPU's matrix products take ``dtype``; weights, losses and optimizer stay in float32."""
    if dtype is torch.float32:
        return contextlib.nullcontext()
    return torch.autocast("cpu", dtype=dtype)


def _seconds_a_step(model: Any, batch: Tensor | tuple[Tensor, ...], dtype: torch.dtype) -> float:
    """Shortest time of a forward and a backward pass."""
    seconds = []
    for _ in range(TRIALS):
        started = time.perf_counter()
        model.zero_grad(set_to_none=True)
        with computing_in(dtype):
            total = model.losses(batch)["total"]
        total.backward()
        seconds.append(time.perf_counter() - started)
    return min(seconds)
