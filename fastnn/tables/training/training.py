"""Training a model on a table: split, learn the preprocessing, train, keep the best epoch, evaluate on the test rows.

The learning rate decreases along half a cosine to zero (Loshchilov and Hutter 2016, equation 5, one cycle). Each step
subtracts the fraction learning_rate · weight_decay of a weight (AdamW: Loshchilov and Hutter 2019). The final weights are
those of the epoch with the smallest loss on the validation rows.

The decay takes no extra time. Of 0, 0.05, 0.1 and 0.2 the default was best or nearly so on small and large tables, of values
and of classes, most clearly on the worst split; a target that varies quickly with a feature is learned better with 0.

Whether a positive, skewed target is learned in logarithms is chosen by the caller, or, with `log_target="auto"`, by training
both ways and keeping the model whose predictions have the smaller root mean squared error on the validation rows, in the
target's units. The test rows are not used for any choice.
"""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ...checks import shown
from ...checks.caller_warning import collected
from ...checks.other_arguments import takes_others
from ...checks.other_attributes import answers
from ...formats import html
from .. import metrics
from ..columns.cells import without
from ..columns.frames import as_pandas, categorical_names, normalized
from ..columns.judging import counters_of
from ..columns.names import check_there, text_name
from ..intervals import errors_of
from ..model import TableModel
from ..preprocessing import MOST_CATEGORIES, Preprocessing, checked_categories
from ..reading.known_formats import reading_of
from ..recipe import Recipe
from ..row_weights import weights_in
from ..streaming import ParquetStream
from ..target import Values
from . import codes
from .budget import within
from .dependent_rows import dependence
from .fitted_targets import (
    classes_of,
    labels_of,
    never_learned,
    note_on_threshold,
    plain_targets,
    targets_to_try,
    with_choices,
)
from .hints import hint
from .members import deal, train_members
from .split import split
from .streamed import StreamTraining
from .task import learnable, notes_on

SHOWN = 4  # classes in a note
FEW_ROWS = 10  # a test on fewer rows is not reliable


@answers
@dataclass
class Result:
    """The result of `train`.

    Attributes
    ----------
    model : TableModel
    recipe : Recipe
        The options.
    table : DataFrame
        The rows that have a target.
    folds : list of (training rows, validation rows)
        Their row numbers in `table`, for each member.
    test : array of int
        Row numbers.
    histories : list of History
        Of the members.
    best_epochs : list of int
        The epoch of each member, from 0, whose weights it has.
    weights : dict of str to float
        The weight of the mean of the networks, and of each linear member; empty without linear members. Of several targets
        {name: such a dict}.
    seconds : float
        Duration of training, over all tries, without compilation.
    metrics : dict of str to float
        On the test rows, weighted if the rows are; of several targets {name: such a dict}.
    row_weights : array (rows of table,) or None
        With the mean 1.
    notes : list of str
        Notes for the user: ignored columns, unknown text, decisions to check.
    stream : StreamTraining, optional
        Of a training on a ParquetStream, of which `table` is a sample.
    """

    model: TableModel
    recipe: Recipe
    table: object
    folds: list
    test: np.ndarray
    histories: list
    best_epochs: list
    weights: dict
    seconds: float
    metrics: dict
    row_weights: object
    notes: list
    stream: StreamTraining | None = None

    def _repr_html_(self):
        rows = self.rows if self.stream else {"training": len(self.training), "validation": len(self.validation)}
        foot = (f"{rows['training']:,} rows to train on, {rows['validation']:,} to choose the best epoch by, "
                f"{len(self.test):,} to test on; best epoch {self.best_epoch + 1}, {self.seconds:.1f} s")
        several = len(self.model.target.parts) > 1
        figures = [(f"{target}: {name}" if several else name, "–" if value is None else f"{value:.4g}")
                   for target, own in (self.metrics.items() if several else [("", self.metrics)])
                   for name, value in own.items()]
        return html.table(("metric", "on the test rows"), figures,
                          "; ".join([foot, *map(str, self.notes)])) + html.history_html(self.history)

    @property
    def training(self):
        """The rows that a member was trained on, ascending."""
        return union(learned for learned, _ in self.folds)

    @property
    def validation(self):
        """The rows that a member held out to choose its best epoch, ascending; all but the test's if there are several."""
        return union(held for _, held in self.folds)

    @property
    def rows(self):
        """{"training", "validation", "test": number of rows} that all members have in common."""
        if self.stream is not None:
            return self.stream.rows
        held_out = len(self.validation) if len(self.folds) == 1 else 0
        return {"training": len(self.training), "validation": held_out, "test": len(self.test)}

    @property
    def sizes(self):
        """(epochs, batch_size, learning_rate) of the training; of a stream, passes in the place of epochs."""
        return self.recipe.sized(len(self.folds[0][0])) if self.stream is None else self.stream.sizes

    @property
    def history(self):
        """The history of the first member."""
        return self.histories[0]

    @property
    def best_epoch(self):
        """The best epoch, from 0, of the first member."""
        return self.best_epochs[0]


