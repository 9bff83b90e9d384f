"""Kinds of files whose cells have types of their own: Parquet, Feather, JSON and Excel, read and written by pandas."""

import json
from dataclasses import dataclass
from pathlib import Path

from .delimited import let_pass_what_is_not_in_the_file

OTHERS = (".xls", ".xlsb", ".ods", ".sav", ".dta", ".sas7bdat", ".rds", ".rdata", ".h5", ".hdf5", ".pkl", ".pickle", ".npy",
          ".npz", ".orc", ".avro", ".db", ".sqlite", ".sqlite3", ".pdf", ".docx", ".safetensors", ".onnx")


@dataclass(frozen=True)
class Kind:
    """A kind of file: how pandas reads and writes it, and the package that it needs besides."""

    name: str
    suffixes: tuple
    read: object  # (pandas, path) → DataFrame
    write: object  # (DataFrame, binary stream)
    needs: str = ""

    def missing(self, instead):
        """Return the error for a package that is not installed."""
        return ImportError(f"{self.name} files need {self.needs}: pip install {self.needs}; or {instead}")


def read_json(pd, path, lines):
    """Read a list of objects, or one in each line. Python's own reader keeps every digit."""
    text = Path(path).read_text(encoding="utf-8-sig")
    rows = [json.loads(line) for line in text.splitlines() if line.strip()] if lines else json.loads(text)
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise ValueError("it must hold a list of objects, one for each row, with the columns as their names")
    return pd.DataFrame(rows)


def write_json(table, stream, lines):
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    texts = [json.dumps(row, default=str, ensure_ascii=False) for row in rows]
    text = "\n".join(texts) + "\n" if lines else "[" + ",\n ".join(texts) + "]\n"
    stream.write(text.encode())


KINDS = (
    Kind("Parquet", (".parquet", ".pq"), lambda pd, path: pd.read_parquet(path),
         lambda table, stream: table.to_parquet(stream, index=False), "pyarrow"),
    Kind("Feather", (".feather", ".arrow"), lambda pd, path: pd.read_feather(path),
         lambda table, stream: table.reset_index(drop=True).to_feather(stream), "pyarrow"),
    Kind("JSON", (".json",), lambda pd, path: read_json(pd, path, False),
         lambda table, stream: write_json(table, stream, False)),
    Kind("JSON Lines", (".jsonl", ".ndjson"), lambda pd, path: read_json(pd, path, True),
         lambda table, stream: write_json(table, stream, True)),
    Kind("Excel", (".xlsx", ".xlsm"), lambda pd, path: pd.read_excel(path, engine="openpyxl"),
         lambda table, stream: table.to_excel(stream, index=False, engine="openpyxl"), "openpyxl"),
)


def kind_of(name):
    """Return the Kind of a file by its suffix; None for CSV. Raise ValueError for files that are no such tables."""
    suffix = Path(name).suffix.lower()
    if suffix in OTHERS:
        known = ", ".join(suffix for kind in KINDS for suffix in kind.suffixes)
        raise ValueError(f"{name} is a {suffix} file, which is not read or written here; give CSV or one of {known}")
    return next((kind for kind in KINDS if suffix in kind.suffixes), None)


def read(pd, name, kind):
    """Return the DataFrame in a file."""
    try:
        table = kind.read(pd, name)
        for column in table.select_dtypes(exclude=["number", "bool"]):
            table[column].tolist()  # raises an error for text that is not UTF-8
        return table
    except ImportError:
        raise kind.missing("give CSV") from None
    except Exception as error:
        let_pass_what_is_not_in_the_file(error)
        raise ValueError(f"cannot read {name} as {kind.name}: {error or type(error).__name__}") from None


def write(table, stream, kind):
    """Write a DataFrame to a binary stream."""
    try:
        kind.write(table, stream)
    except ImportError:
        raise kind.missing("write CSV") from None
