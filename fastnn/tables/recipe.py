"""The options of training on a table, their checks, and defaults that depend on the number of rows."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..checks import not_negative, number_in_range, one_of, several, true_or_false, whole_number
from ..checks.hyperparameters import optional, positive
from ..checks.other_arguments import takes_others
from ..checks.single import above, below, check_fields, checked, number, or_none, or_word, real_number, shown
from ..layers import Dense
from ..layers.blocks import list_of_layers
from .columns.bins import BINS, bins
from .columns.names import text_name
from .plain import deviations, marks, word
from .targets.quantiles import checked_quantiles
from .thresholds import METRICS

STEPS = 4000  # approximate number of steps of a training, within
EPOCHS = (20, 200)  # these bounds on the number of epochs
LARGE = 5000  # number of training rows from which on the batches are larger
BATCH_SIZES = (32, 128)
TASKS = "auto", "regression", "classification", "counts", "ordered"
MEMBERS = ((50_000, 8), (200_000, 4), (math.inf, 2))  # (rows of the table up to which, number of members)


def hidden_layers(where, value):
    """Return the hidden layers as a tuple."""
    return tuple(list_of_layers(where, value))


def share_of_rows(where, value):
    """Return a fraction of the rows that leaves some for the other parts."""
    return number_in_range(where, value, 0.0, 1.0)


def seed(where, value):
    """Return an integer of any size."""
    return whole_number(where, value, least=0, most=math.inf)


def option(*words):
    """A field for one of the words, by default the first."""
    return checked(lambda where, value: one_of(where, value, words), default=words[0])


def probabilities(where, values):
    """Return ascending probabilities of quantiles, or none."""
    values = several(where, values)
    if not all(0 < real_number(value) < 1 for value in values):  # before they are sorted, which words and None cannot be
        raise ValueError(f"{where} is {shown(values)}; it must hold numbers between 0 and 1, such as 0.1, 0.5, 0.9")
    return checked_quantiles(where, tuple(sorted(map(real_number, values)))) if values else ()


def a_threshold(where, value):
    """Return the name of a metric, or a probability."""
    if isinstance(value, str):
        return one_of(where, value, METRICS)
    return number(above(0.0), below(1.0), "'f1', 'balanced' or a probability between 0 and 1")(where, value)


def task_or_tasks(where, value):
    """Return a task, or {target, as text: task}."""
    if isinstance(value, Mapping):
        return {text_name(name): one_of(f"{where}[{name!r}]", each, TASKS) for name, each in value.items()}
    return one_of(where, value, TASKS)


def names():
    """A field for names of columns, by default none."""
    return checked(several, default=())


@dataclass(frozen=True)
class Recipe:
    """The options of training. The defaults of None depend on the number of rows.

    Attributes
    ----------
    layers : list of Dense
        The hidden layers of each member. Default: two of 128 rectified linear units.
    members : int, optional
        The number of networks that are averaged, each validated on its share of the rows: see
        `fastnn.tables.training.members`. Default: 8, or 4 above 50,000 rows and 2 above 200,000. 1 for a single network,
        validated on the share `validation`, which is the default if the first layer is not a Dense.
    bins : int
        The number of bins of a piecewise-linear encoding of each column of numbers, beside the number itself; 0 for none.
    seconds : float, optional
        The time that training may take, which decides the number of members and epochs where they are not given: see
        `fastnn.tables.training.budget`.
    balanced : bool
        Whether the predicted class is that with the largest ratio of its probability to its share of the rows, so that rare
        classes are predicted too. Probabilities do not change.
    threshold : {"f1", "balanced"} or float, optional
        For two classes: the probability above which the second is predicted, or the metric by which it is chosen on the rows
        held out, the mean F1 or the balanced accuracy: see `fastnn.tables.thresholds`.
    linear : {"auto", "yes", "no"}
        Whether linear models are added to the average, with weights from the rows held out: see
        `fastnn.tables.training.mixing`. "auto": if there are several members with hidden layers.
    epochs, batch_size : int, optional
        Default: batches of 128 for 5,000 training rows or more, else 32; 20 to 200 epochs, for about 4,000 steps.
    learning_rate : float, optional
        The initial learning rate of AdamW. Default: 0.005 √(batch_size / 128), at most 0.01.
    weight_decay : float
        Of AdamW; use 0 if the target varies quickly with a feature.
    validation, test : float
        Fractions of the rows. With several members, those that are not for the test are dealt among these, and `validation`
        has no effect.
    seed : int
        For the split, the initial weights and the shuffling.
    task : {"auto", "regression", "classification", "counts", "ordered"}, or dict of target to these
        "counts": numbers of at least 0, by the Poisson deviance. "ordered": classes with an order, that of `order`. A target
        that is not in the dict has "auto".
    quantiles : list of float
        Probabilities of quantiles that are predicted in the place of the mean, such as (0.1, 0.5, 0.9).
    order : list
        The labels of ordered classes, from the lowest to the highest. Numbers, and pandas' ordered categories, need none.
    log_target : {"no", "yes", "auto"}
        Whether to learn the logarithms of values; "auto" tries both if the target is positive and skewed.
    text, drop, keep_columns, keep_words, missing_values, max_categories, limit
        See `Preprocessing.fit`. A target in `text` has classes even if it contains numbers; for a target in `keep_words`,
        words such as None are classes.
    codes, numbers : list of str
        Columns of numbers that are read as names too, one-hot; and those that are not. Others with whole numbers that repeat
        are read so if this explains part of the errors on rows held out: see `fastnn.tables.training.codes`.
    embed, one_hot : list of str
        Columns of text whose categories have a vector each, and those whose categories are features of 0 and 1. Others are
        embedded if they have more than 1,000 categories (fewer for more than 67,000 rows) and the first layer is a Dense:
        see `fastnn.tables.training.embedded`.
    words : list of str
        Columns of free text: see `fastnn.tables.columns.free_text`.
    group : str, optional
        A column whose rows with the same value, such as those of one patient, are in one part as a whole. It is no input of
        the networks unless it is in `keep_columns`.
    time : str, optional
        A column of dates or numbers: the last rows are for the test, and each member holds out a block of time. See
        `fastnn.tables.training.dependent_rows`.
    weight : str, optional
        A column with the weight of each row, a number of at least 0, in training and in metrics. It is no input of the
        networks unless it is in `keep_columns`.
    threads : int, optional
    """

    layers: tuple = field(default_factory=lambda: (Dense(128, "relu"),) * 2, metadata={"check": hidden_layers})
    members: int | None = checked(or_none(whole_number), default=None)
    bins: int = checked(bins, default=BINS)
    seconds: float | None = optional(positive())
    balanced: bool = checked(true_or_false, default=False)
    threshold: str | float | None = checked(or_none(a_threshold), default=None)
    linear: str = option("auto", "yes", "no")
    epochs: int | None = checked(or_none(whole_number), default=None)
    batch_size: int | None = checked(or_none(whole_number), default=None)
    learning_rate: float | None = optional(positive())
    weight_decay: float = checked(not_negative, default=0.1)
    validation: float = checked(share_of_rows, default=0.1)
    test: float = checked(share_of_rows, default=0.2)
    seed: int = checked(seed, default=0)
    task: str | Mapping = checked(task_or_tasks, default="auto")
    quantiles: tuple = checked(probabilities, default=())
    order: tuple = checked(several, default=())
    log_target: str = option("no", "yes", "auto")
    text: tuple = names()
    drop: tuple = names()
    keep_columns: tuple = names()
    keep_words: tuple = names()
    codes: tuple = names()
    numbers: tuple = names()
    embed: tuple = names()
    one_hot: tuple = names()
    words: tuple = names()
    group: str | None = checked(or_none(word), default=None)
    time: str | None = checked(or_none(word), default=None)
    weight: str | None = checked(or_none(word), default=None)
    missing_values: tuple = checked(marks, default=())
    max_categories: int | str = checked(or_word("auto", whole_number), default="auto")
    limit: float | str = checked(or_word("auto", deviations), default="auto")
    threads: int | None = checked(or_none(whole_number), default=None)

    def __post_init__(self):
        check_fields(self)

    def count(self, rows):
        """Return the number of members for a number of rows with a target."""
        simple = not self.layers or isinstance(self.layers[0], Dense)
        if self.members is None:
            return next(count for most, count in MEMBERS if rows <= most) if simple else 1
        if self.members > 1 and not simple:
            raise ValueError(f"members is {self.members}, but the networks begin with {self.layers[0]!r}: what that learns "
                             "of a feature that is constant in the rows of one member has no meaning for the others; begin "
                             "with a Dense layer, or give members=1")
        return self.members

    @property
    def embeds(self):
        """Whether columns of many categories are embedded: the first layer must take vectors among other features."""
        return bool(self.layers) and isinstance(self.layers[0], Dense)

    def has_linear(self, members):
        """Return whether linear models are added to so many members."""
        return self.linear == "yes" or (self.linear == "auto" and members > 1 and bool(self.layers))

    def sized(self, rows):
        """Return (epochs, batch_size, learning_rate) for the number of training rows of a member.

        The learning rate is proportional to the root of the batch size, as recommended for Adam (Malladi et al. 2022).
        """
        batch_size = self.batch_size or BATCH_SIZES[rows >= LARGE]
        low, high = EPOCHS
        epochs = min(high, max(low, math.ceil(STEPS / math.ceil(rows / batch_size))))
        learning_rate = self.learning_rate or min(1e-2, 5e-3 * math.sqrt(batch_size / 128))
        return epochs if self.epochs is None else self.epochs, batch_size, learning_rate


Recipe.__init__ = takes_others("table")(Recipe.__init__)
