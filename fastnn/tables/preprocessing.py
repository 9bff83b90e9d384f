"""Preprocessing: conversion of a table to the float32 matrix of network inputs, in training and in prediction.

Its numbers are learned from the training rows only, and are plain data: `config()` is JSON in the model's file.
"""

import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..checks import several, shown, whole_number
from ..checks.single import or_word
from ..files.networks import LONGEST, PROVOKED
from ..formats.untrusted_json import from_text
from ..samples.arrays import any_array
from .columns.bins import bins as checked_bins
from .columns.bins import fitting
from .columns.bins import names as bin_names
from .columns.cells import numbers_if_all, without
from .columns.frames import as_pandas, categorical_names, normalized
from .columns.judging import counters_of, learn
from .columns.kinds import KINDS, Ignored
from .columns.missing_words import MISSING_WORDS
from .columns.names import check_there, text_name
from .columns.notes import Notes
from .plain import deviations, different_words, from_config, marks, to_config
from .unseen import warn_of_unseen

CATEGORIES, LEAST_CATEGORIES = 1000, 100  # largest number of one-hot categories of a column, and that for many rows
MOST_CATEGORIES = 2**20  # of an embedded column
NUMBERS_OF_A_COLUMN = 2**26  # elements of the matrix for one column, which limit the categories if there are many rows
UNLIMITED = 1e30  # stands for infinity, which JSON does not have
CHARACTERS = 2**22  # largest total length of the feature names in a file


