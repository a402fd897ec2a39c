"""Shapes held against their geometry."""

import numpy as np
import pytest

from aecore.data.datasets.shapes import OUTLINES, ShapeFamily, outline, render
from aecore.errors import SettingError


@pytest.mark.parametrize("kind", OUTLINES)
def test_every_kind_covers_the_area_of_its_circle(kind):
    shapes = ShapeFamily(kinds=(kind,), rotation=180, wander=1.0).draw(40, seed=3)
    np.testing.assert_allclose(shapes.images.sum((1, 2)), np.pi * shapes.sizes**2, rtol=0.02)
    assert shapes.images.min() == 0
    assert shapes.images.max() == 1


def test_a_square_is_a_square_and_its_half_turned_corner_is_where_it_should_be():
    """Area 12 x 12 pixels: rows and columns 8..19 are full, all else is empty but for the edge."""
    size = np.array([12 / np.sqrt(np.pi)], np.float32)
    image = render(outline("square")[None], size, np.zeros(1, np.float32), np.zeros((1, 2), np.float32))[0]
    inner = np.zeros((28, 28))
    inner[8:20, 8:20] = 1
    np.testing.assert_allclose(image, inner, atol=0.02)
    turned = render(outline("square")[None], size, np.full(1, 45, np.float32), np.zeros((1, 2), np.float32))[0]
    reach = np.flatnonzero(turned[13:15].max(0) > 0.5)
    assert reach[0] == pytest.approx(13.5 - 6 * np.sqrt(2), abs=1)


def test_a_figure_wanders_by_its_place():
    args = outline("star")[None], np.array([6], np.float32), np.zeros(1, np.float32)
    here = render(*args, np.zeros((1, 2), np.float32))[0]
    there = render(*args, np.array([[3, 2]], np.float32))[0]
    np.testing.assert_allclose(there[:-2, 3:], here[2:, :-3], atol=1e-5)


def test_turning_a_triangle_by_a_third_of_a_circle_changes_nothing():
    size, place = np.array([7], np.float32), np.zeros((1, 2), np.float32)
    images = [render(outline("triangle")[None], size, np.array([a], np.float32), place)[0] for a in (0, 120, 60)]
    np.testing.assert_allclose(images[0], images[1], atol=0.02)
    assert np.abs(images[0] - images[2]).max() > 0.5


def test_kinds_come_in_equal_shares_and_seeds_repeat():
    family = ShapeFamily()
    shapes = family.draw(60, seed=5)
    assert np.bincount(shapes.labels).tolist() == [10] * len(family.kinds)
    np.testing.assert_array_equal(shapes.images, family.draw(60, seed=5).images)
    assert not np.array_equal(shapes.images, family.draw(60, seed=6).images)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"kinds": ("blob",)}, "blob"),
        ({"kinds": ()}, "none"),
        ({"kinds": ("star", "star")}, "star, star"),
        ({"smallest": 9.0, "largest": 5.0}, "9 to 5"),
        ({"rotation": 181.0}, "181"),
        ({"wander": -1.0}, "-1"),
    ],
)
def test_a_family_says_what_it_does_not_take(settings, named):
    with pytest.raises(SettingError, match=named):
        ShapeFamily(**settings)
