"""How to train on a table: what may be said, checked, and what the number of rows decides."""

import math
from dataclasses import dataclass, field

from ..checks import list_of, number_in_range, one_of, several, whole_number
from ..checks.hyperparameters import positive
from ..layers import Dense, Layer
from .plain import marks

STEPS = 4000  # training has about so many, where
EPOCHS = (20, 200)  # these bounds allow it
LARGE = 5000  # so many training rows are learned in larger batches
BATCH_SIZES = (32, 128)


def or_none(check):
    return lambda where, value: None if value is None else check(where, value)


def or_auto(check):
    return lambda where, value: value if isinstance(value, str) and value == "auto" else check(where, value)


def share(where, value):
    """A part of the rows, which leaves some for the others."""
    return number_in_range(where, value, 0.0, 1.0)


CHECKS = {
    "layers": lambda where, value: tuple(list_of(where, value, Layer)),
    "epochs": or_none(whole_number), "batch_size": or_none(whole_number), "threads": or_none(whole_number),
    "learning_rate": or_none(positive().metadata["check"]), "validation": share, "test": share,
    "seed": lambda where, value: whole_number(where, value, least=0, most=math.inf),
    "task": lambda where, value: one_of(where, value, ("auto", "regression", "classification")),
    "log_target": lambda where, value: one_of(where, value, ("no", "yes", "auto")),
    "text": several, "drop": several, "keep_columns": several, "keep_words": several, "missing_values": marks,
    "max_categories": or_auto(whole_number),
}


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

    layers: tuple = field(default_factory=lambda: (Dense(64, "relu"), Dense(64, "relu")))
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    weight_decay: float = 0.1
    validation: float = 0.1
    test: float = 0.2
    seed: int = 0
    task: str = "auto"
    log_target: str = "no"
    text: tuple = ()
    drop: tuple = ()
    keep_columns: tuple = ()
    keep_words: tuple = ()
    missing_values: tuple = ()
    max_categories: int | str = "auto"
    limit: float | str = "auto"
    threads: int | None = None

    def __post_init__(self):
        for name, check in CHECKS.items():
            object.__setattr__(self, name, check(f"Recipe({name}=...)", getattr(self, name)))

    def sized(self, rows):
        """(epochs, batch_size, learning_rate) for so many training rows.

        The learning rate goes by the root of the batch size, as suits Adam (Malladi et al. 2022).
        """
        batch_size = self.batch_size or BATCH_SIZES[rows >= LARGE]
        low, high = EPOCHS
        epochs = min(high, max(low, math.ceil(STEPS / math.ceil(rows / batch_size))))
        learning_rate = self.learning_rate or min(1e-2, 5e-3 * math.sqrt(batch_size / 128))
        return epochs if self.epochs is None else self.epochs, batch_size, learning_rate
