"""The container, the compose file and the settings, read as what they are; no container is needed."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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
    for requirement in map(Requirement, filter(None, lines)):
        version, _ = found[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version, prereleases=True), requirement
    assert "nvidia" not in text("requirements.lock")
    assert "+cpu" in text("torch.lock")


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "requirements.lock", "torch.lock", "requirements.txt"])
def test_no_registry_is_named(name):
    assert not re.search(
        r"https?://(?!127\.0\.0\.1)|pypi\.org|ghcr\.io|docker\.io|--(extra-)?index-url|--find-links", text(name)
    )


def test_settings_of_the_server():
    server = tomllib.loads(text(".streamlit/config.toml"))["server"]
    assert server["enableXsrfProtection"] is True
    assert server["enableCORS"] is True
    assert server["maxUploadSize"] == 200
    assert "enableStaticServing" not in server
