"""Tables as HTML: what is marked, what a spread becomes, how many columns a phone shows whole."""

import re

import pytest

from aecore.figures import tables


def test_a_table_marks_what_is_best_and_says_what_a_column_means():
    made = tables.table([("a", ""), ("b", "what b is")], [["<x>", "1"], ["y", "2"]], [[False, True], [False, False]])
    assert 'title="what b is"' in made and made.count("title=") == 1
    assert "&lt;x&gt;</th>" in made
    assert re.findall("<b>(.*?)</b>", made) == ["1"]


def test_a_spread_is_the_small_part_of_its_cell():
    assert "<td>0.5 <small>± 0.1</small></td>" in tables.table([("a", ""), ("b", "")], [["x", "0.5 ± 0.1"]])


@pytest.mark.parametrize(("columns", "kind"), [(2, "few"), (tables.FEW, "few"), (tables.FEW + 1, "many")])
def test_many_columns_are_moved_and_few_are_narrowed(columns, kind):
    made = tables.table([("Autoencoder", "")] * columns, [["1"] * columns])
    assert f'class="measured {kind}"' in made
    assert made.count("Auto\u00adencoder") == columns  # a place to break
