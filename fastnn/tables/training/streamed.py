"""Training on a Parquet file larger than memory.

One pass draws a sample (`fastnn.tables.streaming.sample`): all rows of the test and of validation, and some to train on. The
conversion of the columns, the target and the linear members are learned from it, as from any table. Then the networks are
trained on all other rows, in windows of a random order of the row groups (`fastnn.tables.streaming.windows`), each window
shuffled. What differs from training in memory:

    members      2 unless the recipe says otherwise; all learn from the same rows and hold out the same ones
    test         at most 20,000 rows, and at most 10,000 for validation, fewer if there are more than 25 columns
    passes       about 20 million rows in all, but at least 1 pass and at most 20
    best "epoch" of about 20 stages of the training, whatever the number of passes
    columns      their kinds, means, quantiles and categories are those of the sample, and so are linear models
    categories   columns are embedded if they have more than 1,000 over the number of columns of text, but at least 100
    several targets, group, time, weight, seconds and folds are refused

The result depends on the seed and the file, not on the number of threads or on how many rows are read at a time.
"""

import math
import time
from dataclasses import replace
from functools import partial

import numpy as np

from ...checks.caller_warning import collected, warn_caller
from ...fitting.history import History
from ...fitting.progress import Progress
from ...fitting.schedules import CosineDecay
from ...kernels.optimizers.adamw import AdamW
from ...population.population import Population
from ..columns.cells import without
from ..columns.judging import CHANCE, counted, is_time
from ..columns.names import check_there
from ..preprocessing import CATEGORIES, LEAST_CATEGORIES
from ..streaming.sample import TEST, TRAINING, VALIDATION, draw, has_target
from ..streaming.windows import Buffers, ahead, count, rows_of, windows
from .embedded import first_layers
from .members import Members, combined
from .mixing import Mixture
from .networks import as_chain, new_network, targets_of

MEMBERS = 2
SEEN, PASSES = 20_000_000, 20  # rows in all passes, about; number of passes at most
STAGES = 20  # after each of which the networks are evaluated on the validation rows
REFUSED = {"weight": "rows have no weights there", "group": "the rows of a group are in many places of the file",
           "time": "the file is not sorted", "seconds": "the number of passes decides the time, --epochs"}


class StreamTraining:
    """The training on one stream.

    Attributes
    ----------
    stream : ParquetStream
    sample : Sample
    sizes : tuple
        (passes, batch_size, learning_rate)
    members, one_hot_most : int
        The number of networks, and of the categories of a column that become features.
    """

    def __init__(self, stream, sample, target, recipe):
        self.stream, self.sample, self.target, self.recipe = stream, sample, target, recipe
        rows = sample.rows[TRAINING]
        _, batch_size, rate = recipe.sized(rows)
        passes = recipe.epochs or min(PASSES, max(1, math.ceil(SEEN / rows)))
        self.sizes = passes, batch_size, rate
        self.members, self.one_hot_most = recipe.members or MEMBERS, most_categories(stream, target)

    @classmethod
    def begin(cls, stream, target, recipe):
        """Draw the sample."""
        for name, why in REFUSED.items():
            if getattr(recipe, name) is not None:
                raise ValueError(f"{name} is {getattr(recipe, name)!r}, which a file that is read in parts does not "
                                 f"support: {why}; leave it out, or read the file as a whole (--stream no)")
        if isinstance(target, list):
            raise ValueError("a file that is read in parts has one target; train one model for each, or read the file as a "
                             "whole (--stream no)")
        target = check_there(target, stream.columns, "the target")
        if recipe.max_categories == "auto" and not recipe.embeds:
            recipe = replace(recipe, max_categories=most_categories(stream, target))
        return cls(stream, draw(stream, target, recipe), target, recipe)

    @property
    def rows(self):
        """{"training", "validation", "test": number of rows of the file}."""
        return {"training": self.sample.rows[TRAINING], "validation": self.sample.rows[VALIDATION],
                "test": self.sample.rows[TEST]}

    def in_words(self):
        """Return the numbers of rows as text."""
        rows = self.rows
        return (f"{rows['training']:,} to train on, read in {len(self.stream.starts) - 1:,} row groups; "
                f"{rows['validation']:,} to choose the best stage by")

    @property
    def notes(self):
        """What a user should know of the sample."""
        sample, rows = self.sample, sum(self.sample.rows.values())
        found = [f"columns are judged, and means and categories learned, from {len(sample.table):,} of {rows:,} rows"]
        if sample.missing:
            found.append(f"{sample.missing:,} of {self.stream.rows:,} rows have no {self.target!r} and are left out")
        largest = int(np.diff(self.stream.starts).max())
        if largest > 2**20:
            found.append(f"a row group has {largest:,} rows, so that rows far apart in the file are hardly mixed in "
                         "training; if the file is sorted, write it with row groups of about 100,000 rows")
        return found

    def counters(self, features):
        """Return the names of columns that number the rows of the file, as far as the sample shows."""
        found = []
        for name in features.columns:
            series = without(features[name], self.recipe.missing_values)
            number = counted(series)
            there = series.notna().mean() * self.stream.rows
            if number and number[2] < CHANCE and 2 * there >= number[1] - number[0] + 1 and not is_time(series):
                found.append(name)
        return found

    def split(self, **_):
        """Return the rows of the sample for (training, validation, test)."""
        return [np.flatnonzero(self.sample.parts == part) for part in (TRAINING, VALIDATION, TEST)]

    def deal(self, training, validation, count, seed):
        """Return the rows of the sample that all members learn from and hold out."""
        return [(training, validation)]

    def learner(self, preprocessing):
        """Return a function in the place of `train_members`."""
        return partial(self.train_members, preprocessing)

    def train_members(self, preprocessing, matrix, y, target, folds, recipe, sizes, progress, linear=None, weights=None,
                      tokens=None):
        """Train the members on the stream; parameters and result as of `members.train_members`. folds: of the sample."""
        (training, validation), (passes, batch_size, rate) = folds[0], sizes
        layers = [*first_layers(matrix.shape[1], tokens or {}), *recipe.layers]
        population = Population([new_network(layers, target, matrix.shape[1], recipe.seed + k)
                                 for k in range(self.members)])
        steps = passes * math.ceil(self.sample.rows[TRAINING] / batch_size)
        optimizer = AdamW(CosineDecay(rate, steps=steps), weight_decay=recipe.weight_decay)
        start = time.perf_counter()
        buffers = Buffers(matrix.shape[1])
        stages = Stages(population, matrix[validation], targets_of(target, y[validation]), recipe.threads)
        rows, seeds = rows_of(matrix.shape[1]), [(recipe.seed, number) for number in range(passes)]
        total, done, said = sum(count(self.stream, rows, seed) for seed in seeds), 0, {}
        with Progress(progress, 1, total, 0, unit="window") as bar:
            for seed in seeds:
                order = windows(self.stream, rows, self.names(preprocessing), seed)
                for X, labels in ahead(partial(self.encoded, preprocessing, target, buffers), order):
                    if len(X):
                        _, messages = collected(population.fit, X, targets_of(target, labels), epochs=1,
                                                batch_size=batch_size, optimizer=optimizer, threads=recipe.threads,
                                                progress=False)
                        if population.errors:
                            raise next(iter(population.errors.values()))
                        said |= dict.fromkeys(map(str, messages))
                        stages.add(population.histories, len(X), optimizer)
                    done += 1
                    if done * STAGES // total > (done - 1) * STAGES // total:
                        stages.end()
                    if bar.bar is not None:
                        bar.advance(1, dict)
        for message in said:
            warn_caller(message)
        best = stages.restore()
        mixture = Mixture()
        networks = [as_chain(network, layers, target) for network in population]
        network = combined(networks, layers, target, mixture)
        unseen = network.forward(matrix[validation], threads=recipe.threads)
        if linear and recipe.has_linear(self.members) and target.linear is not None:
            mixture = Mixture.of_target(matrix, y, target, [(training, validation)], [unseen], linear, recipe.seed)
            network, unseen = combined(networks, layers, target, mixture), mixture.unseen[0]
        return Members(network, stages.histories, best, unseen, validation, mixture.weights, time.perf_counter() - start)

    def names(self, preprocessing):
        """Return the names of the columns to read: those with features, and the target."""
        return [name for name in self.stream.columns if name in preprocessing.names or name == self.target]

    def encoded(self, preprocessing, target, buffers, window):
        """Return (X, y) of the training rows with a target in a window."""
        numbers, table = window
        parts, _ = self.sample.shares.parts(numbers)
        frame = self.stream.frame(table.filter(parts == TRAINING))
        there = has_target(frame, self.target, self.recipe)
        frame = frame if there.all() else frame[there].reset_index(drop=True)
        if not len(frame):
            return np.empty((0, len(preprocessing.features)), np.float32), np.empty(0)
        y = target.encode(frame[self.target])
        if y.dtype.kind == "f" and not np.isfinite(y).all():
            raise ValueError(f"column {self.target!r} holds numbers that have no logarithm, or are too large; train without "
                             "--log-target, or drop these rows")
        return preprocessing.encoded(frame, buffers.take(len(frame)))[0], y