def union(parts):
    return np.unique(np.concatenate([*parts]))


@takes_others("train")
def train(table, target, recipe=None, *, progress=False, announce=None):
    """Train a network to predict a column of a table from the others.

    Parameters
    ----------
    table : DataFrame or ParquetStream
        A pandas DataFrame, or a table with an Arrow interface, such as a polars DataFrame. A column of a categorical type is
        text. A ParquetStream is read in parts: see `fastnn.tables.training.streamed`.
    target : str or list of str
        The column to predict, or several. Rows without a target are left out.
    recipe : Recipe, optional
    progress : bool or None
        As for `Network.fit`.
    announce : callable, optional
        Called before training with the Preprocessing, the target, the rows of the members, the test rows, and (epochs,
        batch_size, learning_rate); for a ParquetStream, also with its StreamTraining.

    Returns
    -------
    Result

    Raises
    ------
    ValueError
        If the table or the recipe is not valid; the error names the repair.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from fastnn.tables import train
    >>> x = np.linspace(-1, 1, 200)
    >>> result = train(pd.DataFrame({"x": x, "y": 100 * x**2}), "y")
    >>> result.metrics["r2"] > 0.99
    True
    """
    recipe = Recipe() if recipe is None else recipe
    if not isinstance(recipe, Recipe):
        raise ValueError(f"recipe is {shown(recipe)}; it must be a Recipe, such as Recipe(epochs=20)")
    stream = StreamTraining.begin(table, target, recipe) if isinstance(table, ParquetStream) else None
    table, recipe = (table, recipe) if stream is None else (stream.sample.table, stream.recipe)
    table = as_pandas("table", table)
    reading = reading_of(table)
    targets, declared = checked_targets(target, table), categorical_names(table)
    table = normalized("table", table, untouched={*targets})
    features = table.drop(columns=targets)  # before rows without a target are dropped
    counters = counters_of(features, recipe.missing_values) if stream is None else stream.counters(features)
    for role in ("group", "time", "weight"):
        name = getattr(recipe, role)
        if name is not None and check_there(name, list(table.columns)) in targets:
            raise ValueError(f"{text_name(name)!r} is the target; it cannot be the {role} too")
    table, tasks, asked, notes = learnable(table, targets, recipe)
    notes = [*reading["notes"], *notes, *(stream.notes if stream else ())]
    classes = {name: classes_of(table[name], task, recipe, reading["spelling"].get(name)) for name, task in tasks.items()}
    for name in targets:
        if classes[name] is None:
            Values.fit(table[name])  # raises an error before `announce` is called
        notes += notes_on(table[name], classes[name], asked[name], recipe.log_target)
    labels = labels_of(table, classes)
    shares = {"validation": recipe.validation, "test": recipe.test, "seed": recipe.seed}
    depends = dependence(table, recipe) if stream is None else stream
    training, validation, test = depends.split(**shares) if depends else split(labels, len(table), **shares)
    dealt = partial(depends.deal if depends else partial(deal, labels), training, validation, seed=recipe.seed)
    folds = dealt(count=recipe.count(len(table)))
    learned = union(rows for rows, _ in folds)
    notes += filter(None, (never_learned(each, table[name], folds) for name, each in classes.items() if each is not None))
    weights = None
    if recipe.weight is not None:
        weights = weights_in(table[text_name(recipe.weight)])
        weights /= weights.mean()
    features = table.drop(columns=targets)
    text = {*map(text_name, recipe.text), *declared} - {*targets}
    keep_words = {*map(text_name, recipe.keep_words)} - {*targets}
    drop = [*recipe.drop, *(name for name in dict.fromkeys((recipe.group, recipe.weight))
                            if name not in (None, *recipe.drop, *recipe.keep_columns))]
    encode = partial(Preprocessing.fit, features, rows=learned, text=text, drop=drop,
                     keep_columns=recipe.keep_columns, keep_words=keep_words, missing_values=recipe.missing_values,
                     max_categories=recipe.max_categories, limit=recipe.limit, bins=recipe.bins, words=recipe.words,
                     embed=recipe.embed, one_hot=recipe.one_hot, counters=counters,
                     embed_above=None if not recipe.embeds else
                     checked_categories("auto", len(table)) if stream is None else stream.one_hot_most)
    preprocessing = encode(codes=recipe.codes)
    matrix, messages = collected(preprocessing.transform, features)
    ways = targets_to_try(table, tasks, classes, learned, recipe)
    column, wanted = ways[0].column(table), plain_targets(ways[0], table)
    numbers = [check_there(name, list(features.columns)) for name in recipe.numbers]
    if gains := codes.codes_among(preprocessing, features, matrix, wanted, folds, bins=recipe.bins, seed=recipe.seed,
                                  most=MOST_CATEGORIES if recipe.max_categories == "auto" else recipe.max_categories,
                                  numbers=numbers):
        preprocessing = encode(codes=[*recipe.codes, *gains])
        matrix, messages = collected(preprocessing.transform, features)
        notes.append(codes.note_on(gains))
    notes += preprocessing.notes + messages
    named = {*text, *map(text_name, drop)}
    notes += [found for column in preprocessing.columns if column.kind in ("text", "ignored") and column.name not in named
              and (found := hint(column.name, without(features[column.name], recipe.missing_values),
                                 "is ignored" if column.kind == "ignored" else "counts as text"))]

    if recipe.seconds is not None:
        y = ways[0].encode(column)
        members, epochs = within(recipe.seconds, matrix, y, ways[0], folds[0][0], recipe, len(ways), preprocessing.tokens)
        recipe, folds = replace(recipe, epochs=epochs), dealt(count=members) if len(folds) > 1 else folds
        count = len(folds)
        notes.append(f"{recipe.seconds:g} seconds are enough for {count} network{'s' * (count > 1)} of {epochs} epochs "
                     f"here; --members {count} --epochs {epochs} repeats this")
    if len(folds) > 1 and recipe.validation != Recipe.validation:
        notes.append(f"each of {len(folds)} networks holds out its own part, so that --validation {recipe.validation:g} "
                     "has no effect; it is for a single one: --members 1")
    if len(test) < FEW_ROWS:
        rows = "only 1 row is" if len(test) == 1 else f"only {len(test)} rows are"
        notes.append(f"{rows} held out for the test, so that the result says little about new ones")
    sizes = recipe.sized(len(folds[0][0])) if stream is None else stream.sizes
    if announce:
        announce(preprocessing, ways[0], folds, test, sizes, *([stream] if stream else []))
    tries = []
    for way in ways:
        learn = train_members if stream is None else stream.learner(preprocessing)
        members = learn(matrix, way.encode(column), way, folds, recipe, sizes, progress, preprocessing.linear_features,
                        weights, preprocessing.tokens)
        scored = metrics.score(way, column.iloc[members.validated], members.unseen, own(weights, members.validated))
        tries.append((scored[way.measure] if len(ways) > 1 else 0.0, way, members))
    _, chosen, members = min(tries, key=lambda each: each[0])
    if len(tries) > 1:
        notes.append(f"on the validation rows the {chosen.measure} is " + ", ".join(
            f"{loss:.5g} {'in logarithms' if way.logarithm else 'as it is'}" for loss, way, _ in tries))
    chosen = with_choices(chosen, table, members, learned, recipe, weights)
    notes += note_on_threshold(chosen, recipe)
    outputs = members.network.forward(matrix[test], threads=recipe.threads)
    held_out = metrics.score(chosen, column.iloc[test], outputs, own(weights, test))
    notes += filter(None, (never_predicted(part, table[part.name].iloc[test], out) for part, out in chosen.by_part(outputs)
                           if part.has_classes))
    errors = {part.name: errors_of(part.errors(table[part.name].iloc[members.validated], out),
                                   own(weights, members.validated))
              for part, out in chosen.by_part(members.unseen) if part.has_intervals}
    errors = errors if len(targets) > 1 else errors.get(chosen.name, ())
    model = TableModel(members.network, preprocessing, chosen, number_formats=reading["formats"], errors=errors,
                       weight=None if recipe.weight is None else text_name(recipe.weight))
    return Result(model, recipe, table, folds, test, members.histories, members.best_epochs, members.weights,
                  sum(tried.seconds for *_, tried in tries), held_out, weights, notes,
                  stream)


