"""The interface on the pages' port: what it answers, what it refuses, and what it never does."""

import http.client
import io
import json
import subprocess
import sys
import threading
import uuid
from contextlib import ExitStack
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest
import soundfile

from aecore.admission import SITE_SHARES, Refusal
from aecore.anomaly import AnomalyDetector
from aecore.api import endpoints, headers
from aecore.api import tasks as work
from aecore.api.limits import ALL_AT_ONCE, READING_AT_ONCE, Limits
from aecore.api.responses import sentence_of, status_of
from aecore.errors import DataError, JobCancelled, JobError, NoWorkers, StoreError, TooBusy, WorkerLost
from aecore.numerics.progress import finish
from tests import files
from tests.servers import ROOT, serving
from tests.visitor import Visitor, run

WAIT = 300


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("served"), AECORE_API_PER_MINUTE="1000") as running:
        yield running


def call(server, method, path, body=None, headers=None):
    """Status, headers and body of an answer."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=WAIT)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def form(**parts):
    """Body and headers as ``curl -F`` makes them: (name, bytes) is a file."""
    boundary = uuid.uuid4().hex
    body = b""
    for key, part in parts.items():
        name = f'; filename="{part[0]}"' if isinstance(part, tuple) else ""
        content = part[1] if isinstance(part, tuple) else part.encode()
        body += (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"{name}\r\n\r\n'.encode() + content + b"\r\n"
        )
    return body + f"--{boundary}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def post(server, path, **parts):
    return call(server, "POST", path, *form(**parts))


def refused(answer, status):
    code, head, body = answer
    assert code == status
    assert head["Content-Type"] == "application/json"
    sentence = json.loads(body)["error"]
    assert sentence.endswith(".")
    assert sentence.isprintable()
    return sentence


@pytest.fixture(scope="module")
def log():
    """600 rows of two channels under a clock, with a fault in the second."""
    rng = np.random.default_rng(0)
    t = np.arange(600)
    values = np.sin(t[:, None] / 7 + np.arange(2)) + 0.1 * rng.normal(size=(600, 2))
    values[400:440, 1] += 3
    when = pd.date_range("2024-01-01", periods=600, freq="s")
    return pd.DataFrame(values, columns=["u", "i"]).assign(time=when)[["time", "u", "i"]]


@pytest.fixture(scope="module")
def detector(server, log):
    status, head, body = post(
        server, "/api/score", file=("log.csv", log.to_csv(index=False).encode()), format="detector"
    )
    assert (status, head["Content-Type"]) == (200, "application/octet-stream")
    return body


# ---- what it answers


def test_health_and_description(server):
    status, head, body = call(server, "GET", "/api/health")
    assert (status, json.loads(body)["status"]) == (200, "ok")
    assert head["Cache-Control"] == "no-store"
    status, _, body = call(server, "GET", "/api/ready")
    assert (status, json.loads(body)["status"]) == (200, "ready")
    status, _, body = call(server, "GET", "/api/openapi.json")
    described = json.loads(body)
    assert described["openapi"].startswith("3.1")
    served = {route.path: route.methods - {"HEAD"} for route in endpoints.routes() if "{" not in route.path}
    paths = {path: {method.upper() for method in methods} for path, methods in described["paths"].items()}
    assert paths == {path: methods for path, methods in served.items() if path != "/api"}


def test_a_detector_trained_here_is_the_core_s_and_scores_as_it_does(server, log, detector, tmp_path):
    path = tmp_path / "d.safetensors"
    path.write_bytes(detector)
    learnt = AnomalyDetector.load(path)
    values = log[["u", "i"]].to_numpy()
    own = AnomalyDetector(sample_rate=1.0).fit(log[["u", "i"]][:180])
    assert learnt.threshold_ == pytest.approx(own.threshold_, rel=1e-4)
    sent = {"file": ("log.parquet", files.parquet(log)), "detector": ("d", detector)}
    status, head, body = post(server, "/api/score", **sent, format="parquet")
    assert (status, head["Content-Type"]) == (200, "application/vnd.apache.parquet")
    table = pd.read_parquet(io.BytesIO(body))
    np.testing.assert_allclose(table["score"], learnt.decision_function(values), rtol=1e-5)
    assert table["time"].tolist() == log["time"].tolist()
    _, head, body = post(server, "/api/score", **sent, format="csv")
    assert head["Content-Disposition"] == 'attachment; filename="scores.csv"'
    np.testing.assert_allclose(pd.read_csv(io.BytesIO(body))["score"], table["score"], rtol=1e-6)


def test_events_come_as_json_with_times_and_the_channel_that_leads(server, log, detector):
    answer = post(server, "/api/score", file=("log.csv", log.to_csv(index=False).encode()), detector=("d", detector))
    found = json.loads(answer[2])
    assert (answer[0], found["rows"], found["channels"], found["sample_rate"]) == (200, 600, ["u", "i"], 1.0)
    assert any(event["first_row"] <= 440 and event["last_row"] >= 400 for event in found["events"])
    worst = max(found["events"], key=lambda event: event["severity"])
    assert worst["leading_channel"] == "i"
    assert pd.Timestamp(worst["start"]) == log["time"][worst["first_row"]]
    assert found["threshold"] < worst["peak_score"]


def test_a_recording_is_cleaned_as_the_core_does_it(server):
    from aecore.audio import SpeechDenoiser

    rng = np.random.default_rng(0)
    t = np.arange(12_000) / 8000
    noisy = (0.3 * np.sin(2 * np.pi * 200 * t) * (t % 0.5 < 0.25) + 0.05 * rng.normal(size=len(t))).astype(np.float32)
    sent = files.audio(values=noisy, subtype="FLOAT")
    status, head, body = post(server, "/api/denoise", file=("phrase.wav", sent), strength="0.5")
    assert (status, head["Content-Type"]) == (200, "audio/wav")
    cleaned, rate = soundfile.read(io.BytesIO(body), dtype="float32")
    assert (rate, cleaned.shape) == (8000, noisy.shape)
    expected = SpeechDenoiser.load().denoise(noisy, 8000, strength=0.5)
    np.testing.assert_allclose(cleaned, expected, atol=2 / 32768)


# ---- what it refuses


@pytest.mark.parametrize(
    ("path", "parts", "status", "words"),
    [
        ("/api/score", {"file": ("a.csv", b"")}, 422, "'a.csv' is empty (0 bytes)"),
        ("/api/score", {"file": ("<b>.csv", b"a,b\nx,y\nz,w\n")}, 422, "no column of numbers"),
        ("/api/score", {"file": ("../../etc/passwd", b"root")}, 422, "of a kind that is not read here"),
        ("/api/score", {"file": ("a.csv", b"a\n1\n2\n")}, 422, "1 normal row is too few"),
        ("/api/score", {"file": ("a.csv", b"a\n1\n2\n"), "normal": "50:20"}, 422, "running upwards"),
        ("/api/score", {"file": ("a.csv", b"a\n1\n2\n"), "normal": "x"}, 422, "normal must look like 0:30"),
        ("/api/score", {"file": ("a.csv", b"a\n1\n2\n"), "format": "exe"}, 422, "format must be one of"),
        ("/api/score", {"file": ("a.csv", b"a\n1\n2\n"), "detector": ("d", b"rubbish")}, 422, "not a stored result"),
        ("/api/score", {"file": ("a.csv", b"1"), "detector": ("d", b""), "normal": "0:9"}, 422, "not both"),
        ("/api/score", {"file": "text"}, 400, "holds 'file', which nobody asks for"),
        ("/api/score", {"normal": "0:30"}, 400, "holds no file"),
        ("/api/score", {"file": ("a.csv", b"1"), "other": ("b.csv", b"2")}, 400, "holds 'other'"),
        ("/api/score", {"file": ("a.csv", b"1"), "normal": "0" * 2000}, 400, "cannot be read"),
        ("/api/denoise", {"file": ("a.wav", b"RIFF")}, 422, "breaks off or is no WAV"),
        ("/api/denoise", {"file": ("a.wav", b"RIFF"), "strength": "nan"}, 422, "strength must be in 0..1"),
        ("/api/denoise", {"file": ("a.wav", b"RIFF"), "detector": ("d", b"1")}, 400, "cannot be read"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_gets_the_page_s_sentence(server, path, parts, status, words):
    assert words in refused(post(server, path, **parts), status)


@pytest.mark.parametrize(
    ("body", "head", "status", "words"),
    [
        (b"{}", {"Content-Type": "application/json"}, 415, "multipart form"),
        (b"", {"Content-Type": "multipart/form-data; boundary=x"}, 400, "holds no file"),
        (b"--x\r\nrubbish", {"Content-Type": "multipart/form-data; boundary=x"}, 400, ""),
        (b"", {"Content-Type": "multipart/form-data"}, 400, "cannot be read"),
        (b"", {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(10**9)}, 413, "At most 100 MB"),
        (b"", {"Origin": "https://evil.example"}, 403, "pages of other sites"),
    ],
)  # fmt: skip
def test_forms_that_are_none_are_refused(server, body, head, status, words):
    assert words in refused(call(server, "POST", "/api/score", body, head), status)


def test_a_body_that_grows_beyond_its_promise_is_cut_off(server):
    def endless():
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        for _ in range(120):
            yield bytes(10**6)

    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=WAIT)
    try:
        head = {"Content-Type": "multipart/form-data; boundary=x", "Transfer-Encoding": "chunked"}
        connection.request("POST", "/api/score", endless(), head, encode_chunked=True)
        assert connection.getresponse().status == 413
    except (BrokenPipeError, ConnectionResetError):
        pass  # the server hung up before all was sent, which is the point
    finally:
        connection.close()
    assert call(server, "GET", "/api/health")[0] == 200


def test_unknown_paths_answer_in_json_and_the_pages_stay_html(server):
    for method, path in [("GET", "/api/other"), ("GET", "/api/score"), ("DELETE", "/api/health"), ("GET", "/api")]:
        assert "POST /api/score" in refused(call(server, method, path), 404)
    status, head, body = call(server, "GET", "/anything/else")
    assert status == 200
    assert head["Content-Type"].startswith("text/html")
    assert b"<html" in body


def test_answers_carry_the_headers_of_a_hosted_form(server, monkeypatch):
    for path in ("/", "/api/health", "/_stcore/health"):
        head = call(server, "GET", path)[1]
        assert head["X-Content-Type-Options"] == "nosniff"
        policy = dict(part.split(" ", 1) for part in head["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'self'"
        assert policy["object-src"] == "'none'"
        assert policy["frame-ancestors"] == "'self'"
        assert not [value for value in policy.values() if "http" in value or "*" in value]
    assert policy["connect-src"].split()[0] == "'self'"
    assert not {"ws:", "wss:"} & set(policy["connect-src"].split())
    monkeypatch.setenv("AECORE_FRAMES", "https://team.example javascript:x https://a;script-src")
    policy = headers.security_headers()["Content-Security-Policy"]
    assert policy.endswith("frame-ancestors 'self' https://team.example")


def test_over_tls_a_browser_is_told_to_stay_there(server):
    for head in ({}, {"X-Forwarded-Proto": "http"}):
        answer = call(server, "GET", "/_stcore/health", headers=head)[1]
        assert "Strict-Transport-Security" not in answer
        assert "secure" not in answer["Set-Cookie"].lower()
    answer = call(server, "GET", "/_stcore/health", headers={"X-Forwarded-Proto": "https"})[1]
    assert int(answer["Strict-Transport-Security"].partition("=")[2]) > 10**7
    assert "secure" in answer["Set-Cookie"].lower()


def test_figures_about_visitors_are_not_public(server):
    assert call(server, "GET", "/_stcore/metrics")[0] == 404


def test_a_table_that_would_be_too_large_is_refused_before_anything_is_trained(monkeypatch):
    monkeypatch.setattr("aecore.api.tasks.MAX_TABLE_CELLS", 5999)
    csv = b"a,b\n" + b"1,2\n3,4\n" * 500
    with pytest.raises(DataError, match="5,999 cells and this log's would have 6,000"):
        list(work.score("a.csv", csv, None, (0.0, 30.0), "csv"))


def test_events_have_a_limit_and_the_worst_stay(monkeypatch, log, detector):
    twice = log.copy()
    twice.loc[540:579, "u"] += 6
    csv = twice.to_csv(index=False).encode()
    every = json.loads(_result(work.score("log.csv", csv, detector, (0.0, 30.0), "json")).content)["events"]
    monkeypatch.setattr("aecore.api.tasks.MAX_EVENTS", 1)
    found = json.loads(_result(work.score("log.csv", csv, detector, (0.0, 30.0), "json")).content)
    assert len(every) > 1
    assert found["events"] == [max(every, key=lambda event: event["severity"])]
    assert f"Of {len(every)} events the 1 most severe are listed." in found["notes"]


def _result(task):
    return finish(task)


# ---- limits


def test_one_address_may_ask_so_often_and_no_more():
    now = [0.0]
    limits = Limits(clock=lambda: now[0])
    for _ in range(30):
        with limits.one_more("203.0.113.7"):
            pass
    with pytest.raises(Refusal) as caught, limits.one_more("203.0.113.7"):
        pass
    assert (caught.value.status, caught.value.retry_after) == (429, 60)
    with limits.one_more("203.0.113.8"):
        pass
    now[0] = 60.5
    with limits.one_more("203.0.113.7"):
        pass


def test_one_address_may_have_so_much_under_way_and_all_together_so_much():
    limits = Limits()
    with limits.one_more("2001:db8::1"), limits.one_more("2001:db8::2"):
        with pytest.raises(Refusal, match="2 of your requests"), limits.one_more("2001:db8::3"):
            pass  # the same /64
        with ExitStack() as others:
            for last in range(READING_AT_ONCE - 2):
                others.enter_context(limits.one_more(f"203.0.113.{last}"))
            with pytest.raises(Refusal) as caught, limits.one_more("203.0.113.100"):
                pass
    assert caught.value.status == 503
    with limits.one_more("2001:db8::3"):
        pass
    one, other = limits.one_more("203.0.113.1"), limits.one_more("::ffff:203.0.113.1")
    with one, other, pytest.raises(Refusal), limits.one_more("203.0.113.1"):
        pass
    with ExitStack() as working:
        for _ in range(ALL_AT_ONCE):
            working.enter_context(limits.at_work())
        with pytest.raises(Refusal, match="as many as this server takes"), limits.at_work():
            pass
    with limits.at_work():
        pass


def test_a_site_with_many_networks_has_a_limit_too():
    limits = Limits(clock=lambda: 0.0)
    with ExitStack() as under_way:
        for number in range(2 * SITE_SHARES):
            under_way.enter_context(limits.one_more(f"2001:db8:1:{number:x}::1"))
        with pytest.raises(Refusal, match="2 of your requests"), limits.one_more("2001:db8:1:ffff::1"):
            pass  # the same /48
        with limits.one_more("2001:db8:2::1"):
            pass


def test_who_has_not_called_for_a_minute_is_forgotten():
    now = [0.0]
    limits = Limits(clock=lambda: now[0])
    for number in range(200):
        now[0] += 1
        with limits.one_more(f"198.51.100.{number}"):
            pass
    assert len(limits._begun) == 60


def test_a_crash_is_the_server_s_fault_and_not_for_trying_again():
    kinds = [JobError, WorkerLost, NoWorkers, TooBusy, JobCancelled, DataError]
    assert [status_of(kind("")) for kind in kinds] == [500, 500, 503, 503, 503, 422]


def test_errors_name_no_place_on_the_server():
    said = sentence_of(
        StoreError("/srv/app/cache/ab12 is not writable; see https://mirror.example/mnist/t10k and n/a.")
    )
    assert said == "... is not writable; see ... and n/a."
    assert sentence_of(DataError("'a.csv' has 3/4 of its rows.")) == "'a.csv' has 3/4 of its rows."


def test_a_third_request_of_one_address_is_told_to_wait(server, log):
    slow = pd.concat([log[["u", "i"]]] * 40, ignore_index=True).to_csv(index=False).encode()
    answers = []

    def ask():
        answers.append(post(server, "/api/score", file=("log.csv", slow)))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    codes = sorted(answer[0] for answer in answers)
    assert codes.count(429) >= 1
    assert codes.count(200) >= 2
    late = next(answer for answer in answers if answer[0] == 429)
    assert int(late[1]["Retry-After"]) > 0


# ---- what it logs


def test_logs_are_json_lines_without_content_or_names(server):
    secret = "marker-of-a-visitor"
    post(server, "/api/score", file=(f"{secret}.csv", f"{secret},b\n{secret},1\n".encode()), detector=("d", b"x"))
    run(lambda: _visit(server.url, secret))
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    requests = [line for line in lines if line.get("path") == "/api/score"]
    assert requests[-1]["status"] == 422
    assert requests[-1]["bytes_in"] > 50
    assert {"time", "level", "logger", "message"} <= lines[0].keys()
    assert secret not in server.log.read_text()


def test_python_s_warnings_become_json_lines_without_their_words():
    script = "import warnings; from aecore import logs; logs.install(); warnings.warn('a secret', RuntimeWarning)"
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    line = json.loads(ended.stderr)
    assert (line["logger"], line["level"], line["message"]) == ("py.warnings", "warning", "RuntimeWarning")
    assert line["from"] == "<string>:1"
    assert "secret" not in ended.stderr


async def _visit(url, secret):
    visitor = await Visitor.open(url, "Sensor_Anomalies", "source=Your+own+file")
    assert (
        await visitor.upload(visitor.of_kind("file_uploader")[0].label, f"{secret}.csv", b"a,b\n" + secret.encode())
        == 204
    )
    await visitor.until(lambda: visitor.of_kind("alert"))
    visitor.check()
    await visitor.close()
