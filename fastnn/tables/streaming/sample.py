"""The parts of a stream: which rows are for the test, for validation and for training, and a sample of all of them.

The part of a row follows from a hash of its number and the seed (splitmix64: Steele, Lea and Flood 2014), so that no list of
rows is kept:

    u = hash(row, seed) / 2**64;    test: u < t;    validation: t ≤ u < t + v;    training: the others

t and v are the fractions that the recipe has, but no more than TEST and VALIDATION rows. Rows with u ≥ 1 − s, and all of the
test and of validation, are in the sample, a table in memory: kinds of columns, means, quantiles, categories and linear
models are learned from it. So are the first training rows of each class, so that no class is unknown.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from ...checks import shown
from ...runtime.quiet import quiet
from ..columns.cells import distinct
from ..columns.missing_words import MISSING_WORDS
from ..columns.names import text_name
from ..target import AMOUNTS, as_target, present
from .parquet import pyarrow

TRAINING, VALIDATION, TEST = range(3)
MOST = {TRAINING: 30_000, VALIDATION: 10_000, TEST: 20_000}  # rows of the sample
CELLS = 1_500_000  # of the sample: fewer rows if there are many columns
PIECE = 2**15  # rows looked at together
CLASSES, EACH = 10_000, 5  # up to so many different targets, so many training rows of each are in the sample


@dataclass(frozen=True)
class Shares:
    """The fractions of the rows: for the test, for validation, and those of training rows in the sample."""

    test: float
    validation: float
    sampled: float
    seed: int

    @classmethod
    def of(cls, stream, recipe):
        """Return the shares for a stream and a recipe."""
        if not recipe.validation + recipe.test < 1:
            raise ValueError(f"{recipe.validation:g} of the rows for validation and {recipe.test:g} for the test leave none "
                             "to train on; the two shares must add up to less than 1")
        factor = min(1.0, CELLS / (max(len(stream.columns), 1) * sum(MOST.values())))
        test, validation, training = (factor * MOST[part] / max(stream.rows, 1) for part in (TEST, VALIDATION, TRAINING))
        test, validation = min(recipe.test, test), min(recipe.validation, validation)
        return cls(test, validation, min(training, 1 - test - validation), recipe.seed)

    def parts(self, numbers):
        """Return (part of each row, whether it is in the sample)."""
        u = hashed(numbers, self.seed)
        parts = np.where(u < self.test, TEST, np.where(u < self.test + self.validation, VALIDATION, TRAINING))
        return parts, (parts != TRAINING) | (u >= 1 - self.sampled)


@dataclass(frozen=True)
class Sample:
    """A sample of a stream.

    Attributes
    ----------
    table : DataFrame
    parts : array (rows of the table,) of int
        TRAINING, VALIDATION or TEST.
    shares : Shares
    rows : dict of int to int
        The rows with a target in each part of the file.
    missing : int
        The rows of the file without a target.
    """

    table: object
    parts: np.ndarray
    shares: Shares
    rows: dict
    missing: int


def hashed(numbers, seed):
    """Return numbers between 0 and 1, as good as random, for whole numbers and a seed."""
    offset = np.uint64((0x9E3779B97F4A7C15 * (2 * (seed % 2**62) + 1)) % 2**64)
    z = quiet(splitmix, np.asarray(numbers).astype(np.uint64), offset, over="ignore")
    return (z >> np.uint64(11)).astype(np.float64) / 2**53


def splitmix(numbers, offset):
    z = (numbers + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) + offset
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def has_target(frame, target, recipe):
    """Return which rows of a DataFrame have a target, (rows,) bool."""
    known = MISSING_WORDS if target in map(text_name, recipe.keep_words) else ()
    return present(as_target(frame[target], recipe.missing_values, known), numbers=recipe.task in AMOUNTS)


def draw(stream, target, recipe):
    """Read the whole stream once, and return its Sample."""
    arrow, _ = pyarrow()
    shares = Shares.of(stream, recipe)
    kept, parts, rows, missing = [], [], Counter(), 0
    labels = ClassCounter(may_have_classes(stream.schema.field(stream.fields[target]).type))
    for numbers, piece in stream.pieces(PIECE):
        part, sampled = shares.parts(numbers)
        series = stream.frame(piece.select([stream.fields[target]]))
        there = has_target(series, target, recipe)
        missing += int((~there).sum())
        rows.update(dict(enumerate(np.bincount(part[there], minlength=3).tolist())))
        sampled = there & (sampled | labels.rare(series[target], there & (part == TRAINING)))
        if sampled.any():
            kept.append(piece.filter(arrow.array(sampled)))
            parts.append(part[sampled])
    if not kept or min(rows[part] for part in (TRAINING, VALIDATION, TEST)) == 0:
        raise ValueError(f"{stream.path} has {sum(rows.values()):,} rows with a target {shown(target)}, too few to hold "
                         "some out; give more, or larger shares for validation and the test")
    return Sample(stream.frame(arrow.concat_tables(kept)), np.concatenate(parts), shares, dict(rows), missing)


def may_have_classes(kind):
    """Return whether a column of an Arrow type may hold classes."""
    arrow, _ = pyarrow()
    return not arrow.types.is_floating(kind) and not arrow.types.is_temporal(kind)


class ClassCounter:
    """Finds the first rows of each value of the target, so that every class has some in the sample."""

    def __init__(self, active):
        self.counts = Counter() if active else None

    def rare(self, series, there):
        """Return which rows are among the first EACH of their class, (rows,) bool. there: the rows that count."""
        found = np.zeros(len(series), bool)
        if self.counts is None:
            return found
        codes, values = distinct(series)
        for code, value in enumerate(values):
            lacking = EACH - self.counts[value]
            if lacking > 0:
                rows = np.flatnonzero((codes == code) & there)[:lacking]
                found[rows] = True
                self.counts[value] += len(rows)
        if len(self.counts) > CLASSES:
            self.counts = None
        return found
