"""A visitor without a browser: speaks Streamlit's messages over its websocket, as the frontend does."""

import asyncio
import contextlib
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

WAIT = 60.0  # s
ASK_AGAIN = 3.0  # s


class Failed(Exception):
    """The server did not do what a visitor may expect."""


class Visitor:
    """One open page. ``elements`` holds its elements as they were sent last, by kind and place."""

    def __init__(self, socket: ClientConnection, url: str, xsrf: str, query: str) -> None:
        self._socket, self._url, self.xsrf, self.query = socket, url, xsrf, query
        self._known: dict[str, ForwardMsg] = {}
        self._widgets: dict[str, Any] = {}  # what this page has set, by id
        self._renewing: dict[str, float] = {}  # fragments that are to be run again, and after how many seconds
        self.session_id = ""
        self.page_hash = ""
        self.elements: dict[tuple[int, ...], tuple[Any, str]] = {}  # path -> element, fragment
        self.runs = 0  # finished so far
        self.bytes = 0
        self.raw: bytearray | None = None  # where it is one, all that comes is kept

    @classmethod
    async def open(cls, url: str, page: str = "", query: str = "") -> "Visitor":
        """Connect, open a page by its name in the URL, and wait for its first run's end."""
        xsrf = await asyncio.to_thread(_token, url)
        socket = await connect(
            f"ws://{urlsplit(url).netloc}/_stcore/stream", subprotocols=["streamlit", xsrf], max_size=None,
            origin=url, additional_headers={"Cookie": f"_streamlit_xsrf={xsrf}"}, compression=None,
        )  # fmt: skip
        self = cls(socket, url, xsrf, query)
        await self._send(page_name=page)
        await self.finished(1)
        return self

    async def close(self) -> None:
        """Close the tab."""
        await self._socket.close()

    async def break_line(self, seconds: float) -> None:
        """Lose the connection, and come back after some seconds as the frontend does: the same session, run again."""
        await self._socket.close()
        await asyncio.sleep(seconds)
        self._socket = await connect(
            f"ws://{urlsplit(self._url).netloc}/_stcore/stream",
            subprotocols=["streamlit", self.xsrf, self.session_id], max_size=None, origin=self._url,
            additional_headers={"Cookie": f"_streamlit_xsrf={self.xsrf}"}, compression=None,
        )  # fmt: skip
        self._known, self.elements, self._renewing = {}, {}, {}
        await self.rerun()

    # ---------------------------------------------------------------- looking
    def of_kind(self, kind: str) -> list[Any]:
        """All elements of a kind on the page."""
        found = [element for element, _ in self.elements.values() if element.WhichOneof("type") == kind]
        return [getattr(element, kind) for element in found]

    def words(self) -> str:
        """All text on the page."""
        texts = [each.body for kind in ("markdown", "alert", "text") for each in self.of_kind(kind)]
        return "\n".join([*texts, *(each.body for each in self.of_kind("heading"))])

    def widget(self, kind: str, label: str) -> tuple[Any, str]:
        """A widget by its label, and the fragment it lies in."""
        for element, fragment in self.elements.values():
            if element.WhichOneof("type") == kind and getattr(element, kind).label == label:
                return getattr(element, kind), fragment
        raise Failed(f"there is no {kind} called {label!r}")

    def check(self) -> None:
        """Raise where the page shows an exception."""
        if found := self.of_kind("exception"):
            raise Failed(f"{found[0].type}: {found[0].message}")

    # ---------------------------------------------------------------- acting
    async def set(self, kind: str, label: str, wait: bool = True, **value: Any) -> float:
        """Change a widget; returns the seconds until the run that follows has ended."""
        widget, fragment = self.widget(kind, label)
        return await self.send_value(widget.id, fragment, wait, **value)

    async def send_value(self, widget_id: str, fragment: str, wait: bool = True, **value: Any) -> float:
        """Set a widget's value by id."""
        began, runs = time.perf_counter(), self.runs
        triggers = any(name.endswith("trigger_value") for name in value)
        if not triggers:
            self._widgets[widget_id] = value
        await self._send(fragment=fragment, extra={widget_id: value} if triggers else {})
        if wait:
            await self.finished(runs + 1)
        return time.perf_counter() - began

    async def upload(self, label: str, name: str, data: bytes) -> int:
        """Choose a file; returns the HTTP status of its upload. The page runs again and has ended."""
        widget, fragment = self.widget("file_uploader", label)
        url = await self._upload_url(name)
        status = await asyncio.to_thread(put, f"{self._url}{url.upload_url}", name, data, self.xsrf)
        if status == 204:
            message = BackMsg()
            state = message.rerun_script.widget_states.widgets.add(id=widget.id).file_uploader_state_value
            info = state.uploaded_file_info.add(file_id=url.file_id, name=name, size=len(data))
            info.file_urls.CopyFrom(url)
            self._widgets[widget.id] = {"file_uploader_state_value": state}
            runs = self.runs
            await self._send(fragment=fragment)
            await self.finished(runs + 1)
        return status

    async def ask_for_file(self, file_id: str) -> str:
        """Click a download button as the browser does; returns the request's id."""
        message = BackMsg()
        request = message.backend_operation_request
        request.request_id, request.session_id = uuid4().hex, self.session_id
        request.deferred_file.file_id = file_id
        await self._socket.send(message.SerializeToString())
        return request.request_id

    async def _upload_url(self, name: str) -> Any:
        """Where to send a file of this name; asked again where a run that began meanwhile has swept the answer away."""
        asked = set()
        async with asyncio.timeout(WAIT):
            while True:
                message = BackMsg()
                message.file_urls_request.request_id = uuid4().hex
                message.file_urls_request.file_names.append(name)
                message.file_urls_request.session_id = self.session_id
                asked.add(message.file_urls_request.request_id)
                await self._socket.send(message.SerializeToString())
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(ASK_AGAIN):
                        while True:
                            answer = await self._receive()
                            response = answer.file_urls_response
                            if answer.WhichOneof("type") == "file_urls_response" and response.response_id in asked:
                                if response.error_msg:
                                    raise Failed(response.error_msg)
                                return response.file_urls[0]

    async def finished(self, runs: int) -> None:
        """Take messages until so many runs have ended."""
        async with asyncio.timeout(WAIT):
            while self.runs < runs:
                await self._receive()

    async def until(self, condition: Any, seconds: float = WAIT) -> Any:
        """Take messages, and renew what renews itself, until a condition holds."""
        end = time.monotonic() + seconds
        while not (answer := condition()):
            if time.monotonic() > end:
                raise Failed(f"not within {seconds} s; the page says: {self.words()[-600:]}")
            try:
                async with asyncio.timeout(min([0.5, *self._renewing.values()])):
                    await self._receive()
            except TimeoutError:
                for fragment in self._renewing:
                    await self._send(fragment=fragment, renewing=True)
        return answer

    async def rerun(self) -> None:
        """Run the page again."""
        runs = self.runs
        await self._send()
        await self.finished(runs + 1)

    # ---------------------------------------------------------------- messages
    async def _send(
        self, page_name: str | None = None, fragment: str = "", extra: dict[str, Any] | None = None,
        renewing: bool = False,
    ) -> None:  # fmt: skip
        message = BackMsg()
        state = message.rerun_script
        state.query_string = self.query
        if page_name is not None:
            state.page_name = page_name
        else:
            state.page_script_hash = self.page_hash
        state.fragment_id, state.is_auto_rerun = fragment, renewing
        state.cached_message_hashes.extend(self._known)
        for widget_id, value in {**self._widgets, **(extra or {})}.items():
            widget = state.widget_states.widgets.add(id=widget_id)
            for field, content in value.items():
                if hasattr(content, "DESCRIPTOR"):
                    getattr(widget, field).CopyFrom(content)
                else:
                    setattr(widget, field, content)
        await self._socket.send(message.SerializeToString())

    async def _receive(self) -> ForwardMsg:
        data = await self._socket.recv()
        self.bytes += len(data)
        if self.raw is not None:
            self.raw += data
        message = ForwardMsg.FromString(data)
        kind = message.WhichOneof("type")
        if kind == "ref_hash":
            known = self._known[message.ref_hash]
            metadata = message.metadata
            message = ForwardMsg()
            message.CopyFrom(known)
            message.metadata.CopyFrom(metadata)
            kind = message.WhichOneof("type")
        elif message.hash and message.metadata.cacheable:
            self._known[message.hash] = message
        if kind == "new_session":
            self._begin(message.new_session, bool(message.metadata.run.fragment_ids))
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            path = tuple(message.metadata.delta_path)
            self.elements[path] = (message.delta.new_element, message.delta.fragment_id)
        elif kind == "navigation":
            self.page_hash = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "script_finished":
            self.runs += message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
        elif kind == "auto_rerun":
            self._renewing[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "stop_auto_rerun":
            self._renewing.pop(message.stop_auto_rerun.fragment_id, None)
        return message

    def _begin(self, session: Any, of_fragment: bool) -> None:
        self.session_id = session.initialize.session_id or self.session_id
        if not of_fragment:
            self.elements, self._renewing = {}, {}


def _token(url: str) -> str:
    with urllib.request.urlopen(f"{url}/_stcore/health", timeout=WAIT) as answer:
        cookie = answer.headers.get("set-cookie", "")
    return cookie.partition("_streamlit_xsrf=")[2].partition(";")[0]


def put(url: str, name: str, data: bytes, xsrf: str | None, method: str = "PUT", cookie: str | None = "") -> int:
    """Send a file as the frontend does, with the header's token in the cookie or another; returns the HTTP status."""
    boundary = uuid4().hex
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n'
    head += "Content-Type: application/octet-stream\r\n\r\n"
    body = head.encode() + data + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    if xsrf is not None:
        headers["X-Xsrftoken"] = xsrf
    if cookie := xsrf if cookie == "" else cookie:
        headers["Cookie"] = f"_streamlit_xsrf={cookie}"
    request = urllib.request.Request(url, body if method == "PUT" else None, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=WAIT) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def run(play: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Play in a thread of its own: where a browser has been driven before, this one has an event loop already."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(play())).result()
