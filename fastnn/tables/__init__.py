"""Training and prediction on tables of numbers and text; a model and its preprocessing are one file.

    table = read_table("diamonds.csv")
    result = train(table, "price")
    result.model.save("diamonds.safetensors")
    TableModel.load("diamonds.safetensors").predict(table)

Tables are pandas data frames: the extra `cli`.
"""

from pathlib import Path

from ..checks.other_attributes import refuse_other
from .classes import Classes
from .columns import Code
from .model import TableModel
from .preprocessing import Preprocessing
from .reading import read_table, write_table
from .recipe import Recipe
from .reporting import write_report
from .streaming import ParquetStream
from .target import Values
from .targets import Counts, Ordered, Quantiles, Several
from .training import train
from .unseen import MissingNumber, UnknownCategory

__all__ = ["Classes", "Code", "Counts", "MissingNumber", "Ordered", "ParquetStream", "Preprocessing", "Quantiles", "Recipe",
           "Several", "TableClassifier", "TableModel", "TableRegressor", "UnknownCategory", "Values", "read_table", "train",
           "write_report", "write_table"]


def __dir__():
    return __all__


ESTIMATORS = ("TableClassifier", "TableRegressor")


def __getattr__(name):
    """Import the estimators on first use: they need scikit-learn."""
    if name not in ESTIMATORS:
        refuse_other(__name__, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import estimators

    return getattr(estimators, name)


# paths of modules that pickles of earlier versions name
__path__.append(str(Path(__file__).parents[1] / "files" / "earlier" / "tables"))
