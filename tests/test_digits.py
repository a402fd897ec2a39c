import numpy as np
import pytest
from sklearn.datasets import load_digits

from aecore.data.datasets import digits
from aecore.errors import SettingError


def test_these_are_the_digits_that_ship():
    images, labels = digits.load()
    raw = load_digits()
    assert images.shape == (1797, 8, 8)
    assert images.dtype == np.float32
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(images.reshape(1797, 64) * 16, raw.data)
    np.testing.assert_array_equal(labels, raw.target)
    assert (images.min(), images.max()) == (0, 1)


def test_they_are_read_once_and_cannot_be_spoilt():
    assert digits.load() is digits.load()
    with pytest.raises(ValueError, match="read-only"):
        digits.load().images[0, 0, 0] = 2


def test_split_is_stratified_disjoint_and_complete():
    train, test = digits.split(seed=3)
    assert len(train.labels) + len(test.labels) == 1797
    all_labels = digits.load().labels
    for digit in range(10):
        share = (test.labels == digit).sum() / (all_labels == digit).sum()
        assert share == pytest.approx(0.2, abs=0.01)
    together = np.concatenate([train.images, test.images]).reshape(1797, 64)
    everything = digits.load().images.reshape(1797, 64)
    np.testing.assert_array_equal(together[np.lexsort(together.T)], everything[np.lexsort(everything.T)])


def test_images_keep_their_labels():
    _, test = digits.split(seed=1)
    images, labels = digits.load()
    known = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    assert all(known[image.tobytes()] == label for image, label in zip(test.images, test.labels, strict=True))


def test_split_follows_its_seed():
    assert np.array_equal(digits.split(seed=1).test.images, digits.split(seed=1).test.images)
    assert not np.array_equal(digits.split(seed=1).test.images, digits.split(seed=2).test.images)


def test_split_takes_other_digits():
    images = np.zeros((20, 28, 28), dtype=np.float32)
    part = digits.split(digits.Digits(images, np.repeat([0, 1], 10)), test_share=0.1)
    assert part.test.labels.tolist() == [0, 1]
    assert part.train.images.shape == (18, 28, 28)


@pytest.mark.parametrize("share", [0.0, 0.9, float("nan")])
def test_split_refuses_odd_shares(share):
    with pytest.raises(SettingError, match="test_share"):
        digits.split(test_share=share)
