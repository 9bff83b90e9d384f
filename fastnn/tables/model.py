"""A model of a table: preprocessing, network and target in one safetensors file.

The file is that of `Network.save`, and `Network.load` reads the network from it. Its metadata also contain

    table    preprocessing, target and report as JSON
"""

from functools import partial

import numpy as np

from ..checks import an_instance, path_name, several, shown
from ..checks.caller_warning import warn_caller
from ..checks.other_attributes import answers
from ..files import networks as files
from ..formats import html
from ..formats.untrusted_json import from_text, to_text
from ..network.describing import summary_html
from ..network.network import Network
from . import metrics
from .columns.frames import as_pandas, normalized
from .columns.names import check_there, text_name
from .dask_frames import is_dask_frame, lazily
from .intervals import checked_errors, intervals_around
from .plain import to_config, word
from .preprocessing import Preprocessing
from .reading.known_formats import check_reading, checked_formats
from .row_weights import weights_in
from .streaming import ParquetStream
from .streaming.predicting import all_outputs, outputs_of
from .target import as_target, present
from .targets import TARGETS, from_config


@answers
class TableModel:
    """A network with the conversion of tables to its inputs, and of its outputs to predictions.

    Parameters
    ----------
    network : Network
    preprocessing : Preprocessing
    target : Values, Classes, Counts, Quantiles, Ordered or Several
    report : dict, optional
        How it was trained, and its results: plain data, stored in the file.
    number_formats : dict of str to NumberFormat, optional
        The number format of each column in the training file; ``read_table(path, like=model)`` reads other files in the same
        way.
    errors : list of float, or dict of str to such lists, optional
        The absolute errors of the network's output on rows that it was not trained on, ascending, for `predict_interval`;
        of several targets by name.
    weight : str, optional
        The column with the weights of the rows, for `evaluate`.

    Examples
    --------
    >>> import pandas as pd
    >>> from fastnn.tables import Recipe, train
    >>> table = pd.DataFrame({"width": range(0, 80, 2), "big": ["no", "yes"] * 20}).sort_values("big")
    >>> model = train(table, "big", Recipe(epochs=1)).model
    >>> model.predict_proba(table).shape
    (40, 2)
    """

    def __init__(self, network, preprocessing, target, report=None, number_formats=None, errors=(), weight=None):
        an_instance("network", network, Network)
        an_instance("preprocessing", preprocessing, Preprocessing)
        if not isinstance(target, TARGETS):
            kinds = ", ".join(kind.__name__ for kind in TARGETS)
            raise ValueError(f"target is {shown(target)}; it must be one of {kinds}")
        if report is not None and not isinstance(report, dict):
            raise ValueError(f"report is {shown(report)}; it must be a dict")
        if len(preprocessing.features) != network.inputs or target.outputs != network.outputs:
            raise ValueError(f"the network has {network.inputs} inputs and {network.outputs} outputs; the preprocessing "
                             f"gives {len(preprocessing.features)} and the target takes {target.outputs}")
        self.network, self.preprocessing, self.target, self.report = network, preprocessing, target, report or {}
        self.number_formats = checked_formats("number_formats", number_formats)
        self.errors = ({name: checked_errors("errors", each) for name, each in errors.items()} if isinstance(errors, dict)
                       else checked_errors("errors", errors))
        self.weight = None if weight is None else word("weight", weight)

    def __setstate__(self, state):
        """Restore a pickle; those of earlier versions lack what models did not have then."""
        vars(self).update({"number_formats": {}, "errors": (), "weight": None} | state)

    def _repr_html_(self):
        columns = ", ".join(map(str, self.preprocessing.names))
        return html.table(("target", "kind", "columns"), [(self.target.name, self.target.kind, columns)],
                          "what it predicts, and from which columns") + summary_html(self.network)

    def forward(self, table, *, threads=None):
        """Return the outputs (rows, outputs) of the network. table: a DataFrame or a ParquetStream, as in all methods."""
        if isinstance(table, ParquetStream):
            return all_outputs(self, table, threads)
        check_reading(table, self.number_formats)
        return self.network.forward(self.preprocessing.transform(table), threads=threads)

    def predict(self, table, *, threads=None):
        """Return labels or values (rows,), in the target's units.

        A model of quantiles returns (rows, quantiles), a model of several targets {name: predictions}. Of a Dask data frame,
        this is a lazy Dask series, and that of the other methods a lazy data frame; `threads` are those of a partition,
        default 1.
        """
        if is_dask_frame(table):
            return self._lazily(table, self.target.columns, None, threads)
        return self.target.decode(self.forward(table, threads=threads))

    def predict_parts(self, stream, keep=(), *, threads=None):
        """Yield DataFrames with the columns `keep` and the prediction, for the parts of a ParquetStream, in its order.

        The column of the prediction is the name of the target and "_predicted", or, of quantiles, "_q0.1" and so on.
        `write_table` writes such parts.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> import numpy as np, pandas as pd
        >>> from fastnn.tables import ParquetStream, Recipe, train, write_table
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> table = pd.DataFrame({"x": np.arange(100.0) % 7, "y": np.arange(100.0) % 7 > 2})
        >>> table.to_parquet(folder / "t.parquet")
        >>> model = train(table, "y", Recipe(epochs=2)).model
        >>> write_table(model.predict_parts(ParquetStream(folder / "t.parquet"), keep=["x"]), folder / "p.csv")
        >>> pd.read_csv(folder / "p.csv").columns.tolist()
        ['x', 'y_predicted']
        """
        stream, keep = an_instance("stream", stream, ParquetStream), several("keep", keep)
        keep = [check_there(name, stream.columns) for name in keep]
        for frame, outputs in outputs_of(self, stream, keep, threads):
            columns = self.target.columns(outputs)
            if taken := next((name for name in columns if name in keep), None):
                raise ValueError(f"keep has {taken}, the name of the prediction; leave it out")
            yield frame[keep].assign(**columns)

    def predict_proba(self, table, *, threads=None):
        """Return probabilities (rows, classes), in the order of `target.labels`; of several targets {name: such}."""
        if not any(part.has_classes for part in self.target.parts):
            raise ValueError(f"{self.target.name!r} is a target of values, not of classes; use predict")
        if is_dask_frame(table):
            if len(self.target.parts) > 1:
                raise ValueError("probabilities of several targets over a Dask data frame are not there; use "
                                 "frame.map_partitions with a function of your own")
            names = [f"probability of {text}" for text in self.target.texts]
            return self._lazily(table, self.target.estimates, names, threads)
        found = {part.name: part.estimates(out) for part, out in self.target.by_part(self.forward(table, threads=threads))
                 if part.has_classes}
        return found if len(self.target.parts) > 1 else found[self.target.name]

    def predict_interval(self, table, coverage=0.9, *, threads=None):
        """Return intervals (rows, 2) that hold the targets of new rows with a probability of at least `coverage`.

        The columns are the lower and the upper ends, in the target's units: see `fastnn.tables.intervals`.

        Parameters
        ----------
        table : DataFrame
        coverage : float
            Between 0 and 1.
        threads : int, optional

        Raises
        ------
        ValueError
            If the target has classes, or if too few rows were held out for this coverage.
        """
        if is_dask_frame(table):
            names = [f"{self.target.name}_low", f"{self.target.name}_high"]
            return self._lazily(table, partial(intervals_around, self, coverage=coverage), names, threads)
        return intervals_around(self, self.forward(table, threads=threads), coverage)

    def evaluate(self, table, *, threads=None):
        """Return {metric: float} of `fastnn.tables.metrics` over the rows that have a target.

        A model that was trained with weights of rows uses those of the table. If it has no such column, a warning says so.
        """
        given, (table, column, there) = table, self._with_target(table)
        if not there.any():
            raise ValueError(f"no row has a value of the target {self.target.name!r}")
        weights = None
        if self.weight is not None and self.weight in table:
            weights = weights_in(table[self.weight][there])
        elif self.weight is not None:
            warn_caller(f"the table has no column {self.weight!r}, the weights of rows in training; here all rows count the "
                        "same")
        return metrics.score(self.target, column[there], self._forward_of(given, table, there, threads), weights)

    def _lazily(self, table, compute, names, threads):
        """Return the result of a function of the outputs for each partition of a Dask data frame, as Dask's."""
        for name in self.preprocessing.names:
            check_there(name, [*map(text_name, table.columns)], "the model was trained on it")
        return lazily(table, self, compute, names, threads)

    def _forward_of(self, given, table, there, threads):
        """Return the outputs for the rows of a table, or of the stream it comes from, that have a target."""
        if isinstance(given, ParquetStream):
            return self.forward(given, threads=threads)[there]
        return self.forward(table[there], threads=threads)

    def has_target(self, table):
        """Return which rows of a table have a target, and so are evaluated, (rows,) bool."""
        return self._with_target(table)[2]

    def _with_target(self, table):
        """Return (table of plain columns, its target, which rows have one); of a stream, the table has no
        other columns."""
        if isinstance(table, ParquetStream):
            names = [check_there(part.name, table.columns, "the target") for part in self.target.parts]
            table = table.whole([*names, *(each for each in [self.weight] if each in table.columns)])
        else:
            check_reading(table, self.number_formats)
            table = as_pandas("table", table)
            names = [check_there(part.name, list(table.columns), "the target") for part in self.target.parts]
            used = {*self.preprocessing.names, *names, *filter(None, [self.weight])}
            table = normalized("table", table, used, untouched={*names})
        there = np.ones(len(table), bool)
        for part in self.target.parts:
            column = as_target(table[part.name], self.preprocessing.missing_values, getattr(part, "labels", ()))
            table = table.assign(**{part.name: column})
            there &= present(column, numbers=not part.has_classes)
        return table, self.target.column(table), there

    def save(self, path):
        """Write the model to one safetensors file, atomically."""
        formats = {name: [each.decimal, each.thousands] for name, each in self.number_formats.items()}
        config = {"preprocessing": self.preprocessing.config(), "target": to_config(self.target), "report": self.report,
                  "number_formats": formats, "errors": self.errors}
        if self.weight is not None:
            config["weight"] = self.weight
        text = to_text(config, special=True)
        files.warn_of_suffix(path_name("path", path))
        from_plain(self.network, text)  # raises if the model could not be loaded again
        files.save(self.network, path_name("path", path), {"table": text})

    @classmethod
    def load(cls, path):
        """Read a model that `save` wrote; raise ModelFormatError if the file is not one."""
        return files.open_and_read(path_name("path", path), lambda file: read(file, cls), "a model of a table")


