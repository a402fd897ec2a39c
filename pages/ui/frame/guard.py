"""Limits inside Streamlit's own server: set up once a process, by `serve.py` or by the first page that is drawn.

`serve.py` puts middleware before the server as well, which refuses earlier and knows callers' addresses. What stands
here holds under ``streamlit run Home.py`` too. Streamlit 1.67 has no settings for most of it, so this module is the one
place that reaches into its runtime; `tests/test_door.py` and `tests/test_sessions.py` hold it against a real server.
"""

import asyncio
import ctypes
import logging
import os
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.exceptions import HTTPException
from starlette.websockets import WebSocketDisconnect
from streamlit import config
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import BackendOperationResponse, DeferredFileResponsePayload, ForwardMsg
from streamlit.runtime import Runtime, runtime_util
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.backend_operation_handler import DeferredFileHandler
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.session_manager import SessionInfo, SessionStorage
from streamlit.runtime.state import SessionState
from streamlit.runtime.uploaded_file_manager import UploadedFileRec, UploadFileUrlInfo
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

from aecore.admission import Refusal, uploads

# What a page may send to a browser. What a browser may send is server.maxMessageSize in .streamlit/config.toml:
# Streamlit has one setting for both; it reads it for the latter when it opens its port, for the former at each message.
OUTBOUND_BYTES = 64_000_000
CLOSED_BYTES = 40_000_000  # of files that one address's closed tabs keep until their grace ends, beyond the newest tab
DISCONNECTED = 128  # sessions whose line broke and that may come back; the oldest go first

DOWNLOADS_EACH = 2  # files that are made for one session at once
DOWNLOADS = 8  # in all: each holds a thread until its work has ended
DOWNLOAD_SECONDS = 120.0

SESSIONS = 400  # open pages in all, unless $AECORE_SESSIONS says otherwise

M_MMAP_THRESHOLD = -3  # glibc's malloc.h
LARGE = 8 << 20

gone = threading.Event()  # set when a session or a file has ended: what it held may lie in cycles

_log = logging.getLogger("aecore.pages")
_installing = threading.Lock()
_threads = ThreadPoolExecutor(DOWNLOADS, thread_name_prefix="download")
_downloads: Counter[str] = Counter()  # under way, by session; of the event loop's thread alone


def install() -> None:
    """Set the limits up, where they are not yet; does nothing without a server, as in a test of a page."""
    runtime = Runtime.instance() if Runtime.exists() else None
    if type(runtime) is not Runtime or isinstance(runtime.uploaded_file_mgr, _AdmittedFiles):  # a test has a stand-in
        return
    with _installing:
        files, sessions = runtime.uploaded_file_mgr, runtime._session_mgr
        if isinstance(files, MemoryUploadedFileManager) and not isinstance(files, _AdmittedFiles):
            files.__class__ = _AdmittedFiles
            _return_what_is_freed()
            runtime_util._max_message_size_bytes = OUTBOUND_BYTES
            DeferredFileHandler.handle = _make_file  # type: ignore[method-assign]
            AppSession._handle_file_urls_request = _answer_file_urls  # type: ignore[method-assign]
            if isinstance(sessions, WebsocketSessionManager):
                sessions.__class__ = _CountedSessions
                loop = runtime._get_async_objs().eventloop
                ttl = float(config.get_option("server.disconnectedSessionTTL"))
                loop.call_soon_threadsafe(setattr, sessions, "_session_storage", _EndingSessions(ttl, loop))


def _return_what_is_freed() -> None:
    """Have glibc give large blocks back to the system when they are freed.

    By itself it raises the size from which it does so to that of the largest block that it has seen, up to 32 MB, and
    keeps the heap of each thread at its largest: three uploads of 20 MB stay in memory for good. Messages to the
    browser, networks of 2 MB above all, stay below: each page of a block that comes from the system costs a fault.
    """
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        mallopt(M_MMAP_THRESHOLD, LARGE)


class _AdmittedFiles(MemoryUploadedFileManager):
    """Streamlit's store of uploads, with the server's record of what may be held."""

    def get_upload_urls(self, session_id: str, file_names: Sequence[str]) -> list[UploadFileUrlInfo]:
        self._drop_unnamed(session_id, but=1)  # the newest, which its page may not have heard of yet
        urls = super().get_upload_urls(session_id, file_names)
        for url in urls:
            uploads.hand_out(session_id, url.file_id)
        return urls

    def add_file(self, session_id: str, file: UploadedFileRec) -> None:
        try:
            uploads.keep(session_id, file.file_id, file.data)
        except Refusal as refusal:
            raise HTTPException(refusal.status, refusal.sentence) from None
        super().add_file(session_id, file)
        self._drop_unnamed(session_id, but=2)

    def _drop_unnamed(self, session_id: str, but: int) -> None:
        for unnamed in uploads.find_unnamed(session_id, _named_files(session_id), but):
            self.remove_file(session_id, unnamed)

    def remove_file(self, session_id: str, file_id: str) -> None:
        super().remove_file(session_id, file_id)
        uploads.drop(session_id, file_id)
        gone.set()

    def remove_session_files(self, session_id: str) -> None:
        super().remove_session_files(session_id)
        uploads.end_session(session_id)


