"""MNIST's way onto a machine, from mirrors on the loopback that stall, break off, lie or are not there."""

import contextlib
import gzip
import hashlib
import http.server
import os
import resource
import socket
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from aecore.data.datasets import mnist, mnist_download
from aecore.errors import DatasetMissing, SettingError, StoreError, UnreadableFile
from aecore.vision import import_torchvision

PARTS = {
    "train-images-idx3-ubyte": (60_000, 28, 28), "train-labels-idx1-ubyte": (60_000,),
    "t10k-images-idx3-ubyte": (10_000, 28, 28), "t10k-labels-idx1-ubyte": (10_000,),
}  # fmt: skip


def idx(shape: tuple[int, ...], *, ink: int) -> bytes:
    """An IDX file, empty but for its first value and, so that it takes a while to send, some noise."""
    values = np.zeros(shape, np.uint8)
    values.flat[0] = ink
    values.flat[1 : len(values)] = np.random.default_rng(ink).integers(0, 10, len(values) - 1)
    return bytes([0, 0, 8, len(shape)]) + np.array(shape, ">u4").tobytes() + values.tobytes()


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return {f"{name}.gz": gzip.compress(idx(shape, ink=7), 1) for name, shape in PARTS.items()}


@pytest.fixture(autouse=True)
def dataset(monkeypatch, files):
    """torchvision's own class, with the checksums of files that may be made here."""
    cls = import_torchvision().datasets.MNIST
    monkeypatch.setattr(cls, "resources", [(name, hashlib.md5(data).hexdigest()) for name, data in files.items()])
    return cls


@pytest.fixture
def mirror(files):
    """Make mirrors of a behaviour each: ``mirror(answer)`` serves ``answer(handler, data)`` and returns its address."""
    servers = []

    def make(answer):
        log = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                log.append(self.path)
                answer(self, files[self.path.rpartition("/")[2]])

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        server.handle_error = lambda *_: None  # a client that leaves in the middle is what these tests are about
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}/mnist", log=log)

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


def head(handler, size, kind="application/gzip"):
    handler.send_response(200)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(size))
    handler.end_headers()


def honest(handler, data):
    head(handler, len(data))
    handler.wfile.write(data)


def html(handler, data):
    page = b"<html>Please log in to this network</html>"
    head(handler, len(page), "text/html; charset=utf-8")
    handler.wfile.write(page)


def truncates(handler, data):
    head(handler, len(data))
    handler.wfile.write(data[: len(data) // 2])


def stalls(handler, data):
    head(handler, len(data))
    handler.wfile.write(data[:1000])
    handler.wfile.flush()
    time.sleep(3)


def trickles(handler, data):
    head(handler, len(data))
    for i in range(300):
        handler.wfile.write(data[i : i + 1])
        handler.wfile.flush()
        time.sleep(0.02)


def other(handler, data):
    """As long as the file, and a gzip file, but not this one."""
    honest(handler, gzip.compress(np.random.default_rng(0).bytes(len(data)), 0)[: len(data)])


def missing(handler, data):
    handler.send_error(404)


def endless(handler, data):
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(bytes(1 << 20))


def fetch(root, url, **limits):
    return list(mnist_download.download("mnist", root=root, mirror=url, **limits))


def left(root) -> list[str]:
    return sorted(path.name for path in root.iterdir())


def test_an_honest_mirror_fills_the_cache_and_is_asked_once(tmp_path, mirror):
    server = mirror(honest)
    progress = fetch(tmp_path, server.url)
    shares = [step["progress"] for step in progress]
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert {step["file"] for step in progress} == {"", *(f"{name}.gz" for name in PARTS)}
    for train, count in ((True, 60_000), (False, 10_000)):
        images, labels = mnist.load(tmp_path, train=train)
        assert images.shape == (count, 28, 28) and labels.shape == (count,)
        assert images[0, 0, 0] == 7 and labels[0] == 7
    assert left(tmp_path) == ["MNIST"]
    assert len(server.log) == 4
    assert fetch(tmp_path, server.url) == []
    assert len(server.log) == 4


def test_torchvision_reads_what_was_fetched(tmp_path, mirror, dataset):
    fetch(tmp_path, mirror(honest).url)
    assert np.array_equal(dataset(tmp_path).data.numpy(), mnist.load(tmp_path).images)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (html, "web page"), (truncates, "broke off after"), (stalls, "stalled"), (trickles, "too slow"),
        (other, "checksum"), (missing, "404"), (endless, "far more"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)  # fmt: skip
def test_a_bad_mirror_is_named_and_leaves_nothing(tmp_path, mirror, monkeypatch, answer, words):
    monkeypatch.setattr(mnist_download, "LARGEST", 1 << 22)
    with pytest.raises(DatasetMissing, match=words):
        fetch(tmp_path, mirror(answer).url, stalled=0.8, deadline=1.6)
    assert left(tmp_path) == []
    assert not mnist.present(tmp_path)


def test_the_next_mirror_takes_over_and_the_bad_one_is_not_waited_for_again(tmp_path, mirror, dataset, monkeypatch):
    bad, good = mirror(html), mirror(honest)
    monkeypatch.setattr(dataset, "mirrors", [f"{bad.url}/", f"{good.url}/"])
    fetch(tmp_path, None)
    assert mnist.present(tmp_path)
    assert len(bad.log) == 1


def test_no_network_is_said_with_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setenv(mnist_download.MIRROR, "http://127.0.0.1:9/")  # the discard port: nobody listens
    with pytest.raises(DatasetMissing, match=f"cannot be reached.*{mnist_download.MIRROR}"):
        fetch(tmp_path, None)
    assert left(tmp_path) == []


def test_a_cancelled_download_leaves_nothing(tmp_path, mirror):
    running = mnist_download.download("mnist", root=tmp_path, mirror=mirror(trickles).url)
    next(running)
    next(running)
    running.close()
    assert left(tmp_path) == []


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path, mirror):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    server = mirror(honest)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))  # unpacking breaks off, as on a full disk
    try:
        with pytest.raises(StoreError, match="make room"):
            fetch(tmp_path, server.url)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert left(tmp_path) == []


