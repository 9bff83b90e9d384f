"""Kinds of files whose cells have types of their own: Parquet, Feather, JSON and Excel, read and written by pandas."""

import json
from dataclasses import dataclass
from pathlib import Path

from ..columns.frames import EXACT
from .delimited import let_pass_what_is_not_in_the_file
from .known_formats import READING

OTHERS = (".xls", ".xlsb", ".ods", ".sav", ".dta", ".sas7bdat", ".rds", ".rdata", ".h5", ".hdf5", ".pkl", ".pickle", ".npy",
          ".npz", ".orc", ".avro", ".db", ".sqlite", ".sqlite3", ".pdf", ".docx", ".safetensors", ".onnx")

TEXT = (".csv", ".tsv", ".txt", ".tab", ".dat", ".data")
PACKED = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz", ".zip": "zip", ".zst": "zstd"}


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
    parts = [line for line in text.splitlines() if line.strip()] if lines else [text]
    parts = [json.loads(part, object_pairs_hook=without_twice) for part in parts]
    rows = parts if lines else parts[0]
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise ValueError("it must hold a list of objects, one for each row, with the columns as their names")
    table = pd.DataFrame(rows)
    for name in table.select_dtypes("float"):
        values = [row.get(name) for row in rows]
        if any(type(value) is int and abs(value) > EXACT for value in values):  # and some missing, which made them floats
            table[name] = pd.Series(values, dtype=object)
    return table


def without_twice(pairs):
    """Return the dict of an object; raise ValueError for a name that occurs twice, of which one value would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"an object has the name {next(name for name in names if names.count(name) > 1)!r} twice")
    return found


def read_excel(pd, path):
    """Read the first sheet. pandas would rename columns of the same name."""
    with pd.ExcelFile(path, engine="openpyxl") as file:
        names = pd.read_excel(file, header=None, nrows=1, dtype=object).dropna(axis=1).astype(str)
        twice = names.iloc[0][names.iloc[0].duplicated()].tolist() if len(names) else []
        if twice:
            raise ValueError(f"it has the column {twice[0]!r} twice; rename one")
        table = pd.read_excel(file)
        if len(file.sheet_names) > 1:
            table.attrs["format_note"] = f"sheet {file.sheet_names[0]!r}, the first of {len(file.sheet_names)}"
    return table


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
    Kind("Excel", (".xlsx", ".xlsm"), read_excel,
         lambda table, stream: table.to_excel(stream, index=False, engine="openpyxl"), "openpyxl"),
)


EXCEL = KINDS[-1]


def without_reading(table):
    """Return the attributes of a table without those about its reading, which apply to one file only."""
    return {key: value for key, value in table.attrs.items() if key not in ("format_note", READING)}


def kind_of(name):
    """Return the Kind of a file by its suffix; None for CSV. Raise ValueError for files that are no such tables."""
    suffix = Path(name).suffix.lower()
    if suffix in PACKED:
        inner = Path(Path(name).stem).suffix.lower()
        if inner in OTHERS or any(inner in kind.suffixes for kind in KINDS):
            raise ValueError(f"{name} is a packed {inner} file, which is not read or written here; unpack it, or give CSV, "
                             f"such as .csv{suffix}")
        return None
    if suffix in OTHERS:
        raise ValueError(f"{name} is a {suffix} file, which is not read or written here; give CSV or one of {known()}")
    return next((kind for kind in KINDS if suffix in kind.suffixes), None)


def kind_to_write(name):
    """Return the Kind of a file to be written, None for CSV. Raise ValueError for suffixes that name no kind of table."""
    kind, suffix = kind_of(name), Path(name).suffix.lower()
    if kind is None and suffix not in (*PACKED, *TEXT, ""):
        raise ValueError(f"{name} ends in {suffix}, which names no kind of table; give .csv or one of {known()}")
    return kind


def known():
    """Return the suffixes of all kinds."""
    return ", ".join(suffix for kind in KINDS for suffix in kind.suffixes)


def read(pd, name, kind):
    """Return the DataFrame in a file."""
    try:
        table = kind.read(pd, name)
        if kind is not EXCEL:
            table.attrs = without_reading(table)  # a file may keep the attributes of another table
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
