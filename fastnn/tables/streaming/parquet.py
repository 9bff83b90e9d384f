"""A Parquet file that is read in parts, so that it needs no more memory than a part, whatever the size of the file.

A Parquet file consists of row groups, each readable by itself, and a row group of pages. `pieces` reads any row groups, one
after another, as tables of a given number of rows. The rows of a piece depend on the order of the groups only, not on the
pages or on how many rows are read at a time.

The tables are those that `pandas.read_parquet` gives for the same rows: a column of whole numbers of which some are missing
anywhere in the file has the same type in a piece without missing ones.
"""

import json

import numpy as np

from ...checks import path_name, several
from ..columns.frames import pandas
from ..columns.names import check_there

READ = 2**14  # rows decoded at a time
BUFFER = 2**20  # bytes read from the file at a time, of each column
SUFFIXES = (".parquet", ".pq")
WORD, FEATURES, OTHER = 64, 20, 50  # estimate: bytes of a text, features of a number, and of another column


def pyarrow():
    """Return the modules pyarrow and pyarrow.parquet, or raise an error that names the package to install."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ImportError("Parquet files and tables with an Arrow interface need pyarrow: pip install pyarrow; or give CSV, "
                          "or a pandas DataFrame") from None
    return pyarrow, pyarrow.parquet


class ParquetStream:
    """A Parquet file, for `train` and `TableModel` in the place of a data frame, with bounded memory.

    Training reads a sample first, then all row groups in a random order: see `fastnn.tables.training.streamed`. Predictions
    are those of the whole table, to the bit.

    Parameters
    ----------
    path : path-like
    rows_at_once : int
        The number of rows decoded at a time. It changes no result.

    Attributes
    ----------
    rows : int
    columns : list of str
    starts : array (groups + 1,) of int
        The number of the first row of each row group, and that of all rows.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np, pandas as pd
    >>> from fastnn.tables import ParquetStream, Recipe, train
    >>> path = pathlib.Path(tempfile.mkdtemp(), "large.parquet")
    >>> x = np.random.default_rng(0).uniform(-1, 1, 5000)
    >>> pd.DataFrame({"x": x, "y": x**2}).to_parquet(path, row_group_size=500)
    >>> stream = ParquetStream(path)
    >>> stream.rows, len(stream.starts) - 1
    (5000, 10)
    >>> model = train(stream, "y", Recipe(epochs=3)).model
    >>> model.predict(stream).shape
    (5000,)
    """

    def __init__(self, path, rows_at_once=READ):
        arrow, parquet = pyarrow()
        self.path, self.rows_at_once = path_name("path", path), rows_at_once
        try:
            with parquet.ParquetFile(self.path) as file:
                self.metadata, self.schema = file.metadata, file.schema_arrow
        except (arrow.ArrowException, OSError, ValueError) as error:
            if isinstance(error, FileNotFoundError):
                raise
            raise ValueError(f"cannot read {self.path} as Parquet: {error or type(error).__name__}") from None
        sizes = [self.metadata.row_group(k).num_rows for k in range(self.metadata.num_row_groups)]
        self.starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.rows = int(self.starts[-1])
        described = json.loads((self.schema.metadata or {}).get(b"pandas", b"{}"))
        index = [each for each in described.get("index_columns", ()) if isinstance(each, str)]
        self.fields = {name.strip(): name for name in self.schema.names if name not in index}
        if len(self.fields) < len(self.schema.names) - len(index):
            names = [name.strip() for name in self.schema.names]
            raise ValueError(f"two columns of {self.path} are named {next(n for n in names if names.count(n) > 1)!r}; "
                             "rename one")
        self.exact = {each["name"] for each in described.get("columns", ()) if str(each.get("numpy_type")).startswith(
            ("Int", "UInt"))}  # pandas' types of whole numbers with missing ones
        self.gappy = {name for name in self.fields.values() if self._has_gaps(name)}

    def _has_gaps(self, name):
        """Return whether a column of whole numbers may have missing ones anywhere in the file."""
        arrow, _ = pyarrow()
        if not arrow.types.is_integer(self.schema.field(name).type) or name in self.exact:
            return False
        places = [k for k in range(self.metadata.num_columns)
                  if self.metadata.row_group(0).column(k).path_in_schema == name] if self.metadata.num_row_groups else []
        found = [self.metadata.row_group(group).column(places[0]).statistics for group in
                 range(self.metadata.num_row_groups)] if places else [None]
        return any(each is None or not each.has_null_count or each.null_count for each in found)

    def holds_text(self, name):
        """Return whether a column holds text, as far as the file says."""
        types, kind = pyarrow()[0].types, self.schema.field(self.fields[name]).type
        return any(is_one(kind) for is_one in (types.is_string, types.is_large_string, types.is_string_view,
                                               types.is_dictionary))

    @property
    def columns(self):
        return [*self.fields]

    def __len__(self):
        return self.rows

    def __repr__(self):
        groups = len(self.starts) - 1
        return f"<ParquetStream of {self.path}: {self.rows:,} rows in {groups:,} row groups, {len(self.fields)} columns>"

    def pieces(self, rows, *, groups=None, columns=None):
        """Yield (numbers, table): Arrow tables of `rows` rows, the last one of fewer, and the numbers of their rows.

        groups: the numbers of the row groups to read, in this order; default all. columns: their names; default all.
        """
        arrow, parquet = pyarrow()
        columns = self.columns if columns is None else several("columns", columns)
        fields = [self.fields[check_there(name, self.columns)] for name in columns]
        numbers, batches, count = [], [], 0
        with parquet.ParquetFile(self.path, buffer_size=BUFFER, pre_buffer=False) as file:
            for group in range(len(self.starts) - 1) if groups is None else groups:
                first = int(self.starts[group])
                for batch in file.iter_batches(self.rows_at_once, row_groups=[group], columns=fields, use_threads=False):
                    taken = 0
                    while taken < len(batch):
                        part = batch.slice(taken, rows - count)
                        numbers.append(np.arange(first + taken, first + taken + len(part)))
                        batches.append(part)
                        taken, count = taken + len(part), count + len(part)
                        if count == rows:
                            yield np.concatenate(numbers), arrow.Table.from_batches(batches)
                            numbers, batches, count = [], [], 0
                    first += len(batch)
        if count:
            yield np.concatenate(numbers), arrow.Table.from_batches(batches)

    def frame(self, table):
        """Return an Arrow table of `pieces` as a DataFrame."""
        arrow, _ = pyarrow()
        for place, name in enumerate(table.column_names):
            if name in self.gappy:
                table = table.set_column(place, name, table.column(place).cast(arrow.float64(), safe=False))
        exact = {arrow.from_numpy_dtype(kind.lower()): getattr(pandas(), f"{kind}Dtype")() for kind in
                 ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")}
        parts = [table.column(name) for name in table.column_names]
        found = {name.strip(): part.to_pandas(types_mapper=exact.get if name in self.exact else None)
                 for name, part in zip(table.column_names, parts, strict=True)}
        made = pandas().DataFrame(found, copy=False)
        return made if len(found) else pandas().DataFrame(index=range(len(table)))

    def frames(self, rows, columns=None):
        """Yield DataFrames of `rows` rows each, in the order of the file."""
        for _, table in self.pieces(rows, columns=columns):
            yield self.frame(table)

    def whole(self, columns):
        """Return some columns of all rows, as a DataFrame."""
        parts = [*self.frames(self.rows_at_once, columns)]
        return pandas().concat(parts, ignore_index=True) if parts else pandas().DataFrame({name: [] for name in columns})

    def estimated_bytes(self):
        """Return about the memory that the whole table needs in training: its cells, and the matrix of its features."""
        arrow, _ = pyarrow()
        kinds = [self.schema.field(name).type for name in self.fields.values()]
        numbers = sum(arrow.types.is_integer(kind) or arrow.types.is_floating(kind) for kind in kinds)
        return self.rows * (numbers * (8 + 4 * FEATURES) + (len(kinds) - numbers) * (WORD + 4 * OTHER))

