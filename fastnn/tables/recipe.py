"""How to train on a table: what may be said, checked, and what the number of rows decides."""

import math
from dataclasses import dataclass, field

from ..checks import list_of, not_negative, number_in_range, one_of, several, whole_number
from ..checks.hyperparameters import optional, positive
from ..checks.single import check_fields, checked, or_none, or_word
from ..layers import Dense, Layer
from .plain import deviations, marks

STEPS = 4000  # training has about so many, where
EPOCHS = (20, 200)  # these bounds allow it
LARGE = 5000  # so many training rows are learned in larger batches
BATCH_SIZES = (32, 128)


def hidden_layers(where, value):
    """Layers, as a tuple."""
    return tuple(list_of(where, value, Layer))


def share_of_rows(where, value):
    """A part of the rows, which leaves some for the others."""
    return number_in_range(where, value, 0.0, 1.0)


def seed(where, value):
    """A whole number, however large."""
    return whole_number(where, value, least=0, most=math.inf)


def option(*words):
    """A field that is one of the words, by default the first."""
    return checked(lambda where, value: one_of(where, value, words), default=words[0])


def names():
    """A field of names of columns, by default of none."""
    return checked(several, default=())


@dataclass(frozen=True)
class Recipe:
    """How to train. What is None is chosen by the number of rows.

    Attributes
    ----------
    layers : list of Dense
        The hidden ones.
    epochs, batch_size : int, optional
        Default: batches of 128, from 5,000 training rows, or 32; 20 to 200 epochs, for some 4,000 steps.
    learning_rate : float, optional
        Of AdamW, at the start. Default: 0.005 √(batch_size / 128), at most 0.01.
    weight_decay : float
        Of AdamW; 0 for none, where what is to be learned changes quickly from place to place.
    validation, test : float
        Shares of the rows.
    seed : int
        Of the split, the first weights and the shuffling.
    task : {"auto", "regression", "classification"}
    log_target : {"no", "yes", "auto"}
        Whether values are learned in logarithms; "auto" tries both where the target is positive and skewed.
    text, drop, keep_columns, keep_words, missing_values, max_categories, limit
        See `Preprocessing.fit`. A target among `text` has classes, whatever its numbers are; one among `keep_words` has
        words such as None as classes.
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
        """(epochs, batch_size, learning_rate) for so many training rows.

        The learning rate goes by the root of the batch size, as suits Adam (Malladi et al. 2022).
        """
        batch_size = self.batch_size or BATCH_SIZES[rows >= LARGE]
        low, high = EPOCHS
        epochs = min(high, max(low, math.ceil(STEPS / math.ceil(rows / batch_size))))
        learning_rate = self.learning_rate or min(1e-2, 5e-3 * math.sqrt(batch_size / 128))
        return epochs if self.epochs is None else self.epochs, batch_size, learning_rate
