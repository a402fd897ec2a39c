"""What a core function refuses is a sentence in place of the figure, on every page and in its fragments."""

import ast
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from aecore.errors import DataError
from pages.ui.frame import settings
from pages.ui.frame.page import existing

ROOT = Path(__file__).parents[1]
SENTENCE = "This is refused, and here is the way out."


def opened(page: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "Home.py"), default_timeout=180)
    if page != "Home.py":
        app.switch_page(page)
    return app.run()


@pytest.mark.parametrize("page", [page.file for page in existing()])
@pytest.mark.parametrize("place", ["page", "fragment"])
def test_a_refusal_is_a_sentence_and_the_page_goes_on(page, place, monkeypatch, tmp_path):
    monkeypatch.setenv("AECORE_JOBS", "inline")
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path))
    kept = settings.keep
    raised = []

    def refuse(setting, found):
        if len(settings._part.get().path) == (1 if place == "page" else 2):
            raised.append(setting.key)
            raise DataError(SENTENCE)
        return kept(setting, found)

    monkeypatch.setattr(settings, "keep", refuse)
    app = opened(page)
    assert not app.exception
    if not raised:
        pytest.skip(f"{page} has no control there")
    assert SENTENCE.replace(".", "\\.") in {error.value for error in app.error}
    assert app.title[0].value
    assert len(app.get("page_link")) >= 1  # the way to the next page is still there


def test_fragments_are_made_by_the_one_decorator_that_turns_refusals_into_sentences():
    found = []
    for path in [ROOT / "Home.py", *(ROOT / "pages").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and ast.unparse(node) == "st.fragment":
                found.append(path.relative_to(ROOT).as_posix())
    assert set(found) <= {"pages/ui/frame/page.py", "pages/ui/training/work.py"}
