"""What stands before the pages, on real servers and sockets: connections, messages, uploads, downloads."""

import asyncio
import contextlib
import http.client
import os
import socket
import urllib.request
import uuid
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.servers import ROOT, serving
from tests.visitor import Failed, Visitor, _token, put, run

PAGE, OWN, LABEL = "Sensor_Anomalies", "source=Your+own+file", "A sensor log"
MEGABYTE = 1_000_000
ANSWERS = 20.0  # s; generous, for a busy machine: what must not happen is that the answer waits for the stuck work

# A page with work that does not end before it is told to, under everything that stands before the real ones.
STUCK = """
import time
from pathlib import Path
import streamlit as st
from pages.ui.frame import guard

guard.install()
stop = Path({stop!r})

def make():
    while not stop.exists():
        time.sleep(0.05)
    return b"made"

st.download_button("Report", make, file_name="report.csv", on_click="ignore")
st.text("x" * {outbound})
st.write("ready")
"""
SERVED = """
import sys
sys.path.insert(0, {root!r})
import streamlit as st
import serve
app = st.App({script!r}, routes=serve.routes(), middleware=serve.app._user_middleware, lifespan=serve.lifespan)
"""


@pytest.fixture(scope="module", params=["serve.py", "Home.py"])
def stuck(request, tmp_path_factory):
    """A server of the stuck page, under `serve.py`'s app or by itself, and the file that frees its work."""
    tmp_path = tmp_path_factory.mktemp("stuck")
    page = tmp_path / "page.py"
    page.write_text(STUCK.format(stop=str(tmp_path / "stop"), outbound=3 * MEGABYTE))
    script = page
    if request.param == "serve.py":
        script = tmp_path / "served.py"
        script.write_text(SERVED.format(root=str(ROOT), script=str(page)))
    with serving(tmp_path, str(script), PYTHONPATH=str(ROOT), AECORE_JOBS="inline") as server:
        yield server, request.param == "serve.py", tmp_path / "stop"


def get(server, path, **headers):
    request = urllib.request.Request(server.url + path, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=ANSWERS) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def open_socket(server):
    return connect(
        f"ws://{server.url[7:]}/_stcore/stream", subprotocols=["streamlit", _token(server.url)], max_size=None,
        compression=None, ping_interval=None,
    )  # fmt: skip


async def ask_for_a_file(visitor):
    return await visitor.ask_for_file(visitor.of_kind("download_button")[0].deferred_file_id)


async def answer_to_files(visitor, count):
    answers = {}
    async with asyncio.timeout(ANSWERS):
        while len(answers) < count:
            message = await visitor._receive()
            if message.WhichOneof("type") == "backend_operation_response":
                response = message.backend_operation_response
                answers[response.request_id] = response.error_msg
    return answers


def test_files_that_are_being_made_stand_in_nobody_s_way(stuck):
    server, interface, stop = stuck
    stop.unlink(missing_ok=True)

    async def play():
        visitor, other = await Visitor.open(server.url), await Visitor.open(server.url)
        asked = [await ask_for_a_file(visitor) for _ in range(30)]
        refused = await answer_to_files(visitor, 28)
        assert set(refused.values()) == {"2 of your files are being made, as many as one visitor may ask for: wait."}
        assert (await asyncio.to_thread(get, server, "/_stcore/health"))[0] == 200
        if interface:
            assert await asyncio.to_thread(post_a_bad_form, server) == 422
        mine = await ask_for_a_file(other)
        stop.touch()
        made = await answer_to_files(visitor, 2)
        assert set(made) == set(asked) - set(refused)
        assert set(made.values()) == {""}
        assert await answer_to_files(other, 1) == {mine: ""}
        await ask_for_a_file(visitor)
        assert set((await answer_to_files(visitor, 1)).values()) == {""}
        await asyncio.gather(visitor.close(), other.close())

    run(play)


def post_a_bad_form(server):
    """Send a form that is refused before any work, in one of the interface's threads; returns the status."""
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\r\n--x\r\n'
    body += b'Content-Disposition: form-data; name="strength"\r\n\r\n7\r\n--x--\r\n'
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=ANSWERS)
    try:
        head = {"Content-Type": "multipart/form-data; boundary=x"}
        connection.request("POST", "/api/denoise", body, head)
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_page_may_send_more_than_a_browser(stuck):
    server, _, _ = stuck

    async def play():
        visitor = await Visitor.open(server.url)
        visitor.check()
        assert visitor.bytes > 3 * MEGABYTE
        assert "ready" in visitor.words()
        await visitor.close()
        for pieces in (1, 60):  # as one frame, and as a message that does not end
            async with open_socket(server) as other:
                sending = asyncio.create_task(other.send(unfinished(pieces)))
                async with asyncio.timeout(ANSWERS):
                    await other.wait_closed()
                sending.cancel()
                with contextlib.suppress(ConnectionClosed, asyncio.CancelledError):
                    await sending
                assert other.close_code in (1009, 1006)

    run(play)


