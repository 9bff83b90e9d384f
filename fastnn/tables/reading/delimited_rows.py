"""The rows of a text file, read by pandas as often as necessary."""

import csv
import io
import re
import warnings

from . import layout

NAMELESS = "cells without a name "  # prefix of the names of columns that have none
WIDEST = 10_000  # largest number of cells of a row
AS_LINES = {"header": None, "sep": layout.NOT_IN_TEXT, "quoting": csv.QUOTE_NONE, "dtype": str, "keep_default_na": False,
            "skip_blank_lines": False, "names": ["line"], "index_col": False}


def text_lines(pd, source, encoding, **options):
    """Return the lines of a file as a list of str; raise NoTable if it contains control characters."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", category=pd.errors.ParserWarning)
        try:
            return pd.read_csv(source, encoding=encoding, **AS_LINES, **options)["line"].tolist()
        except (pd.errors.ParserWarning, pd.errors.ParserError) as error:
            if isinstance(error, pd.errors.ParserError) and "Expected 1 fields" not in str(error):
                raise
            raise layout.NoTable("it holds control characters") from None


class Rows:
    """The rows of a text file.

    pd: the module pandas. source: opens the file. found: its Layout. lines: its first lines.
    """

    def __init__(self, pd, source, found, lines, encoding):
        self.pd, self.source, self.layout, self.encoding, self.columns, self.width = pd, source, found, encoding, [], None
        self.options = {"sep": found.separator, "encoding": encoding, "low_memory": False, "skiprows": found.skip,
                        "skipinitialspace": found.separator != " ", "skip_blank_lines": not found.is_one_column,
                        "index_col": False}
        if any(line.count('"') % 2 for line in lines[:found.skip]):  # the parser would search for the closing quote
            text = "\n".join(text_lines(pd, source(), encoding)[found.skip:])
            self.source, self.options["skiprows"] = lambda: io.StringIO(text), 0

    def read(self, **options):
        """Return all columns. Empty cells at the ends of rows are dropped; other cells without a name raise NoTable."""
        table = self.parsed(**options)
        table.columns = self.columns = [str(column).strip() or f"Unnamed: {k}" for k, column in enumerate(table.columns)]
        return table

    def raw(self, names, nrows=None, **options):
        """Return some columns as text, unless `options` differ; of the first rows or all."""
        places = sorted(map(self.columns.index, names))
        table = self.parsed(**{"usecols": places, "dtype": str, "nrows": nrows} | options)
        return table.set_axis([self.columns[place] for place in places], axis=1)

    def parsed(self, **options):
        """Return the parser's result."""
        if self.width is None:
            found = self.attempt(self.options | options)
            if found is not None:
                return found
        return self.parsed_wide(**options)

    def attempt(self, options):
        """Return the parser's result; None if a row has more cells than there are names, and set `width` to their number."""
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="Length of header", category=self.pd.errors.ParserWarning)
            try:
                return self.pd.read_csv(self.source(), **options)
            except self.pd.errors.ParserWarning:  # the parser would drop cells
                self.width = 2 * (self.width or len(self.layout.names))
            except self.pd.errors.ParserError as error:
                self.width = max(cells_in(error, self.width or len(self.layout.names)), (self.width or 0) + 1)
        return None

    def parsed_wide(self, **options):
        """Return the parser's result for rows that may have more cells than there are names."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", self.pd.errors.ParserWarning)  # about the content of the rows
            names = list(self.pd.read_csv(self.source(), nrows=0, **self.options).columns)
        while True:
            nameless = [f"{NAMELESS}{k}" for k in range(max(1, self.width - len(names)))]
            below = {"skiprows": self.options["skiprows"] + 1, "header": None, "names": names + nameless}
            table = self.attempt(self.options | options | below | {"converters": dict.fromkeys(nameless, str)})
            if table is None:
                continue
            beyond = table[table.columns.intersection(nameless)]
            if (beyond.notna() & (beyond != "")).to_numpy().any():
                self.refuse(len(names))
            return table[table.columns.difference(nameless, sort=False)]

    def refuse(self, count):
        """Raise an error with the row that has a cell without a name."""
        lines = text_lines(self.pd, self.source(), self.encoding)
        _, *rows = layout.records(lines, self.layout.separator, self.options["skiprows"])
        for k, (line, cells) in enumerate(rows):
            if any(layout.stripped(cells)[count:]):
                if k == 0:
                    break
                raise layout.NoTable(f"line {line + 1} has {len(cells)} cells, and the first line {count}")
        raise layout.NoTable("its rows have more cells than the first line has names (unless --separator is to be another, "
                             "or --skip to leave lines out above the names)")


def cells_in(error, width):
    """Return the number of cells of the too long row in a parser's error; raise any other error again."""
    if "Buffer overflow" in str(error) and width < WIDEST:  # older versions of pandas, for much longer rows
        return 2 * width
    found = re.search(r"Expected \d+ fields in line \d+, saw (\d+)", str(error))
    if not found:
        raise error
    return int(found[1])
