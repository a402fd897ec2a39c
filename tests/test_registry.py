"""One registry drives page order, navigation, pretraining, model cards and the README's table."""

import subprocess
import sys

import pytest

from aecore.concepts import CONCEPTS, PRETRAINED, read_model_cards, write_table
from aecore.paths import MODELS, ROOT


@pytest.mark.parametrize("one", PRETRAINED.values(), ids=lambda one: one.name)
def test_every_task_that_pretrains_can_be_loaded(one):
    assert callable(one.load())


def test_every_shipped_model_is_written_by_one_task_and_has_a_card():
    files = [one.file for concept in CONCEPTS for one in concept.pretraining]
    shipped = {path.name for path in MODELS.glob("*.safetensors")}
    assert len(files) == len(set(files)) and set(files) == shipped == set(read_model_cards())


def test_the_readme_holds_the_table_of_pages():
    assert write_table() in (ROOT / "README.md").read_text()


def test_the_registry_loads_no_concept_and_no_heavy_package():
    code = (
        "import sys, aecore.concepts; print([m for m in sys.modules if m.startswith('aecore.concepts.')"
        " or m.split('.')[0] in ('torch', 'streamlit', 'numpy')])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.strip() == "[]"