class Preprocessing:
    """The conversion of each column of a table.

    Parameters
    ----------
    columns : iterable of Number, Text and Ignored
    missing_values : iterable of str or float
        Missing values in addition to empty cells, such as "?" or -999.

    Attributes
    ----------
    features : list of str
        The names of the columns of the matrix.
    notes : list of str
        Decisions of `fit` that the user should check.

    Examples
    --------
    >>> import pandas as pd
    >>> from fastnn.tables import Preprocessing
    >>> table = pd.DataFrame({"carat": [0.2, 0.4, None], "cut": ["Good", "Ideal", "Good"]})
    >>> preprocessing = Preprocessing.fit(table)
    >>> preprocessing.features
    ['carat', 'carat missing', 'cut = Good', 'cut = Ideal']
    >>> preprocessing.transform(table).tolist()[2]
    [0.0, 1.0, 1.0, 0.0]
    """

    def __init__(self, columns, missing_values=()):
        self.columns = several("columns", columns)
        for column in self.columns:
            if not isinstance(column, tuple(KINDS.values())):
                kinds = ", ".join(kind.__name__ for kind in KINDS.values())
                raise ValueError(f"columns holds {shown(column)}; it must hold {kinds}")
        self.missing_values = marks("missing_values", missing_values)
        self.features = [feature for column in self.columns for feature in column.features]
        self.notes = []

    def __setstate__(self, state):
        """Restore a pickle; those of earlier versions have no notes."""
        vars(self).update({"notes": []} | state)

    @classmethod
    def fit(cls, table, *, rows=None, text=(), drop=(), keep_columns=(), keep_words=(), missing_values=(),
            max_categories="auto", limit="auto", bins=0, codes=(), words=(), embed=(), one_hot=(), embed_above=None,
            counters=None):
        """Learn the conversion of the columns of a table.

        Parameters
        ----------
        table : DataFrame
            A pandas DataFrame, or a table with an Arrow interface, such as a polars DataFrame. All rows determine whether a
            column holds numbers or text; a column of a categorical type is text.
        rows : array of int, optional
            The training rows: means, medians and categories are computed from them, and columns that are constant in them
            are ignored. Default all.
        text : iterable of str
            Columns whose numbers are names.
        drop : iterable of str
            Columns to ignore.
        keep_columns : iterable of str
            Columns to use although they number the rows, or hold a different text in most of them.
        keep_words : iterable of str
            Columns in which words such as NA, None and null are categories, not missing values.
        missing_values : iterable of str or float
            Missing values in addition to empty cells.
        max_categories : int or "auto"
            The number of categories to keep of a column of text, the most frequent ones. "auto": all of an embedded column,
            and 1,000 of others or, if the matrix would have more than 2**26 elements for one column, fewer, but at least
            100. A column with more categories than these or than 20, different in more than half of the rows, is ignored,
            because it only identifies rows. It is also the number of words and pairs of words of free text.
        limit : float or "auto"
            Standardized numbers are limited to ± this; infinity for no limit. "auto": 5 or, for a column with a long tail,
            up to twice as far as the tail: see `fastnn.tables.columns.tails`.
        bins : int
            The largest number of bins of a piecewise-linear encoding of each column of numbers, beside the number; 0 for
            none: see `fastnn.tables.columns.bins`. For matrices of more than 2**28 elements there are fewer.
        codes : iterable of str
            Columns of numbers that are also read as names, one-hot: see `fastnn.tables.training.codes`.
        words : iterable of str
            Columns of free text: see `fastnn.tables.columns.free_text`. Other text that differs in most rows and has three
            words or more on average is taken for it.
        embed : iterable of str
            Columns whose categories are embedded, however few: one feature holds the number of the category, and the network
            must begin with the layers of `fastnn.tables.training.embedded`, which have a vector for each.
        one_hot : iterable of str
            Columns whose categories are features of 0 and 1, however many.
        embed_above : int, optional
            The number of categories beyond which other columns are embedded; default never.
        counters : iterable of str, optional
            Columns that number the rows of a larger table of which this is a part. Default: determined from this table.

        Returns
        -------
        Preprocessing
            Its attribute `notes`, a list of str, describes decisions to check.

        Raises
        ------
        ValueError
            If no column is left, or if a named column does not exist.
        """
        declared = categorical_names(as_pandas("table", table))
        table = normalized("table", table)
        names, missing_values = list(table.columns), marks("missing_values", missing_values)
        text = [check_there(name, names) for name in several("text", text)] + declared
        drop = [check_there(name, names) for name in several("drop", drop)]
        keep_columns = [check_there(name, names) for name in several("keep_columns", keep_columns)]
        keep_words = [check_there(name, names) for name in several("keep_words", keep_words)]
        codes = [check_there(name, names) for name in several("codes", codes)]
        words = [check_there(name, names) for name in several("words", words)]
        one_hot = [check_there(name, names) for name in several("one_hot", one_hot)]
        embed = [check_there(name, names) for name in several("embed", embed)]
        embed_above = None if embed_above is None else whole_number("embed_above", embed_above, least=0)
        if twice := {*embed} & {*one_hot}:
            raise ValueError(f"{twice.pop()!r} is in both embed and one_hot; name it in one of them")
        rows = None if rows is None else numbers_of_rows(rows, len(table))
        most, limit = checked_categories(max_categories, len(table)), checked_limit(limit)

        def categories(name):
            """Return (largest number of categories, largest number that is not embedded, or None) of a column."""
            if name in one_hot or (name not in embed and embed_above is None):
                return most, None
            return MOST_CATEGORIES if max_categories == "auto" else most, 0 if name in embed else embed_above
        counters = counters_of(table, missing_values) if counters is None else several("counters", counters)
        counters = {check_there(name, names) for name in counters} - {*text, *drop, *keep_columns}
        lone = counters if len(set(names) - set(drop)) == 1 else set()
        count = fitting(checked_bins("bins", bins), len(table), len(names))
        columns, notes = [], Notes()
        for name in names:
            if name in drop:
                columns.append(Ignored(name, "ignored: asked for"))
                continue
            known = MISSING_WORDS if name in keep_words else ()
            given = table[name]
            series = without(given, missing_values, known)
            if series is not given and name not in text:
                series = numbers_if_all(series)
            if name in counters - lone:
                column = Ignored(name, "ignored: counts the rows")
            else:
                own, not_embedded = categories(name)
                column = learn(series, rows, text=name in text, keep=name in keep_columns, most=own, one_hot=not_embedded,
                               terms=most, limit=limit, bins=count, code=name in codes, words=name in words)
            columns.append(column)
            notes.add(column, given if column.kind == "text" else series, known=known, counts=name in counters,
                      kept=name in keep_columns)
        made = cls(columns, missing_values)
        made.notes = notes.sentences()
        if not made.features:
            reasons = "; ".join(f"{c.name} {c}" for c in columns) or "the table has none beside the target"
            overrule = "; --keep-columns lets a column that counts the rows be learned from" * bool(counters)
            raise ValueError(f"no column is left to learn from: {reasons}{overrule}")
        return made

    @property
    def binned(self):
        """Which features are those of the bins of numbers, (features,) bool."""
        return np.array([feature in bins for column in self.columns
                         for bins in [{*bin_names(column.name, getattr(column, "edges", ()))}]
                         for feature in column.features], bool)

    @property
    def tokens(self):
        """The features that hold numbers of categories: {number of the feature: (number of tokens, size of a vector)}."""
        found, start = {}, 0
        for column in self.columns:
            found |= {start + place: pair for place, pair in getattr(column, "tokens", {}).items()}
            start += len(column.features)
        return found

    @property
    def linear_features(self):
        """The features that a linear model may use, by its name: {"linear": numbers of the features, …}.

        "linear in bins" is there if there are bins. The number of a category means nothing to either.
        """
        binned, numbers = self.binned, np.ones(len(self.features), bool)
        numbers[[*self.tokens]] = False
        kinds = {"linear": numbers & ~binned} | ({"linear in bins": numbers} if binned.any() else {})
        return {name: np.flatnonzero(used) for name, used in kinds.items() if used.any()}

    @property
    def text_columns(self):
        """The names of the columns of text and of free text; `read_table(path, text=...)` reads them as they are written."""
        return [column.name for column in self.columns if column.kind in ("text", "free text")]

    @property
    def names(self):
        """{name, as text: column} of the columns that have features."""
        return {text_name(column.name): column for column in self.columns if column.features}

    def transform(self, table):
        """Return the matrix of a table.

        Parameters
        ----------
        table : DataFrame
            A table with the learned columns, in any order; others are ignored.

        Returns
        -------
        X : (rows, features) float32

        Raises
        ------
        ValueError
            If a column is missing, or holds text instead of numbers.

        Warns
        -----
        UnknownCategory
            For text that is in none of the learned categories, or missing if it was never missing: it is 0 in all of them.
        MissingNumber
            For missing numbers in a column without missing numbers in training: they are replaced by its median.
        """
        X, unseen = self.encoded(table)
        warn_of_unseen(unseen, len(X))
        return X

    def encoded(self, table, memory=None):
        """Return (matrix of a table, values that training did not have): [(column, {word: rows}), …], as of `transform`.

        memory: a matrix of as many rows, or more, to write to.
        """
        names = self.names
        given = as_pandas("table", table)
        table = normalized("table", given, only=names)
        missing = next((name for name in names if name not in table), None)
        if missing is not None:
            check_there(missing, list(given.columns), "the model was trained on it")
        X = np.empty((len(table), len(self.features)), np.float32) if memory is None else memory[:len(table)]
        start = 0
        unseen = []
        for name, column in names.items():
            series = without(table[name], self.missing_values, getattr(column, "categories", ()))
            width = len(column.features)
            unseen.append((column, column.transform(series, X[:, start:start + width])))
            start += width
        return X, unseen

    def config(self):
        """Return the preprocessing as plain data, for `from_config`."""
        return {"columns": [to_config(column) for column in self.columns], "missing_values": list(self.missing_values)}

    @classmethod
    def from_config(cls, config):
        """Make the preprocessing from the result of `config()`; raise ValueError if it is not valid."""
        lists = isinstance(config, Mapping) and [config.get("columns"), config.get("missing_values")]
        if not lists or not all(isinstance(each, (list, tuple)) for each in lists):
            raise ValueError(f"config is {shown(config)}; it must be what config() gives, a dict with the lists 'columns' "
                             "and 'missing_values'")
        columns = [from_config(KINDS, column) for column in config["columns"]]
        different_words("the names of the columns", [column.name for column in columns])
        # the name of a column is part of the names of all its features: their total size could be the square of the file's,
        # so that they are counted with a short name
        counts = [len(replace(c, name="x").features) for c in columns]
        if sum(len(str(c.name)) * count for c, count in zip(columns, counts, strict=True)) > CHARACTERS:
            raise ValueError(f"the names of its features have more than {CHARACTERS:,} characters")
        return cls(columns, config["missing_values"])

    def to_json(self):
        """Return the preprocessing as JSON."""
        return json.dumps(self.config())

    @classmethod
    def from_json(cls, text):
        """Make the preprocessing from the result of `to_json`."""
        try:
            return cls.from_config(from_text(text, special=True))
        except PROVOKED as error:
            raise ValueError(f"text is not what to_json wrote: {str(error)[:LONGEST]}; it must be that JSON") from None


def numbers_of_rows(rows, count):
    """Return the numbers of some of `count` rows, as an array of integers."""
    rows = any_array("rows", rows)
    if rows.dtype.kind not in "iu" or rows.ndim != 1 or not len(rows) or rows.min() < 0 or rows.max() >= count:
        raise ValueError(f"rows is {rows.dtype} of shape {rows.shape}; it must hold numbers of rows of the table, from 0 to "
                         f"{count - 1}")
    return rows


def checked_categories(most, rows):
    """Return the largest number of categories of a column of text, in a table of `rows` rows."""
    if isinstance(most, str) and most == "auto":
        return min(CATEGORIES, max(LEAST_CATEGORIES, NUMBERS_OF_A_COLUMN // max(rows, 1)))
    return whole_number("max_categories", most)


def checked_limit(limit):
    """Return a limit as a float that JSON can represent, or "auto"."""
    limit = or_word("auto", deviations)("limit", limit)
    return limit if limit == "auto" else min(limit, UNLIMITED)
