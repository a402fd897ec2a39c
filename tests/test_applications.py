"""What the sections of the Applications page share: tables, their origin, how they are written; the code shown."""

import ast
import subprocess

import numpy as np
import pytest

from aecore.concepts.applications import comparisons
from aecore.errors import StoreError
from pages.ui.applications.section import SECTIONS

SCRIPT = "tests/test_applications.py"


def made(**kind) -> comparisons.ComparisonTable:
    def row(condition: str, seed: int) -> dict[str, float]:
        base = {"easy": 10.0, "hard": 1.0}[condition]
        return {"network": base + seed, "filter": base + 2 * seed}

    return comparisons.measure("gain, dB", ["easy", "hard"], row, [0, 1, 2], SCRIPT, **kind)


def test_a_table_keeps_every_value_in_its_place():
    table = made()
    assert table.values.shape == (2, 2, 3)
    np.testing.assert_array_equal(table.mean, [[11, 12], [2, 3]])
    np.testing.assert_array_equal(table.spread, [[1, 2], [1, 2]])
    frame = table.frame()
    chosen = frame[(frame.condition == "hard") & (frame.contestant == "filter") & (frame.seed == 2)]
    assert chosen["gain, dB"].tolist() == [5.0]


def test_the_version_is_what_git_calls_the_script():
    said = subprocess.run(["git", "hash-object", SCRIPT], cwd=comparisons.ROOT, capture_output=True, text=True)
    if said.returncode:
        pytest.skip("git is not there")
    assert said.stdout.startswith(comparisons.version_of(SCRIPT))


def test_written_tables_come_back(tmp_path, monkeypatch):
    monkeypatch.setattr(comparisons, "TABLES", tmp_path)
    table = made(best="low", decimals=2)
    comparisons.write("shell", {"gain": table})
    back = comparisons.read("shell")["gain"]
    np.testing.assert_array_equal(back.values, table.values)
    assert back._replace(values=table.values) == table
    (tmp_path / "applications_shell.json").write_text("[1]")
    with pytest.raises(StoreError):
        comparisons.read("shell")


def bold_of(table: comparisons.ComparisonTable) -> list[str]:
    """Cells in bold of the first row that is written."""
    _, rows, bold = table.cells()
    return [cell for cell, best in zip(rows[0], bold[0], strict=True) if best]


@pytest.mark.parametrize(("best", "bold"), [("high", ["12.0 ± 2.0"]), ("low", ["11.0 ± 1.0"]), ("", [])])
def test_the_best_of_each_row_is_bold(best, bold):
    assert bold_of(made(best=best)) == bold


def test_what_equals_the_best_is_bold_too():
    assert len(bold_of(made()._replace(values=np.full((2, 2, 3), 4.0)))) == 2


def test_what_has_no_value_is_a_dash_and_never_the_best():
    table = made()
    table.values[0, 1] = np.nan
    _, rows, bold = table.cells()
    assert rows[0] == ["easy", "11.0 ± 1.0", "–"] and bold[0] == [False, True, False]
    table.values[0] = np.nan
    assert bold_of(table) == []


QUICK = {"denoising", "dimensions", "clustering"}  # the others train something


@pytest.mark.parametrize("section", sorted(QUICK))
def test_the_code_that_is_shown_runs(section):
    from pages.ui.frame.narration import text

    script = text("applications", f"{section}-code").removeprefix("```python").removesuffix("```")
    names: dict[str, object] = {}
    exec(script, names)
    assert any(name in names for name in ("gains", "agreement", "error"))


@pytest.mark.parametrize("section", SECTIONS)
def test_the_code_that_is_shown_names_what_exists(section):
    from pages.ui.frame.narration import text

    script = text("applications", f"{section}-code").removeprefix("```python").removesuffix("```")
    tree = ast.parse(script)
    names: dict[str, object] = {}
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    exec(compile(ast.Module(imports, []), section, "exec"), names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names:
            assert hasattr(names[node.value.id], node.attr), ast.unparse(node)


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_is_whole(name):
    made = __import__(f"pages.ui.applications.{name}", fromlist=["declare"]).declare()
    tables = comparisons.read(name)
    assert set(made.tables) <= set(tables)
    for table in tables.values():
        assert len(table.seeds) >= 5
        assert np.isfinite(table.values).any()
        assert (comparisons.ROOT / table.script).is_file()
