"""Promises of SECURITY.md that the source itself can be held against, and that every promise has its test."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

from aecore.concepts.applications.comparisons import ComparisonTable
from aecore.figures import mnist, plain, tables

ROOT = Path(__file__).parents[1]
SOURCES = [ROOT / "Home.py", ROOT / "serve.py", *ROOT.glob("aecore/**/*.py"), *ROOT.glob("pages/**/*.py")]


def calls(path):
    """Every call in a file: its name with dots, and the node."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def test_every_promise_names_a_test_that_exists():
    text = (ROOT / "SECURITY.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith(("| promise", "| ---"))]
    assert len(rows) >= 15
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
        assert named, row
        for file, test in named:
            assert re.search(rf"^def {test}\(", (ROOT / file).read_text(), re.M), f"{file}::{test}"


def test_nothing_is_unpickled_but_what_the_workers_are_sent():
    where = set()
    for path in SOURCES:
        found = {alias.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Import)
                 for alias in node.names}  # fmt: skip
        if found & {"pickle", "cloudpickle", "dill", "shelve", "marshal", "joblib"}:
            where.add(str(path.relative_to(ROOT)))
        for name, call in calls(path):
            keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
            assert name not in {"eval", "exec", "torch.load", "yaml.load", "os.system"}, f"{path}: {name}"
            assert keywords.get("allow_pickle") != "True", path
            assert keywords.get("shell") != "True", path
            if name == "np.load":
                assert keywords["allow_pickle"] == "False", path
    assert where == {
        "aecore/jobs/serialization.py"
    }  # what comes back is held to a list: tests/test_jobs_serialization.py


@pytest.mark.parametrize("path", [path for path in SOURCES if "api" in path.parts or "pages" in path.parts], ids=str)
def test_no_page_and_no_endpoint_opens_a_path(path):
    """Files that ship are read where their module names them; nothing else on a page touches a path."""
    for name, call in calls(path):
        assert name != "open", path
        if name == "Path":
            assert ast.unparse(call) == "Path(__file__)", f"{path}: {ast.unparse(call)}"


def test_html_is_only_made_by_figures_and_escapes_words():
    made = []
    for path in SOURCES:
        for name, call in calls(path):
            assert not any(keyword.arg == "unsafe_allow_html" for keyword in call.keywords), path
            if name == "st.html":
                made.append((str(path.relative_to(ROOT)), ast.unparse(call.args[0])))
    known = ("figures.", "tables.table(", "_shares(", 'f\'<img alt="{html.escape(words)}"')
    assert [each for each in made if not each[1].startswith(known)] == []
    evil = '"><script>alert(1)</script>'
    axis = plain.Axis(0, 1, evil, ticks=(0.5,), labels=(evil,))
    measured = ComparisonTable(evil, (evil,), (evil,), np.ones((1, 1, 5)), (0, 1, 2, 3, 4), "", "")
    for drawn in (
        mnist.rows_of_pictures([(evil, np.zeros((1, 28, 28), np.uint8), "#000000")]),
        tables.table([(evil, evil)], [[evil]]),
        plain.chart([plain.Line([0, 1], [0, 1], "#000000", evil)], axis, axis, evil),
        plain.bars([(evil, 0.5)], "#000000", evil),
        tables.table(*measured.cells()),
    ):
        assert "script&gt;" in drawn and "<script>" not in drawn