def read(file, model_type=TableModel):
    """Return the model in an open safetensors file."""
    if "table" not in file.metadata:
        raise ValueError("it holds no preprocessing of a table; if it holds a network, read it with Network.load, or train "
                         "on a table: fastnn train")
    return from_plain(files.read(Network, file), file.metadata["table"], model_type)


def from_plain(network, text, model_type=TableModel):
    """Return the model of a network and of the text in its file."""
    config = from_text(text, special=True)
    return model_type(network, Preprocessing.from_config(config["preprocessing"]), from_config(config["target"]),
                      checked_report(config["report"]), config.get("number_formats"), config.get("errors", ()),
                      config.get("weight"))


def checked_report(report):
    """Return a report after checking that its figures are numbers: "test" by metric, "baselines" by name and metric.

    Of several targets both are by target first.
    """
    for figures in (report.get("test", {}), *report.get("baselines", {}).values()):
        check_figures(figures)
    return report


def check_figures(figures, depth=1):
    """Refuse figures that are neither numbers nor None; they may be in dicts, `depth` of them in another."""
    for value in figures.values():
        if depth and isinstance(value, dict):
            check_figures(value, depth - 1)
        elif value is not None and type(value) not in (int, float):
            raise ValueError("its report holds figures that are no numbers")


def load_any(path):
    """Return (network, TableModel or None) from a file of `TableModel.save` or `Network.save`."""

    def read_any(file):
        model = read(file) if "table" in file.metadata else None
        return (model.network if model else files.read(Network, file)), model

    return files.open_and_read(path, read_any)