def most_categories(stream, target):
    """Return the number of categories of a column that become features; columns of more are embedded."""
    words = [name for name in stream.columns if stream.holds_text(name) and name != target]
    return max(LEAST_CATEGORIES, min(CATEGORIES, CATEGORIES // max(len(words), 1)))


class Stages:
    """The history of the members by stages, and the best weights of each."""

    def __init__(self, population, X, y, threads):
        self.population, self.X, self.y, self.threads = population, X, y, threads
        self.histories = [History() for _ in population]
        self.sums, self.count, self.rate = [{} for _ in population], 0, None
        self.best = [(math.inf, None, None) for _ in population]  # validation loss, stage, arrays

    def add(self, histories, rows, optimizer):
        """Add the metrics of a window of training rows."""
        for sums, history in zip(self.sums, histories, strict=True):
            for name, values in history.items():
                if name != "learning_rate":
                    sums[name] = sums.get(name, 0.0) + rows * values[-1]
        self.rate = histories[0].learning_rates[-1] if histories[0].learning_rates else None
        self.count += rows

    def end(self):
        """Evaluate the members, and begin the next stage."""
        if not self.count:
            return
        for k, network in enumerate(self.population):
            metrics = {name: total / self.count for name, total in self.sums[k].items()}
            metrics |= {f"val_{name}": value for name, value in
                        network.evaluate(self.X, self.y, threads=self.threads).items()}
            self.histories[k].append(metrics, self.rate)
            if metrics["val_loss"] < self.best[k][0]:
                arrays = {name: array.copy() for name, array in {**network.parameters, **network.state}.items()}
                self.best[k] = metrics["val_loss"], len(self.histories[k].epochs) - 1, arrays
        self.sums, self.count = [{} for _ in self.population], 0

    def restore(self):
        """Give each member its best weights; return the number of the stage of each."""
        for network, (_, stage, arrays) in zip(self.population, self.best, strict=True):
            if stage is None:
                raise ValueError("the loss on the validation rows is not finite in any stage, so that none is the best: a "
                                 "number there is far beyond those of the training rows; mend it, or say that it means "
                                 "missing (--missing)")
            for name, array in {**network.parameters, **network.state}.items():
                array[...] = arrays[name]
        return [stage for _, stage, _ in self.best]