def own(weights, rows):
    """Return the weights of some of the rows, None if there are none."""
    return None if weights is None else weights[rows]


def never_predicted(classes, series, outputs):
    """Return a note on classes that have test rows and are predicted for none of them; None if there are none."""
    labels, count = classes.encode(series), len(classes.labels)
    counts = np.bincount(labels, minlength=count)
    predicted = np.bincount(classes.chosen(classes.estimates(outputs)), minlength=count)
    lost = np.flatnonzero((counts > 0) & (predicted == 0))
    if not len(lost) or len(labels) < FEW_ROWS:
        return None
    named = [f"{classes.texts[k]!r} ({counts[k]:,} rows)" for k in lost[:SHOWN]] + ["…"] * (len(lost) > SHOWN)
    repair = "" if classes.factors or classes.kind == "ordered" else "; --balanced predicts rare classes more often"
    return f"never predicted for any of the {len(labels):,} test rows: {', '.join(named)}{repair}"


def checked_targets(target, table):
    """Return the names of one or several targets, a list."""
    several = isinstance(target, list)  # a tuple is a name of pandas' MultiIndex
    names = [check_there(name, list(table.columns), "the target") for name in (target if several else [target])]
    if not names or len({*names}) < len(names):
        raise ValueError(f"target is {shown(target)}; it must be a column, or several different ones")
    return names
