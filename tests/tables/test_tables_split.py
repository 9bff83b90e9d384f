"""The split: every row is used once, every part has its share, and every class is in training, for any number of classes."""

import numpy as np
import pytest

from fastnn.tables.training.split import split

CLASSES = {
    "134 of three rows": np.arange(400) // 3,
    "200 of two rows": np.arange(400) % 200,
    "100 of four rows and a large one": np.minimum(np.arange(1000) // 4, 100),
    "300 of one row and a large one": np.minimum(np.arange(1000), 300),
    "ten of 30 rows": np.arange(300) % 10,
    "five of two rows": np.arange(10) % 5,
    "of all sizes": np.floor(np.sqrt(np.arange(900))).astype(int),
}
EARLIER = {"validation": [17, 18, 25, 28], "test": [3, 12, 20, 23, 26, 27]}  # by the first version, of 15 rows a class
SHARES = [(0.1, 0.2), (0.1, 0.0), (0.0, 0.2), (0.0, 0.0), (0.3, 0.3), (0.01, 0.5)]  # of validation and of the test


@pytest.mark.parametrize(("validation", "test"), SHARES)
@pytest.mark.parametrize("labels", CLASSES.values(), ids=CLASSES)
def test_parts_have_their_shares_and_training_has_every_class(labels, validation, test):
    rows = len(labels)
    parts = split(labels, rows, validation=validation, test=test, seed=1)
    assert sorted(np.concatenate(parts)) == list(range(rows))
    training, *held = parts
    assert set(labels[training]) == set(labels)
    sizes = np.bincount(labels)
    free = sizes[sizes > 1].sum()  # the only row of a class is in training
    for part, share in zip(held, (validation, test), strict=True):
        assert 1 <= len(part)
        assert share * free / 2 <= len(part) + 1
        assert len(part) <= 2 * share * rows + 1 or len(part) <= (sizes > 1).sum()


def test_many_small_classes_are_held_out_in_turn():
    labels = np.repeat(np.arange(100), 3)
    training, validation, test = split(labels, 300, validation=0.1, test=0.2, seed=0)
    assert (len(training), len(validation), len(test)) == (210, 30, 60)
    assert np.bincount(labels[np.concatenate([validation, test])], minlength=100).max() == 1
    assert not np.array_equal(test, split(labels, 300, validation=0.1, test=0.2, seed=1)[2])


def test_splits_of_large_classes_stay_what_they_were():
    labels = np.arange(30) % 2
    training, validation, test = split(labels, 30, validation=0.1, test=0.2, seed=3)
    assert validation.tolist() == EARLIER["validation"]
    assert test.tolist() == EARLIER["test"]
    assert len(training) == 30 - len(validation) - len(test)


def test_classes_of_one_row_each_cannot_be_held_out():
    with pytest.raises(ValueError, match=r"12 rows of 12 classes are too few .* more rows of each class"):
        split(np.arange(12), 12, validation=0.1, test=0.2, seed=0)
