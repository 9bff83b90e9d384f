"""The options of training on a table, their checks, and defaults that depend on the number of rows."""

import math
from dataclasses import dataclass, field

from ..checks import not_negative, number_in_range, one_of, several, whole_number
from ..checks.hyperparameters import optional, positive
from ..checks.single import check_fields, checked, or_none, or_word
from ..layers import Dense
from ..layers.blocks import list_of_layers
from .plain import deviations, marks

STEPS = 4000  # approximate number of steps of a training, within
EPOCHS = (20, 200)  # these bounds on the number of epochs
LARGE = 5000  # number of training rows from which on the batches are larger
BATCH_SIZES = (32, 128)


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


def names():
    """A field for names of columns, by default none."""
    return checked(several, default=())


@dataclass(frozen=True)
class Recipe:
    """The options of training. The defaults of None depend on the number of rows.

    Attributes
    ----------
    layers : list of Dense
        The hidden layers.
    epochs, batch_size : int, optional
        Default: batches of 128 for 5,000 training rows or more, else 32; 20 to 200 epochs, for about 4,000 steps.
    learning_rate : float, optional
        The initial learning rate of AdamW. Default: 0.005 √(batch_size / 128), at most 0.01.
    weight_decay : float
        Of AdamW; use 0 if the target varies quickly with a feature.
    validation, test : float
        Fractions of the rows.
    seed : int
        For the split, the initial weights and the shuffling.
    task : {"auto", "regression", "classification"}
    log_target : {"no", "yes", "auto"}
        Whether to learn the logarithms of values; "auto" tries both if the target is positive and skewed.
    text, drop, keep_columns, keep_words, missing_values, max_categories, limit
        See `Preprocessing.fit`. A target in `text` has classes even if it contains numbers; for a target in `keep_words`,
        words such as None are classes.
    threads : int, optional
    """

    layers: tuple = field(default_factory=lambda: (Dense(64, "relu"), Dense(64, "relu")), metadata={"check": hidden_layers})
    epochs: int | None = checked(or_none(whole_number), default=None)
    batch_size: int | None = checked(or_none(whole_number), default=None)
    learning_rate: float | None = optional(positive())
    weight_decay: float = checked(not_negative, default=0.1)
    validation: float = checked(share_of_rows, default=0.1)
    test: float = checked(share_of_rows, default=0.2)
    seed: int = checked(seed, default=0)
    task: str = option("auto", "regression", "classification")
    log_target: str = option("no", "yes", "auto")
    text: tuple = names()
    drop: tuple = names()
    keep_columns: tuple = names()
    keep_words: tuple = names()
    missing_values: tuple = checked(marks, default=())
    max_categories: int | str = checked(or_word("auto", whole_number), default="auto")
    limit: float | str = checked(or_word("auto", deviations), default="auto")
    threads: int | None = checked(or_none(whole_number), default=None)

    def __post_init__(self):
        check_fields(self)

    def sized(self, rows):
        """Return (epochs, batch_size, learning_rate) for a number of training rows.

        The learning rate is proportional to the root of the batch size, as recommended for Adam (Malladi et al. 2022).
        """
        batch_size = self.batch_size or BATCH_SIZES[rows >= LARGE]
        low, high = EPOCHS
        epochs = min(high, max(low, math.ceil(STEPS / math.ceil(rows / batch_size))))
        learning_rate = self.learning_rate or min(1e-2, 5e-3 * math.sqrt(batch_size / 128))
        return epochs if self.epochs is None else self.epochs, batch_size, learning_rate
