"""The container, the compose file and the settings, read as what they are; no container is needed."""

import contextlib
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from aecore import admission
from tests.servers import serving
from tests.visitor import Visitor
from tests.visitor import run as visit

ROOT = Path(__file__).parents[1]


def text(name):
    return (ROOT / name).read_text()


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load(text("compose.yaml"))


def locked():
    """Version and number of hashes by package, of both lock files."""
    found = {}
    for entry in re.split(r"\n(?=\w)", text("requirements.lock") + "\n" + text("torch.lock")):
        if named := re.match(r"([\w.-]+)==(\S+)", entry):
            found[canonicalize_name(named[1])] = (named[2], len(re.findall(r"--hash=sha256:[0-9a-f]{64}", entry)))
    return found


def test_the_container_is_neither_root_nor_writable(compose):
    last = text("Dockerfile").split("FROM ")[-1]
    user = re.search(r"^USER (\d+)$", last, re.M)
    assert user and int(user[1]) > 0
    assert last.index("USER") > last.index("RUN")  # nothing is run, and nobody else chosen, after it
    assert "HEALTHCHECK" in last and "/api/health" in last
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert "privileged" not in service, name


def test_the_scheduler_is_out_of_reach_and_speaks_tls_alone(compose):
    services = compose["services"]
    assert compose["networks"]["machines"]["internal"] is True
    assert services["scheduler"]["networks"] == ["machines"]
    assert "ports" not in services["scheduler"]
    assert {name for name, service in services.items() if "ports" in service} == {"app"}
    assert all(port.startswith("127.0.0.1:") for port in services["app"]["ports"])
    for name in ("app", "scheduler", "long", "short"):
        environment = services[name]["environment"]
        assert environment["DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION"] == "true", name
    assert services["app"]["environment"]["AECORE_SCHEDULER"].startswith("tls://")
    assert "--preload=aecore.jobs.scheduler" in services["scheduler"]["command"]
    for lane, slots in (("long", 1), ("short", 2)):
        assert f"--resources={lane}={slots}" in services[lane]["command"]
        assert f"--nthreads={slots}" in services[lane]["command"]
        assert "--preload=aecore.jobs.worker" in services[lane]["command"]


def test_what_is_copied_leaves_out_what_the_app_does_not_need():
    ignored = text(".dockerignore").split()
    assert {".git", "tests", ".venv"} <= set(ignored)
    assert not {"assets", "pages", "aecore", "serve.py", ".streamlit"} & set(ignored)


def test_every_package_is_locked_by_its_hash():
    found = locked()
    assert all(hashes for _, hashes in found.values())
    lines = [line.partition("#")[0].strip() for line in text("requirements.txt").splitlines()]
    lines.remove("-e .")  # the project itself
    for requirement in map(Requirement, filter(None, lines)):
        version, _ = found[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version, prereleases=True), requirement
    assert "nvidia" not in text("requirements.lock")
    assert "+cpu" in text("torch.lock")


@pytest.mark.parametrize(
    "name", ["Dockerfile", "compose.yaml", "requirements.lock", "torch.lock", "build.lock", "requirements.txt"]
)
def test_no_registry_is_named(name):
    assert not re.search(
        r"https?://(?!127\.0\.0\.1)|pypi\.org|ghcr\.io|docker\.io|--(extra-)?index-url|--find-links", text(name)
    )


def test_settings_of_the_server():
    server = tomllib.loads(text(".streamlit/config.toml"))["server"]
    assert server["enableXsrfProtection"] is True
    assert server["enableCORS"] is True
    assert server["maxUploadSize"] * 1_048_576 < admission.MAX_UPLOAD
    assert server["maxMessageSize"] == server["maxWidgetStateSize"] == 2
    assert server["disconnectedSessionTTL"] == 30
    assert "enableStaticServing" not in server
    client = tomllib.loads(text(".streamlit/config.toml"))["client"]
    assert client["showErrorDetails"] == "none"
    assert client["disableDataExport"] is True  # Streamlit's own download of a table escapes no formula


def test_no_service_can_fill_the_machine(compose):
    for name, service in compose["services"].items():
        assert service["pids_limit"] <= 1000, name
        assert service["logging"]["options"].keys() == {"max-size", "max-file"}, name
        assert all("size=" in mount for mount in service["tmpfs"]), name
        if name != "certificates":
            assert "mem_limit" in service, name


def test_work_begins_when_the_scheduler_is_there(compose):
    services = compose["services"]
    for name in ("app", "long", "short"):
        assert services[name]["depends_on"]["scheduler"] == {"condition": "service_healthy"}, name
    assert services["scheduler"]["healthcheck"]["test"][0] == "CMD"
    assert services["long"]["environment"]["AECORE_NICE"] == "10"
    assert services["short"]["environment"]["AECORE_NICE"] == "5"


def test_the_certificate_is_whole_or_not_there_and_made_anew_in_time(compose, tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl")
    command = compose["services"]["certificates"]["command"]
    script = command[2].replace("/tls", str(tmp_path))
    run = lambda: subprocess.run([*command[:2], script], check=True, capture_output=True)  # noqa: E731
    run()
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    first = cert.read_bytes(), key.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"key.pem", "cert.pem"}
    run()
    assert (cert.read_bytes(), key.read_bytes()) == first  # good for years
    cert.unlink()  # as where a run ended between the two
    (tmp_path / "new-key.pem").write_text("half a")
    run()
    second = cert.read_bytes(), key.read_bytes()
    assert second[1] != first[1]
    short = ["openssl", "req", "-x509", "-key", str(key), "-days", "30", "-subj", "/CN=x", "-out", str(cert)]
    subprocess.run(short, check=True, capture_output=True)
    run()
    assert key.read_bytes() != second[1]
    said = subprocess.run(["openssl", "x509", "-in", str(cert), "-noout", "-pubkey"], check=True, capture_output=True)
    own = subprocess.run(["openssl", "pkey", "-in", str(key), "-pubout"], check=True, capture_output=True)
    assert said.stdout == own.stdout


def test_what_the_image_is_built_with_is_locked_too():
    assert re.search(r"^uv==\S+ \\\n +--hash=sha256:[0-9a-f]{64}", text("build.lock"), re.M)
    installs = re.findall(r"\bpip .*?\binstall (.*?)(?:\\|&&|$)", text("Dockerfile"), re.M)
    assert len(installs) == len(re.findall(r"\binstall\b", text("Dockerfile")))
    for each in installs:  # all but the project itself come with a hash
        own = {"--no-index", "--no-deps", "--no-build-isolation", "."} <= set(each.split())
        assert "--require-hashes" in each or own, each
    assert "NUMBA_CACHE_DIR=/tmp/" in text("Dockerfile")  # not in /data, which other containers write to
    named = text("NOTICE")
    assert all(package in named for package in ("soxr", "libsndfile", "certifi"))


@pytest.mark.skipif(not Path("/proc/self/fdinfo").exists(), reason="Linux says which folders a process watches")
def test_no_server_watches_its_packages(tmp_path):
    async def play(server):
        await (await Visitor.open(server.url)).close()
        assert watched(server.process.pid) == set()

    with serving(tmp_path, "Home.py", watch=True, AECORE_JOBS="inline") as server:
        visit(lambda: play(server))


def watched(pid):
    """Return the inodes that a process has the kernel watch."""
    found = set()
    for entry in Path(f"/proc/{pid}/fdinfo").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found |= set(re.findall(r"^inotify wd:\S+ ino:(\S+)", entry.read_text(), re.M))
    return found