def test_a_half_written_copy_counts_as_missing_and_is_replaced(tmp_path, mirror):
    server = mirror(honest)
    fetch(tmp_path, server.url)
    victim = tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte"
    victim.write_bytes(victim.read_bytes()[:-1])
    assert not mnist.present(tmp_path)
    with pytest.raises(UnreadableFile, match="delete it"):
        mnist.load(tmp_path)
    fetch(tmp_path, server.url)
    assert mnist.load(tmp_path).images.shape == (60_000, 28, 28)
    assert left(tmp_path) == ["MNIST"]


def test_what_a_killed_process_left_is_swept(tmp_path, mirror):
    old, new = tmp_path / ".unfinished-old", tmp_path / ".unfinished-new"
    for path in (old, new):
        (path / "MNIST").mkdir(parents=True)
    os.utime(old, (0, 0))
    fetch(tmp_path, mirror(honest).url)
    assert left(tmp_path) == [".unfinished-new", "MNIST"]  # the new one may be another process at work


def test_a_missing_or_unknown_set_is_said(tmp_path):
    with pytest.raises(DatasetMissing, match="download the data set"):
        mnist.load(tmp_path)
    with pytest.raises(SettingError, match="mnist, fashion"):
        mnist.load(tmp_path, "letters")


def test_messages_name_neither_mirrors_nor_folders(tmp_path, mirror):
    server = mirror(missing)
    with pytest.raises(DatasetMissing) as raised:
        fetch(tmp_path, server.url)
    assert "127.0.0.1" not in str(raised.value) and str(tmp_path) not in str(raised.value)
    with pytest.raises(DatasetMissing) as raised:
        mnist.load(tmp_path)
    assert str(tmp_path) not in str(raised.value)
    blocked = tmp_path / "a file where a folder should be"
    blocked.write_text("")
    with pytest.raises(StoreError) as raised:
        fetch(blocked, server.url)
    assert str(tmp_path) not in str(raised.value)


def test_progress_says_only_what_a_page_draws(tmp_path, mirror):
    assert {frozenset(step) for step in fetch(tmp_path, mirror(honest).url)} == {
        frozenset({"file", "bytes", "total", "progress"})
    }


def test_two_fetch_once(tmp_path, mirror):
    """The second finds the first at work, waits, and takes what it brought."""
    server = mirror(honest)
    first = mnist_download.download("mnist", root=tmp_path, mirror=server.url)
    second = mnist_download.download("mnist", root=tmp_path, mirror=server.url)
    steps = [next(first), next(first), next(second), next(second), next(second)]
    assert all(step["file"] == "" for step in steps[2:])  # it waits
    list(first)
    list(second)
    assert len(server.log) == 4
    assert left(tmp_path) == ["MNIST"]


def test_the_second_goes_on_where_the_first_has_given_up(tmp_path, mirror):
    server = mirror(honest)
    first = mnist_download.download("mnist", root=tmp_path, mirror=server.url)
    second = mnist_download.download("mnist", root=tmp_path, mirror=server.url)
    for running in (first, first, second, second):
        next(running)
    first.close()
    list(second)
    assert mnist.present(tmp_path) and left(tmp_path) == ["MNIST"]


def test_a_wait_for_another_ends(tmp_path, mirror):
    first = mnist_download.download("mnist", root=tmp_path, mirror=mirror(honest).url)
    next(first)
    next(first)
    with pytest.raises(DatasetMissing, match="takes too long"):
        list(mnist_download.download("mnist", root=tmp_path, mirror="http://127.0.0.1:9/", deadline=0.3))
    first.close()


@pytest.fixture
def black_hole():
    """An address that takes no connection and refuses none: its queue of connections is full."""
    with contextlib.ExitStack() as held:
        silent = held.enter_context(socket.socket())
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        for _ in range(4):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(silent.getsockname())
        yield f"http://127.0.0.1:{silent.getsockname()[1]}/"


def test_a_mirror_that_does_not_answer_is_waited_for_once(tmp_path, black_hole, monkeypatch):
    asked = []
    opened = mnist_download.urllib.request.urlopen
    monkeypatch.setattr(mnist_download.urllib.request, "urlopen", lambda *a, **k: asked.append(a) or opened(*a, **k))
    for words in ("no answer in|timed out|TimeoutError", "did not answer a moment ago"):
        with pytest.raises(DatasetMissing, match=words):
            fetch(tmp_path, black_hole, stalled=0.5)
    assert len(asked) == 1
    assert left(tmp_path) == []


def test_a_name_server_without_an_answer_is_not_waited_for(tmp_path, monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(120) and [])
    with pytest.raises(DatasetMissing, match="no answer in"):
        fetch(tmp_path, "http://mirror.invalid/", stalled=0.5)
    assert not release.is_set()  # the name is still being looked up, and nobody waits for it
    release.set()


def test_a_mirror_that_trickles_is_given_up_early(tmp_path, mirror, monkeypatch):
    monkeypatch.setattr(mnist_download, "PATIENCE", 0.3)
    with pytest.raises(DatasetMissing, match="too slow"):
        fetch(tmp_path, mirror(trickles).url, deadline=60)
