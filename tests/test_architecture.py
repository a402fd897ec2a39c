"""The floors of the building, read from the imports themselves; and words that match the pages."""

import ast
import functools
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Each floor may import its own and those to its right; ``services`` know no domain and stand beside them all.
FLOORS = [
    ["cli", "api"], ["concepts"], ["anomaly", "audio", "latent"], ["training"], ["models", "data"], ["numerics"],
    ["vision"],
    ["errors"],
]  # fmt: skip
SERVICES = {"admission", "jobs", "memory", "store", "export", "logs", "paths"}
ASIDE = {"figures"}


def sources(*patterns: str) -> list[Path]:
    return sorted(path for pattern in patterns for path in ROOT.glob(pattern))


@functools.cache
def imports(path: Path) -> set[str]:
    """Every module that a file imports, wherever the statement stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def room(module: str) -> str:
    """``aecore.data.readers.uploads`` -> ``data``."""
    return module.split(".")[1] if module.startswith("aecore.") else ""


def height(name: str) -> int | None:
    return next((len(FLOORS) - i for i, floor in enumerate(FLOORS) if name in floor), None)


def test_every_room_has_its_floor():
    rooms = {path.relative_to(ROOT / "aecore").parts[0].removesuffix(".py") for path in sources("aecore/**/*.py")}
    known = {name for floor in FLOORS for name in floor} | SERVICES | ASIDE | {"__init__", "__main__"}
    assert rooms <= known


def misplaced(path: Path) -> set[str]:
    """Return the rooms that a file imports from and must not."""
    mine = path.relative_to(ROOT / "aecore").parts[0].removesuffix(".py")
    if mine in {"__init__", "__main__"}:
        return set()
    theirs = {room(module) for module in imports(path)} - {"", mine, "errors", "__version__"}
    if mine in SERVICES:
        return theirs - SERVICES
    if mine in ASIDE:
        return theirs
    floors = {name: height(name) for name in theirs - SERVICES}
    return {name for name, floor in floors.items() if floor is None or floor > height(mine)}


def test_imports_look_down():
    found = {str(path.relative_to(ROOT)): misplaced(path) for path in sources("aecore/**/*.py")}
    assert {path: rooms for path, rooms in found.items() if rooms} == {}


def foreign(path: Path) -> set[str]:
    """Return the packages that a file of the core imports and must not."""
    refused = {"streamlit", "pages"}
    refused |= {"torch"} if "figures" in path.parts else {"altair"}
    if "api" not in path.parts:
        refused |= {"starlette", "uvicorn"}
    return {module.split(".")[0] for module in imports(path)} & refused


def test_only_its_own_rooms_know_streamlit_altair_and_torch():
    found = {str(path.relative_to(ROOT)): foreign(path) for path in sources("aecore/**/*.py")}
    assert {path: packages for path, packages in found.items() if packages} == {}


def test_pages_hold_no_training_code():
    refused = {"torch", "torchvision", "librosa", "altair", "sklearn", "scipy"}
    files = sources("Home.py", "pages/**/*.py")
    found = {str(path.relative_to(ROOT)): {name.split(".")[0] for name in imports(path)} for path in files}
    assert {name: packages & refused for name, packages in found.items() if packages & refused} == {}


@pytest.mark.parametrize("path", sources("assets/text/*.md"), ids=lambda p: p.stem)
def test_the_sections_used_are_the_sections_written(path):
    from aecore.concepts import CONCEPTS
    from pages.ui.frame.narration import sections

    page = next(page for page in CONCEPTS if page.name == path.stem)
    named = re.compile(rf'^NAME(, \w+)* = "{page.name}"', re.MULTILINE)
    parts = [p.read_text() for p in sources("pages/ui/**/*.py") if named.search(p.read_text())]
    script = "".join([(ROOT / page.file).read_text(), *parts])
    used = set(re.findall(r'(?:say|text)\(NAME, "([^"]+)"\)', script)) | {"title", "promise", "map"}
    if "why(NAME)" in script:
        used.add("why")
    used |= {section for section in sections(path.stem) if f'"{section}"' in script}  # named in a table of plans, say
    if page.name == "variants":
        used |= set(importlib.import_module("aecore.concepts.variants").IDS)
    if page.name == "applications":
        used |= sections_of_applications()
    assert set(sections(path.stem)) == used


def sections_of_applications() -> set[str]:
    """What the Applications page's sections say, as each declares it."""
    from pages.ui.applications.section import SECTIONS

    declared = {name: importlib.import_module(f"pages.ui.applications.{name}").declare() for name in SECTIONS}
    return {f"{name}-{part}" for name, application in declared.items() for part in application.parts}


def test_every_page_has_its_text():
    from pages.ui.frame.page import existing

    files = {page.file for page in existing()}
    assert files == {str(path.relative_to(ROOT)) for path in sources("Home.py", "pages/*.py")}
    assert all((ROOT / "assets" / "text" / f"{page.name}.md").is_file() for page in existing())
