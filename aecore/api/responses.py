"""Responses of the interface: files, JSON, and every error as one sentence with its HTTP status."""

import json
import re
from typing import Any, NamedTuple

from starlette.responses import Response

from aecore.admission import Refusal
from aecore.errors import (
    DataError,
    JobCancelled,
    JobError,
    NoWorkers,
    SettingError,
    StoreError,
    TimeExceeded,
    TooBusy,
    TrainingError,
)

SCORE_FORMATS = ("json", "csv", "parquet", "detector")


class FileResult(NamedTuple):
    """Bytes to send, their media type, and the name under which a browser would save them."""

    content: bytes
    media_type: str
    name: str


# The first class that fits decides.
STATUS: tuple[tuple[type[Exception], int], ...] = (
    (TooBusy, 503),
    (NoWorkers, 503),
    (TimeExceeded, 422),
    (JobCancelled, 503),  # by the server's end
    (SettingError, 422),
    (DataError, 422),
    (StoreError, 422),
    (TrainingError, 422),
    (JobError, 500),  # a crash, which the same request would cause again
)
_PATH = re.compile(r"(?<![\w.~<])(?:[A-Za-z]:)?(?:[\\/][\w.~+@-]+){2,}[\\/]?|https?://[^\s'\"]+")


def status_of(error: Exception) -> int:
    """Find the HTTP status for an error of the core: 422 where the caller can mend it, 5xx where the server must."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def sentence_of(error: Exception) -> str:
    """Return an error's sentence without the server's own paths and addresses, which are not for callers."""
    return _PATH.sub("...", str(error))


def as_json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON response that no browser takes for anything else."""
    body = json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
    return Response(body, status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")


def as_error(refusal: Refusal) -> Response:
    """Return the response of a refused request."""
    after = {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}
    return as_json({"error": refusal.sentence}, refusal.status, after)


def as_file(result: FileResult) -> Response:
    """Return a file as a response; its name holds nothing of the caller's."""
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{result.name}"'}
    return Response(result.content, 200, headers, result.media_type)
