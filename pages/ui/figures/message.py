"""Messages to the browser's components: a header and arrays, in one run of bytes (``shared/message.js`` reads them)."""

import hashlib
import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ALIGNMENT = 8  # bytes: typed arrays in the browser may only start at multiples of their item size


class Packer:
    """Collects arrays as fixed-point integers behind one another; the browser reads them in place."""

    def __init__(self) -> None:
        self.payload = bytearray()

    def add(self, array: NDArray[np.float32], kind: type[np.integer[Any]], low: float, high: float) -> dict[str, Any]:
        """Append ``array``, clipped to low..high, in steps of 1/255 (uint8) or 1/65535 (int16: far below a pixel)."""
        info = np.iinfo(kind)
        steps = int(info.max) - int(info.min)
        scale = steps / (high - low) if high > low else 0.0
        fixed = np.rint((np.clip(array, low, high).astype(np.float64) - low) * scale + info.min)
        return self.exact(fixed.astype(kind)) | {"low": low, "high": high}

    def exact(self, array: NDArray[Any]) -> dict[str, Any]:
        """Append ``array`` as it is, little-endian: float32, or integers that stand for themselves."""
        self.payload.extend(b"\0" * (-len(self.payload) % _ALIGNMENT))
        start = len(self.payload)
        self.payload.extend(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes())
        return {"at": start, "shape": array.shape, "type": array.dtype.name}

    def message(self, scene: dict[str, Any]) -> bytes:
        """Header length (uint32), header (JSON), arrays: bare bytes cost less than base64 or Arrow on both sides."""
        body = json.dumps(scene)
        digest = hashlib.blake2b(body.encode() + self.payload, digest_size=12).hexdigest()
        header = json.dumps({"digest": digest} | scene).encode()
        header += b" " * (-(len(header) + 4) % _ALIGNMENT)
        return struct.pack("<I", len(header)) + header + self.payload
