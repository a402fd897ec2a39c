import asyncio

import pytest

from aecore.admission import (
    MAX_IDS,
    SITE_SHARES,
    AllHold,
    OneHolds,
    Pace,
    Refusal,
    Shares,
    Uploads,
    fold,
    networks,
)
from aecore.api.door import ConnectionDoor, read_at_pace
from aecore.memory import Budget
from tests.visitor import run


def data(size):
    """Bytes that nothing else refers to."""
    return bytes(bytearray(size))


@pytest.fixture
def uploads():
    return Uploads(Budget(100), session_bytes=60, address_bytes=80)


def taken(uploads, session, file, size, address="203.0.113.1"):
    uploads.hand_out(session, file)
    return uploads.admit(session, file, size, address)


def refused(call, status, words):
    with pytest.raises(Refusal, match=words) as caught:
        call()
    assert caught.value.status == status
    assert caught.value.sentence.endswith(".")


def test_addresses_have_one_spelling():
    assert fold("::ffff:127.0.0.1") == fold("127.0.0.1") == "127.0.0.1"
    assert fold("2001:DB8:0::1") == "2001:db8::1"
    assert fold("fe80::1%eth0") == "fe80::1"
    assert fold(None) == fold("somewhere") == "unknown"
    assert networks("2001:db8:1:2::3") == ("2001:db8:1:2::/64", "2001:db8:1::/48")
    assert networks("::ffff:203.0.113.1") == ("203.0.113.1",)


def test_shares_are_counted_and_given_back_once():
    shares = Shares(each=2, whole=3)
    first, _ = shares.take("203.0.113.1"), shares.take("::ffff:203.0.113.1")
    with pytest.raises(OneHolds):
        shares.take("203.0.113.1")
    shares.take("203.0.113.2")
    with pytest.raises(AllHold):
        shares.take("203.0.113.3")
    first()
    first()
    shares.take("203.0.113.3")
    with pytest.raises(AllHold):
        shares.take("203.0.113.4")


def test_a_site_has_some_networks_shares_and_not_all():
    shares = Shares(each=1)
    for number in range(SITE_SHARES):
        shares.take(f"2001:db8:1:{number}::1")
    with pytest.raises(OneHolds):
        shares.take("2001:db8:1:ffff::1")
    shares.take("2001:db8:2::1")


def test_an_upload_is_admitted_only_where_a_page_asked_for_it(uploads):
    refused(lambda: uploads.admit("session", "file", 1, None), 404, "No open page has asked")
    refused(lambda: uploads.keep("session", "file", b"12"), 404, "No open page has asked")
    taken(uploads, "session", "file", 1)
    refused(lambda: uploads.admit("session", "file", 1, None), 409, "being uploaded already")
    refused(lambda: uploads.admit("other", "file", 1, None), 404, "No open page has asked")


def test_an_address_for_a_file_is_good_for_one_file(uploads):
    taken(uploads, "session", "file", 10)
    uploads.keep("session", "file", data(10))
    refused(lambda: uploads.admit("session", "file", 1, None), 404, "No open page has asked")
    for number in range(MAX_IDS + 1):
        uploads.hand_out("session", str(number))
    refused(lambda: uploads.admit("session", "0", 1, None), 404, "No open page has asked")
    uploads.admit("session", "1", 1, None)
    uploads.end_session("session")
    refused(lambda: uploads.admit("session", "2", 1, None), 404, "No open page has asked")


def test_session_address_and_server_have_their_limits_before_anything_is_read(uploads):
    end = taken(uploads, "one", "a", 50)
    refused(lambda: taken(uploads, "one", "b", 11), 413, "one visitor may keep")
    refused(lambda: taken(uploads, "two", "a", 31), 429, "from your address")
    taken(uploads, "two", "b", 30)
    refused(lambda: taken(uploads, "three", "a", 21, "203.0.113.2"), 429, "has no room")
    end()
    end()
    taken(uploads, "three", "b", 60, "203.0.113.2")


def test_a_file_that_arrives_takes_over_what_its_reading_had_reserved(uploads):
    end = taken(uploads, "session", "file", 40)
    uploads.keep("session", "file", data(38))
    end()
    assert uploads.held_by("session") == 40  # as it was announced: a frame goes with it
    assert uploads.address_of("session") == "203.0.113.1"
    uploads.drop("session", "file")
    assert uploads.held_by("session") == 0
    assert uploads.address_of("session") is None


def test_bytes_count_as_long_as_anybody_holds_them(uploads):
    held = data(40)
    taken(uploads, "session", "file", 40)
    uploads.keep("session", "file", held)
    uploads.drop("session", "file")
    assert uploads.held_by("session") == 40
    refused(lambda: taken(uploads, "session", "other", 30), 413, "Your files hold")
    del held
    uploads.sweep()
    assert uploads.held_by("session") == 0


def test_empty_files_leave_nothing_behind(uploads):
    taken(uploads, "session", "file", 0)
    uploads.keep("session", "file", b"")
    uploads.end_session("session")
    assert not uploads._dropped


def test_files_that_no_control_names_are_told(uploads):
    for name in "abcd":
        taken(uploads, "session", name, 5)
        uploads.keep("session", name, data(5))
    assert uploads.find_unnamed("session", {"b"}, but=2) == ["a"]
    assert uploads.find_unnamed("session", (), but=1) == ["a", "b", "c"]
    assert uploads.find_unnamed("nobody", (), but=1) == []


def test_no_room_is_said_before_a_browser_sends_anything():
    uploads = Uploads(Budget(3_000_000), session_bytes=2_500_000)
    uploads.check_room("one")
    taken(uploads, "one", "a", 1_600_000)
    refused(lambda: uploads.check_room("one"), 413, "Your files hold 2 MB")
    uploads.check_room("two")
    taken(uploads, "two", "a", 1_000_000)
    refused(lambda: uploads.check_room("three"), 429, "as many uploads as it can")


def test_a_body_that_comes_fast_has_all_the_time_and_a_slow_one_has_not():
    pace = Pace()
    for _ in range(1000):
        pace.spend(10.0, 10 * Pace.BYTES_A_SECOND)
    assert pace.left == Pace.GRACE
    for _ in range(3):
        pace.spend(10.0, Pace.BYTES_A_SECOND)
    assert pace.left < 0


def test_a_body_that_stands_still_is_given_up(monkeypatch):
    monkeypatch.setattr(Pace, "GRACE", 0.01)

    async def play():
        receive = read_at_pace(lambda: asyncio.Event().wait())
        with pytest.raises(Refusal, match="came to a standstill") as caught:
            await receive()
        assert caught.value.status == 408

    run(play)


def test_messages_faster_than_a_hand_wait_and_none_is_lost(monkeypatch):
    waited, passed = [], []

    async def sleep(seconds):
        waited.append(seconds)

    async def app(scope, receive, send):
        for _ in range(3000):
            passed.append(await receive())

    async def receive():
        return {"type": "websocket.receive", "bytes": len(passed)}

    monkeypatch.setattr("aecore.api.door.asyncio.sleep", sleep)
    monkeypatch.setattr("aecore.api.door.time.monotonic", lambda: 0.0)
    scope = {"type": "websocket", "path": "/_stcore/stream", "client": ("203.0.113.1", 1), "headers": []}
    run(lambda: ConnectionDoor(app)(scope, receive, None))
    assert [message["bytes"] for message in passed] == list(range(3000))
    assert len(waited) == 2000