async def unfinished(pieces):
    for _ in range(pieces):
        yield os.urandom(3 * MEGABYTE // min(pieces, 3))
    await asyncio.sleep(10 * ANSWERS)
    yield b""


def test_an_address_has_so_many_pages_open_and_no_more(tmp_path):
    async def play(server):
        held = [await connect_once(server) for _ in range(2)]
        with pytest.raises(InvalidStatus) as caught:
            await connect_once(server)
        assert caught.value.response.status_code == 503
        assert b"as many open pages as it takes from your address" in caught.value.response.body
        code, shown = await asyncio.to_thread(get, server, "/Sensor_Anomalies", Accept="text/html")
        assert code == 503
        assert "Close one, or try again" in shown
        assert (await asyncio.to_thread(get, server, "/api/health", Accept="text/html"))[0] == 200
        for each in held:
            await each.close()
        async with asyncio.timeout(ANSWERS):
            while (await asyncio.to_thread(get, server, "/", Accept="text/html"))[0] != 200:
                await asyncio.sleep(0.05)
        await (await connect_once(server)).close()

    with serving(tmp_path, AECORE_SESSIONS_PER_ADDRESS="2", AECORE_JOBS="inline") as server:
        run(lambda: play(server))


async def connect_once(server):
    """Open a connection; the client library would try again where the server is busy."""
    return await connect(
        f"ws://{server.url[7:]}/_stcore/stream",
        subprotocols=["streamlit", await asyncio.to_thread(_token, server.url)],
        max_size=None, compression=None, ping_interval=None, process_exception=lambda error: error,
    )  # fmt: skip


def test_the_pages_alone_have_so_many_open_in_all(tmp_path):
    async def play(server):
        held = [await Visitor.open(server.url) for _ in range(2)]
        refused = await connect_once(server)
        async with asyncio.timeout(ANSWERS):
            await refused.wait_closed()
        await held[0].rerun()
        await held.pop().close()
        await (await Visitor.open(server.url)).close()
        await held[0].close()

    with serving(tmp_path, "Home.py", AECORE_SESSIONS="2", AECORE_JOBS="inline") as server:
        run(lambda: play(server))
        assert "Traceback" not in server.log.read_text()


def test_an_upload_that_no_page_asked_for_is_refused_unread(tmp_path):
    async def play(server):
        visitor = await Visitor.open(server.url)
        for session in (visitor.session_id, "somebody"):
            status, said = await asyncio.to_thread(send_a_head, server, session, visitor.xsrf)
            assert status == 404
            assert said == b"No open page has asked for this upload: open the page and choose the file there."
        await visitor.close()

    with serving(tmp_path, AECORE_JOBS="inline") as server:
        run(lambda: play(server))


def test_the_pages_alone_refuse_it_too(tmp_path):
    async def play(server):
        visitor = await Visitor.open(server.url)
        url = f"{server.url}/_stcore/upload_file/{visitor.session_id}/{uuid.uuid4()}"
        assert await asyncio.to_thread(put, url, "a.csv", b"a\n1\n", visitor.xsrf) == 404
        assert await asyncio.to_thread(held, server) == 0
        await visitor.close()

    with serving(tmp_path, "Home.py", AECORE_JOBS="inline") as server:
        run(lambda: play(server))


def send_a_head(server, session, xsrf):
    """Announce an upload of 50 MB and send none of it; returns the answer's status and text."""
    with socket.create_connection(("127.0.0.1", urlsplit(server.url).port), ANSWERS) as line:
        line.sendall(
            f"PUT /_stcore/upload_file/{session}/{uuid.uuid4()} HTTP/1.1\r\nHost: {urlsplit(server.url).netloc}\r\n"
            f"X-Xsrftoken: {xsrf}\r\nCookie: _streamlit_xsrf={xsrf}\r\nContent-Length: 50000000\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\n\r\n".encode()
        )
        answer = http.client.HTTPResponse(line)
        answer.begin()
        return answer.status, answer.read()


@pytest.mark.parametrize("script", ["serve.py", "Home.py"])
def test_one_visitor_s_uploads_do_not_add_up(script, tmp_path):
    """Of twelve files in one tab the server holds the last ones; what does not fit is refused in a sentence."""

    async def play(server):
        visitor = await Visitor.open(server.url, PAGE, OWN)
        for number in range(12):
            log = b"a,b\n" + b"%d,2\n" % number * (MEGABYTE // 4)
            assert await visitor.upload(LABEL, f"{number}.csv", log) == 204
        assert await asyncio.to_thread(held, server) <= 5 * MEGABYTE
        await visitor.close()

    settings = {"AECORE_SERVER_MEGABYTES": "21", "AECORE_METRICS": "1", "AECORE_JOBS": "inline"}
    with serving(tmp_path, script, **settings) as server:
        run(lambda: play(server))


def held(server):
    """Return how many bytes of uploads Streamlit holds."""
    _, figures = get(server, "/_stcore/metrics")
    lines = [line for line in figures.splitlines() if "UploadedFileManager" in line]
    return sum(int(float(line.rsplit(" ", 1)[1])) for line in lines)


@pytest.mark.parametrize("script", ["serve.py", "Home.py"])
def test_files_go_with_their_tab_though_nobody_else_comes(script, tmp_path):
    async def play(server):
        visitor = await Visitor.open(server.url, PAGE, OWN)
        await visitor.upload(LABEL, "a.csv", b"a,b\n" + b"1,2\n" * 100_000)
        assert await asyncio.to_thread(held, server) > 400_000
        await visitor.close()
        async with asyncio.timeout(ANSWERS):
            while await asyncio.to_thread(held, server):
                await asyncio.sleep(0.1)

    settings = {"STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL": "1", "AECORE_METRICS": "1", "AECORE_JOBS": "inline"}
    with serving(tmp_path, script, **settings) as server:
        run(lambda: play(server))


def test_who_comes_back_in_time_finds_everything(tmp_path):
    async def play(server):
        visitor = await Visitor.open(server.url, PAGE, OWN)
        await visitor.upload(LABEL, "a.csv", b"a,b\n" + b"1,2\n" * 100_000)
        before = await asyncio.to_thread(held, server)
        session = visitor.session_id
        await visitor.close()
        again = await connect(
            f"ws://{server.url[7:]}/_stcore/stream", subprotocols=["streamlit", visitor.xsrf, session], max_size=None,
            origin=server.url, additional_headers={"Cookie": f"_streamlit_xsrf={visitor.xsrf}"}, compression=None,
        )  # fmt: skip
        visitor._socket = again
        await visitor.rerun()
        assert visitor.session_id == session
        assert await asyncio.to_thread(held, server) == before
        await visitor.close()

    with serving(tmp_path, AECORE_METRICS="1", AECORE_JOBS="inline") as server:
        run(lambda: play(server))


@pytest.mark.parametrize("script", ["serve.py", "Home.py"])
def test_a_file_for_which_there_is_no_room_is_refused_in_a_sentence(script, tmp_path):
    async def play(server):
        visitor = await Visitor.open(server.url, PAGE, OWN)
        assert await visitor.upload(LABEL, "a.csv", b"a,b\n" + b"1,2\n" * 250_000) == 204
        for size, status, words in ((5, 413, "try a smaller file or fewer data."), (3, 429, "has no room for 3.0 MB")):
            url = await visitor._upload_url("b.csv")
            answer = await asyncio.to_thread(send_whole, server, url.upload_url, visitor.xsrf, size * MEGABYTE)
            assert answer[0] == status
            assert words in answer[1]
        await visitor.upload(LABEL, "c.csv", b"a,b\n" + b"1,2\n" * 500_000)
        with pytest.raises(Failed, match="holds as many uploads as it can: try again in some minutes."):
            await visitor._upload_url("d.csv")
        await visitor.close()

    with serving(tmp_path, script, AECORE_SERVER_MEGABYTES="3.9", AECORE_JOBS="inline") as server:
        run(lambda: play(server))


def send_whole(server, path, xsrf, size):
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=ANSWERS)
    head = b'--x\r\nContent-Disposition: form-data; name="f"; filename="b.csv"\r\n\r\n'
    try:
        connection.request("PUT", path, head + bytes(size) + b"\r\n--x--\r\n", {
            "Content-Type": "multipart/form-data; boundary=x", "X-Xsrftoken": xsrf,
            "Cookie": f"_streamlit_xsrf={xsrf}",
        })  # fmt: skip
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()
