"""The routes: health, readiness, description, score, denoise; and an answer in JSON for every other path below /api."""

import asyncio
import json
import logging
import math
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import aecore
from aecore import jobs
from aecore.admission import Refusal
from aecore.api.door import address_of
from aecore.api.limits import Limits
from aecore.api.multipart import Form, read_form
from aecore.api.responses import SCORE_FORMATS, FileResult, as_error, as_file, as_json, sentence_of, status_of
from aecore.errors import AecoreError, SettingError

# The time for one request, the wait for a worker included.
WORK_SECONDS = 600.0
# Seconds between two looks at a job.
LOOK_EVERY = 0.05
# The time for what is done in a thread: handing work over, unpacking its result.
ASIDE_SECONDS = 60.0
READY_SECONDS = 5.0
# Percent of the rows, as on the page.
DEFAULT_NORMAL = "0:30"
DESCRIPTION = Path(__file__).with_name("openapi.json")

T = TypeVar("T")

_log = logging.getLogger(__name__)
# The interface's own threads: asyncio's default ones are shared, and the pages may keep them all busy.
_threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="aecore-api")


class Asked(NamedTuple):
    """A piece of work to be done for a request."""

    task: Callable[..., Any]
    arguments: tuple[Any, ...]
    lane: str


def routes() -> list[Route]:
    """Routes of the interface, with limits of their own."""
    limits = Limits()
    files, fields = ("file", "detector"), ("normal", "format")
    return [
        Route("/api/health", health, methods=["GET"]),
        Route("/api/ready", ready, methods=["GET"]),
        Route("/api/openapi.json", description, methods=["GET"]),
        Route("/api/score", _make_endpoint(limits, _score, files=files, fields=fields), methods=["POST"]),
        Route(
            "/api/denoise", _make_endpoint(limits, _denoise, files=("file",), fields=("strength",)), methods=["POST"]
        ),
        Route("/api/{rest:path}", unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
        Route("/api", unknown, methods=["GET", "POST"]),
    ]


async def health(request: Request) -> Response:
    """Say that the server answers."""
    return as_json({"status": "ok", "version": aecore.__version__})


async def ready(request: Request) -> Response:
    """Say whether work could begin: whether there are workers, or could be."""
    try:
        there = await _call_aside(jobs.reachable, seconds=READY_SECONDS)
    except Refusal:
        there = False
    if there:
        return as_json({"status": "ready", "version": aecore.__version__})
    return as_error(Refusal(503, "The processes that compute cannot be reached: try again later.", 10))


async def description(request: Request) -> Response:
    """Describe the interface as OpenAPI 3.1."""
    return as_json(json.loads(DESCRIPTION.read_text(encoding="utf-8")))


async def unknown(request: Request) -> Response:
    """Say what there is, where a path or a method is not."""
    known = "POST /api/score, POST /api/denoise, GET /api/health, GET /api/ready and GET /api/openapi.json"
    return as_error(Refusal(404, f"There is nothing at this path for this method, only {known}."))


def _score(form: Form) -> Asked:
    # Here, so that pandas and its kin load with the first request and not before the pages.
    from aecore.api import tasks as work

    kind = form.fields.get("format", "json")
    if kind not in SCORE_FORMATS:
        raise SettingError(f"format must be one of {', '.join(SCORE_FORMATS)}, got {kind[:20]!r}.")
    detector = form.files.get("detector")
    if detector is not None and "normal" in form.fields:
        raise SettingError("A detector has learnt what is normal already: send a detector or normal, not both.")
    low, high = _percent(form.fields.get("normal", DEFAULT_NORMAL))
    log = form.files["file"]
    learnt = None if detector is None else detector.data
    return Asked(work.score, (log.name, log.data, learnt, (low, high), kind), "short" if detector else "long")


def _percent(text: str) -> tuple[float, float]:
    first, _, last = text.replace("%", "").partition(":")
    try:
        low, high = float(first or 0), float(last or 100)
    except ValueError:
        low, high = math.nan, math.nan
    if not 0 <= low < high <= 100:
        raise SettingError(f"normal must look like 0:30, percent of the rows running upwards, got {text[:20]!r}.")
    return low, high


def _denoise(form: Form) -> Asked:
    from aecore.api import tasks as work

    text = form.fields.get("strength", "1")
    try:
        strength = float(text)
    except ValueError:
        strength = -1.0
    if not 0 <= strength <= 1:
        raise SettingError(f"strength must be in 0..1, got {text[:20]!r}.")
    sound = form.files["file"]
    return Asked(work.denoise, (sound.name, sound.data, strength), "short")


def _make_endpoint(
    limits: Limits, asked: Callable[[Form], Asked], *, files: tuple[str, ...], fields: tuple[str, ...]
) -> Callable[[Request], Awaitable[Response]]:
    """Make the endpoint of a kind of work: checks, form, worker, answer, and one line in the log."""

    async def endpoint(request: Request) -> Response:
        began, size = time.monotonic(), 0
        try:
            _same_origin(request)
            with limits.one_more(address_of(request.scope)):
                async with read_form(request, files=files, fields=fields) as form:
                    size = form.size
                    if "file" not in form.files:
                        raise Refusal(400, "The form holds no file; send one as 'file': curl -F file=@NAME.")
                    with limits.at_work():
                        answer = as_file(await _do(request, await _call_aside(lambda: asked(form))))
        except Refusal as refusal:
            answer = as_error(refusal)
        except AecoreError as error:
            answer = as_error(Refusal(status_of(error), sentence_of(error)))
        facts = {"path": request.url.path, "status": answer.status_code, "bytes_in": size}
        facts |= {"bytes_out": len(answer.body), "seconds": round(time.monotonic() - began, 3)}
        _log.info("request", extra={"facts": facts})
        return answer

    return endpoint


def _same_origin(request: Request) -> None:
    """Refuse what a page of another site has a visitor's browser send."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Refusal(403, "Requests from pages of other sites are not taken; send it from a program.")


async def _do(request: Request, asked: Asked) -> FileResult:
    """Have the work done in a worker; where the caller goes away or time runs out, it is cancelled."""
    job = await _call_aside(lambda: jobs.submit(asked.task, *asked.arguments, lane=asked.lane, private=True))
    end = time.monotonic() + WORK_SECONDS
    try:
        while job.state in ("queued", "running"):
            if time.monotonic() > end:
                raise Refusal(504, f"The work has not ended within {WORK_SECONDS / 60:.0f} minutes; send less at once.")
            if await request.is_disconnected():
                raise Refusal(499, "The caller went away.")
            await asyncio.sleep(LOOK_EVERY)
        return await _call_aside(lambda: job.result(ASIDE_SECONDS))  # unpacking what may be megabytes
    finally:
        job.cancel()


async def _call_aside(call: Callable[[], T], seconds: float = ASIDE_SECONDS) -> T:
    """Call a function in one of the interface's threads; Refusal where it takes too long."""
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.get_running_loop().run_in_executor(_threads, call)
    except TimeoutError:
        raise Refusal(504, f"The server did not get to it within {seconds:.0f} s: try again later.", 30) from None