def _named_files(session_id: str) -> set[str]:
    """Return the files that controls of a session's page hold, as the browser said last and as the script sees them."""
    session = Runtime.instance().get_app_session(session_id)
    if session is None:
        return set()
    states = [*session._client_state.widget_states.widgets]
    held = list(session.session_state._new_widget_state.states.values())
    states += [each.value for each in held if type(each).__name__ == "Serialized"]
    named = {info.file_id for state in states for info in state.file_uploader_state_value.uploaded_file_info}
    values = [each.value for each in held if type(each).__name__ == "Value"]
    flat = [value for each in values for value in (each if isinstance(each, list) else [each])]
    return named | {value.file_id for value in flat if hasattr(value, "file_id")}


def _answer_file_urls(self: AppSession, request: Any) -> None:
    """Answer where a file may be sent to; or the sentence why not, which the uploader then shows."""
    message = ForwardMsg()
    message.file_urls_response.response_id = request.request_id
    try:
        uploads.check_room(self.id)
    except Refusal as refusal:
        message.file_urls_response.error_msg = refusal.sentence
    else:
        for url in self._uploaded_file_mgr.get_upload_urls(self.id, request.file_names):
            message.file_urls_response.file_urls.add(
                file_id=url.file_id, upload_url=url.upload_url, delete_url=url.delete_url
            )
    self._enqueue_forward_msg(message)


async def _make_file(self: DeferredFileHandler, request: Any, session_id: str) -> BackendOperationResponse:
    """Make a file that a visitor asked for, in threads of its own and so many at once as one may have made."""
    answer = BackendOperationResponse(request_id=request.request_id)
    if _downloads[session_id] >= DOWNLOADS_EACH:
        answer.error_msg = f"{DOWNLOADS_EACH} of your files are being made, as many as one visitor may ask for: wait."
        return answer
    if _downloads.total() >= DOWNLOADS:
        answer.error_msg = f"{DOWNLOADS} files are being made, as many as this server makes at once: try again soon."
        return answer
    _downloads[session_id] += 1
    make = self._get_media_file_mgr().execute_deferred
    making = asyncio.get_running_loop().run_in_executor(_threads, make, request.deferred_file.file_id)
    making.add_done_callback(lambda done: _end_download(session_id, done))
    try:
        async with asyncio.timeout(DOWNLOAD_SECONDS):
            url = await asyncio.shield(making)  # its thread cannot be stopped, and counts until it ends
        answer.deferred_file.CopyFrom(DeferredFileResponsePayload(url=url))
    except TimeoutError:
        answer.error_msg = f"The file was not made within {DOWNLOAD_SECONDS:.0f} s: try again later."
    except Exception as error:  # of a page's own function: the log has the place, the visitor a sentence
        _log_failure(error)
        answer.error_msg = "The file could not be made: change a setting, or try again."
    return answer


def _end_download(session_id: str, done: "asyncio.Future[str]") -> None:
    if not done.cancelled():
        done.exception()  # looked at, so that asyncio does not complain where nobody waited any more
    _downloads[session_id] -= 1
    if not _downloads[session_id]:
        del _downloads[session_id]


def _log_failure(error: Exception) -> None:
    _log.error("A file for a visitor could not be made", exc_info=error)


class _CountedSessions(WebsocketSessionManager):
    """Streamlit's sessions, so many and no more."""

    def connect_session(self, *args: Any, existing_session_id: str | None = None, **kwargs: Any) -> str:
        most = int(os.environ.get("AECORE_SESSIONS", SESSIONS))
        if len(self._active_session_info_by_id) >= most:
            raise WebSocketDisconnect(1013, "as many pages are open as this server takes")
        return super().connect_session(*args, existing_session_id=existing_session_id, **kwargs)


class _EndingSessions(SessionStorage):
    """Sessions whose line broke: kept for a while, then ended at once, with their files.

    Streamlit's own storage looks for what has expired only when the next session is put into it.
    """

    def __init__(self, seconds: float, loop: asyncio.AbstractEventLoop) -> None:
        self._seconds, self._loop = seconds, loop
        self._kept: dict[str, tuple[SessionInfo, asyncio.TimerHandle]] = {}

    def get(self, session_id: str) -> SessionInfo | None:
        kept = self._kept.get(session_id)
        return kept[0] if kept else None

    def save(self, session_info: SessionInfo) -> None:
        while len(self._kept) >= DISCONNECTED:
            self._end(next(iter(self._kept)))
        session = session_info.session.id
        self._kept[session] = (session_info, self._loop.call_later(self._seconds, self._end, session))

        self._make_room(session)

    def _make_room(self, newest: str) -> None:
        """End the oldest of an address's closed tabs where they hold much: a line that breaks is one tab's, or few."""
        address = uploads.address_of(newest)
        if address is None:
            return
        others = [each for each in self._kept if each != newest and uploads.address_of(each) == address]
        held = 0
        for each in reversed(others):
            held += uploads.held_by(each)
            if held > CLOSED_BYTES:
                self._end(each)

    def delete(self, session_id: str) -> None:
        _, timer = self._kept.pop(session_id)
        timer.cancel()

    def list(self) -> "list[SessionInfo]":
        return [info for info, _ in self._kept.values()]

    def _end(self, session_id: str) -> None:
        info = self.get(session_id)
        if info is not None:
            self.delete(session_id)
            session = info.session
            session.shutdown()
            # What it refers to goes now: Streamlit's loop holds the last session that it served until another comes.
            session._session_state.clear()
            session._session_state = SessionState()
            session._fragment_storage.clear()
            session._client_state = ClientState()
            gone.set()


def tidy() -> None:
    """Give back what is counted for uploads that nothing refers to any more; called at times."""
    uploads.sweep()
