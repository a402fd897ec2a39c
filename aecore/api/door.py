"""Middleware before the pages: admit uploads before they are read, count connections, cut off slow bodies.

ASGI middleware over the paths that Streamlit serves; it knows the paths and nothing else of Streamlit.
"""

import asyncio
import os
import re
import time
from collections.abc import Callable

from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aecore.admission import MAX_UPLOAD, AllHold, OneHolds, Pace, Refusal, Shares, Uploads

# Open pages of one address: a classroom behind one router.
SESSIONS_EACH = 100
# Open pages in all, 1 MB each while idle.
SESSIONS = 400

# A dragged control sends one message a frame, on a fast screen 144 a second; more than that, for long, is no hand's.
MESSAGES_A_SECOND = 200.0
MESSAGES_AT_ONCE = 1000.0

_UPLOAD = re.compile(r"/_stcore/upload_file/([^/]+)/([^/]+)$")
_STREAM = re.compile(r"/_stcore/stream$")
_METRICS = re.compile(r"/_stcore/metrics$")
_INNER = re.compile(r"/(_stcore|static|media|component|api)(/|$)")
FULL = "This server has as many open pages as it takes{}. Close one, or try again in some minutes."


def address_of(scope: Scope) -> str | None:
    """Return the caller's address."""
    client = scope.get("client")
    return client[0] if client else None


class UploadDoor:
    """Middleware that reads an upload's body where a page has asked for it, there is room, and it comes fast enough."""

    def __init__(self, app: ASGIApp, uploads: Uploads) -> None:
        self._app, self._uploads = app, uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Admit an upload, or answer why not; pass all else on."""
        found = _UPLOAD.search(scope["path"]) if scope["type"] == "http" and scope["method"] == "PUT" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        sent = False

        async def sending(message: Message) -> None:
            nonlocal sent
            sent = True
            await send(message)

        paced = read_at_pace(receive)
        try:
            size = _length(scope)
            end = self._uploads.admit(found[1], found[2], size, address_of(scope))
        except Refusal as refusal:
            if refusal.status != 404 and _length(scope, MAX_UPLOAD) <= MAX_UPLOAD:
                await _discard(paced)  # a browser that is cut off while it sends shows a broken line, not the answer
            await as_text(refusal)(scope, receive, send)
            return
        try:
            await self._app(scope, paced, sending)
        except Refusal as refusal:  # from read_at_pace
            if sent:
                raise
            await as_text(refusal)(scope, receive, send)
        finally:
            end()


class ConnectionDoor:
    """Middleware that counts open pages by their websockets, and slows clients that send too fast."""

    def __init__(self, app: ASGIApp, each: int | None = None, whole: int | None = None) -> None:
        self._app = app
        self._open = Shares(
            each or int(os.environ.get("AECORE_SESSIONS_PER_ADDRESS", SESSIONS_EACH)),
            whole or int(os.environ.get("AECORE_SESSIONS", SESSIONS)),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a page's connection in, or answer why not; pass all else on."""
        if scope["type"] == "websocket" and _STREAM.search(scope["path"]):
            try:
                leave = self._open.take(address_of(scope))
            except (OneHolds, AllHold) as error:
                await _deny(scope, send, _full(error))
                return
            try:
                await self._app(scope, _slow_down(receive), send)
            finally:
                leave()
        elif scope["type"] == "http" and _is_page(scope) and (refusal := self._refusal(scope)):
            await HTMLResponse(f"<!doctype html><title>Full</title><p>{refusal.sentence}</p>", 503, _after(refusal))(
                scope, receive, send
            )
        else:
            await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> Refusal | None:
        try:
            self._open.check(address_of(scope))
        except (OneHolds, AllHold) as error:
            return _full(error)
        return None


class MetricsDoor:
    """Middleware that hides Streamlit's figures about visitors, unless ``$AECORE_METRICS`` is 1."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._shown = os.environ.get("AECORE_METRICS") == "1"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 404 for the figures; pass all else on."""
        if scope["type"] == "http" and not self._shown and _METRICS.search(scope["path"]):
            await PlainTextResponse("Not found", 404)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def read_at_pace(receive: Receive, clock: Callable[[], float] = time.monotonic) -> Receive:
    """Return a receive that raises Refusal where a body comes too slowly."""
    pace = Pace()

    async def receiving() -> Message:
        began = clock()
        try:
            async with asyncio.timeout(max(0.0, pace.left)):
                message = await receive()
        except TimeoutError:
            raise Refusal(
                408, f"It came to a standstill, or below {pace.BYTES_A_SECOND // 1000} kB a second: send it again."
            ) from None
        pace.spend(clock() - began, len(message.get("body", b"")))
        return message

    return receiving


def as_text(refusal: Refusal) -> Response:
    """Answer with the sentence and close the connection, whose rest nobody reads."""
    return PlainTextResponse(refusal.sentence, refusal.status, {"Connection": "close", **_after(refusal)})


def _after(refusal: Refusal) -> dict[str, str]:
    return {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}


def _length(scope: Scope, missing: int | None = None) -> int:
    said = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    if not said.isdigit():
        if missing is not None:
            return missing
        raise Refusal(411, "An upload has to say its length: send it with a browser, or with Content-Length.")
    size = int(said)
    if size > MAX_UPLOAD and missing is None:
        raise Refusal(413, "At most 100 MB are taken in one file: cut it, keep every n-th row, or gzip it.")
    return size


async def _discard(receive: Receive) -> None:
    try:
        while True:
            message = await receive()
            if message["type"] != "http.request" or not message.get("more_body"):
                return
    except Refusal:
        return


def _slow_down(receive: Receive) -> Receive:
    """Return a receive that waits where messages come faster than they may; the sender's line fills up meanwhile."""
    left, at = MESSAGES_AT_ONCE, time.monotonic()

    async def receiving() -> Message:
        nonlocal left, at
        message = await receive()
        now = time.monotonic()
        left = min(MESSAGES_AT_ONCE, left + (now - at) * MESSAGES_A_SECOND) - 1
        at = now
        if left < 0:
            await asyncio.sleep(-left / MESSAGES_A_SECOND)
        return message

    return receiving


def _is_page(scope: Scope) -> bool:
    wants = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    return b"text/html" in wants and not _INNER.search(scope["path"])


def _full(error: Exception) -> Refusal:
    return Refusal(503, FULL.format(" from your address" if isinstance(error, OneHolds) else ""), 60)


async def _deny(scope: Scope, send: Send, refusal: Refusal) -> None:
    """Refuse a websocket before it is opened."""
    if "websocket.http.response" in scope.get("extensions", {}):
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"retry-after", str(refusal.retry_after).encode())]
        await send({"type": "websocket.http.response.start", "status": refusal.status, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": refusal.sentence.encode()})
    else:
        await send({"type": "websocket.close", "code": 1013})
