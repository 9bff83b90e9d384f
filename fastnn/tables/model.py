"""A model of a table: preprocessing, network and target in one safetensors file.

The file is that of `Network.save`, and `Network.load` reads the network in it. Beside it the metadata hold

    table         preprocessing, target and report as JSON
    table_sha256  its digest
"""

import hashlib
import json
import os

from safetensors import safe_open

from .. import files
from ..network import Network
from . import metrics
from .columns import without
from .preprocessing import Preprocessing, check_there
from .target import from_config, present, to_config


class TableModel:
    """A network together with how a table becomes its inputs, and its outputs predictions.

    Parameters
    ----------
    network : Network
    preprocessing : Preprocessing
    target : Values or Classes
    report : dict, optional
        How it was trained and how well it did: plain data, kept in the file.

    Examples
    --------
    >>> import pandas as pd
    >>> from fastnn.tables import Recipe, train
    >>> table = pd.DataFrame({"width": range(0, 80, 2), "big": ["no", "yes"] * 20}).sort_values("big")
    >>> model = train(table, "big", Recipe(epochs=1)).model
    >>> model.predict_proba(table).shape
    (40, 2)
    """

    def __init__(self, network, preprocessing, target, report=None):
        if len(preprocessing.features) != network.inputs or target.outputs != network.outputs:
            raise ValueError(f"the network has {network.inputs} inputs and {network.outputs} outputs; the preprocessing "
                             f"gives {len(preprocessing.features)} and the target takes {target.outputs}")
        self.network, self.preprocessing, self.target, self.report = network, preprocessing, target, report or {}

    def forward(self, table, *, threads=None):
        """Outputs (rows, outputs) of the network."""
        return self.network.forward(self.preprocessing.transform(table), threads=threads)

    def predict(self, table, *, threads=None):
        """Labels or values (rows,), in the target's units."""
        return self.target.decode(self.forward(table, threads=threads))

    def predict_proba(self, table, *, threads=None):
        """Probabilities (rows, classes), in the order of `target.labels`."""
        if self.target.kind != "classification":
            raise ValueError(f"{self.target.name!r} is a target of values, not of classes; use predict")
        return self.forward(table, threads=threads)

    def evaluate(self, table, *, threads=None):
        """{metric: float} of `fastnn.tables.metrics` over the rows whose target is there."""
        check_there(self.target.name, list(table.columns), "the target")
        column = without(table[self.target.name], self.preprocessing.missing_values)
        there = present(column, numbers=self.target.kind == "regression")
        if not there.any():
            raise ValueError(f"no row has a value of the target {self.target.name!r}")
        return metrics.score(self.target, column[there], self.forward(table[there], threads=threads))

    def save(self, path):
        """Write it to one safetensors file, whole or not at all."""
        text = json.dumps({"preprocessing": self.preprocessing.config(), "target": to_config(self.target),
                           "report": self.report})
        files.save(self.network, path, {"table": text, "table_sha256": digest(text)})

    @classmethod
    def load(cls, path):
        """Read a model that `save` wrote; ModelFormatError if the file is not one."""
        network, text = Network.load(path), table_metadata(path)
        if text is None:
            raise files.ModelFormatError(f"{os.fspath(path)} holds a network without the preprocessing of a table; read it "
                                         "with Network.load, or train on a table: fastnn train")
        try:
            config = json.loads(text)
            return cls(network, Preprocessing.from_config(config["preprocessing"]), from_config(config["target"]),
                       config["report"])
        except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
            raise files.ModelFormatError(f"cannot load a model of a table from {os.fspath(path)}: {error}") from error


def table_metadata(path):
    """The text about the table in a file that holds a network, None where there is none."""
    with safe_open(os.fspath(path), framework="numpy") as file:
        metadata = file.metadata()
    text = metadata.get("table")
    if text is not None and digest(text) != metadata.get("table_sha256"):
        raise files.ModelFormatError(f"cannot load a model of a table from {os.fspath(path)}: it is damaged: its checksum "
                                     "does not match what it holds")
    return text


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()
