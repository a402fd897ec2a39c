"""What all tests share."""

import functools
import os

import pytest
from hypothesis import settings

# One thread a library, as in the jobs' workers: the models are small, and threads that outnumber free cores spin.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same generated examples in every run, so that a change answers for its own failures; AECORE_FUZZ=1 draws new ones.
settings.register_profile("fixed", derandomize=True, database=None)
settings.load_profile("default" if os.environ.get("AECORE_FUZZ") else "fixed")


@pytest.fixture
def brief(monkeypatch):
    """Train an eighth as long: for tests of detectors that need not have learnt well."""
    monkeypatch.setattr("aecore.anomaly.network.STEPS_PER_EPOCH", 8)


@pytest.fixture(scope="session", autouse=True)
def _scan_components_once():
    """Look for components of installed packages once: Streamlit's AppTest looks again for each page that it opens."""
    from streamlit.components.v2 import manifest_scanner

    scan = manifest_scanner.scan_component_manifests
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", functools.cache(scan))
        yield
