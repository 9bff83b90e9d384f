"""Training and prediction on tables of numbers and text; a model and its preprocessing are one file.

    table = read_table("diamonds.csv")
    result = train(table, "price")
    result.model.save("diamonds.safetensors")
    TableModel.load("diamonds.safetensors").predict(table)

Tables are pandas data frames: the extra `cli`.
"""

from pathlib import Path

from .classes import Classes
from .model import TableModel
from .preprocessing import Preprocessing
from .reading import read_table, write_table
from .recipe import Recipe
from .target import Values
from .training import train
from .unseen import MissingNumber, UnknownCategory

__all__ = ["Classes", "MissingNumber", "Preprocessing", "Recipe", "TableModel", "UnknownCategory", "Values", "read_table",
           "train", "write_table"]

# paths of modules that pickles of earlier versions name
__path__.append(str(Path(__file__).parents[1] / "files" / "earlier" / "tables"))
