"""Two visitors of one server: what either may do, and that neither sees anything of the other."""

import asyncio
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.servers import serving
from tests.visitor import Visitor, put, run

PAGE, OWN = "Sensor_Anomalies", "source=Your+own+file"
MARK = "channel of one visitor"
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("sessions")) as running:
        yield running


def log(names):
    t = np.arange(400)[:, None]
    values = np.sin(t / 6 + np.arange(len(names))) + 0.05 * np.random.default_rng(0).normal(size=(400, len(names)))
    return pd.DataFrame(values, columns=names).to_csv(index=False).encode()


async def with_a_log(server, name, names):
    """A visitor whose file is there and read."""
    visitor = await Visitor.open(server.url, PAGE, OWN)
    visitor.raw = bytearray()
    assert await visitor.upload("A sensor log", name, log(names)) == 204
    await visitor.until(lambda: names[0].encode() in visitor.raw)
    visitor.check()
    return visitor


def test_a_visitor_sees_nothing_of_another_s_file(server):
    async def play():
        one = await with_a_log(server, "secret.csv", [MARK, "other"])
        assert "secret.csv" in one.query
        two = await Visitor.open(server.url, PAGE, OWN)
        two.raw = bytearray()
        guest = await Visitor.open(server.url, PAGE, one.query)  # the link that the first one would send
        guest.raw = bytearray()
        for visitor in (two, guest):
            await visitor.rerun()
            visitor.check()
            assert MARK.encode() not in visitor.raw
            assert one.session_id.encode() not in visitor.raw
        assert "This link was made with a file" in guest.words()
        assert b"secret" not in two.raw
        assert len({one.session_id, two.session_id, guest.session_id}) == 3
        await asyncio.gather(one.close(), two.close(), guest.close())

    run(play)


@pytest.mark.skipif(sys.platform != "linux", reason="the library is looked up in /proc")
def test_messages_do_not_wait_for_the_browser_s_acknowledgement(server):
    """uvloop sets TCP_NODELAY on every line; asyncio does not on sockets that Streamlit has opened itself."""
    assert "uvloop" in Path(f"/proc/{server.process.pid}/maps").read_text()


def test_an_upload_needs_its_page_s_token(server):
    async def play():
        visitor = await Visitor.open(server.url, PAGE, OWN)
        url = server.url + (await visitor._upload_url("a.csv")).upload_url
        forged = "2|00000000|11111111111111111111111111111111|1"
        # What another site's page can do: have a browser send the visitor's cookie, but not read it for the header.
        for header, cookie in ((None, None), (None, visitor.xsrf), (visitor.xsrf, None), (forged, visitor.xsrf)):
            assert put(url, "a.csv", b"a\n1\n", header, cookie=cookie) == 403
        assert put(url, "", b"", None, method="DELETE", cookie=visitor.xsrf) == 403
        assert put(url.replace(visitor.session_id, "somebody"), "a.csv", b"a\n1\n", visitor.xsrf) == 404
        assert put(url, "a.csv", b"a\n1\n", visitor.xsrf) == 204
        await visitor.close()

    run(play)


def test_a_name_that_is_markup_is_shown_as_text(server):
    async def play():
        visitor = await with_a_log(server, f"{EVIL}.csv", [EVIL, "[x](javascript:alert(1))"])
        assert not any(markdown.allow_html for markdown in visitor.of_kind("markdown"))
        shown = [html for html in visitor.of_kind("html") if EVIL in html.body]
        assert not shown
        said = "\n".join(each.body for kind in ("markdown", "alert") for each in visitor.of_kind(kind))
        assert EVIL not in said  # where it is said in Markdown, every mark of it is escaped
        await visitor.close()

    run(play)
