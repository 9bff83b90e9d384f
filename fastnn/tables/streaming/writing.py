"""Tables written part by part, which need no more memory than a part: CSV, also compressed, Parquet, Feather, JSON."""

import bz2
import gzip
import json
import lzma
import zipfile
from pathlib import Path

from .parquet import pyarrow


class Sink:
    """A stream of bytes that are taken away as they come."""

    closed = False

    def __init__(self):
        self.chunks, self.count = [], 0

    def write(self, data):
        self.chunks.append(bytes(data))
        self.count += len(self.chunks[-1])
        return len(self.chunks[-1])

    def take(self):
        """Return what was written since the last call."""
        taken, self.chunks = b"".join(self.chunks), []
        return taken

    def tell(self):
        return self.count

    def flush(self):
        pass

    def close(self):
        self.closed = True

    def readable(self):
        return False

    def writable(self):
        return True

    def seekable(self):
        return False


class Csv:
    """Rows of text."""

    def __init__(self, sink, name, separator):
        self.separator, self.opened, self.header = separator, [], True
        suffix = Path(name).suffix.lower()
        if suffix == ".zip":
            self.opened = [file := zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED)]
            self.stream = file.open(Path(name).stem, "w", force_zip64=True)
        elif suffix == ".zst":
            arrow, _ = pyarrow()
            self.stream = arrow.CompressedOutputStream(arrow.PythonFile(sink, "w"), "zstd")
        else:
            packed = {".gz": lambda: gzip.GzipFile(fileobj=sink, mode="wb", filename="", mtime=0),
                      ".bz2": lambda: bz2.BZ2File(sink, "wb"), ".xz": lambda: lzma.LZMAFile(sink, "wb")}
            self.stream = packed[suffix]() if suffix in packed else sink

    def write(self, frame):
        self.stream.write(frame.to_csv(None, index=False, header=self.header, sep=self.separator).encode())
        self.header = False

    def close(self):
        self.stream.close()
        for each in self.opened:
            each.close()


class Arrow:
    """Parquet or Feather. The types are those of the first part, to which later parts are converted."""

    def __init__(self, sink, kind):
        self.sink, self.kind, self.writer = sink, kind, None

    def write(self, frame):
        arrow, parquet = pyarrow()
        table = arrow.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
        for place, field in enumerate(table.schema):
            if arrow.types.is_dictionary(field.type):  # each part has other categories
                table = table.set_column(place, field.name, table.column(place).cast(field.type.value_type))
            elif arrow.types.is_null(field.type):
                table = table.set_column(place, field.name, table.column(place).cast(arrow.string()))
        if self.writer is None:
            self.schema = table.schema
            self.writer = (parquet.ParquetWriter(self.sink, table.schema) if self.kind == "Parquet" else
                           arrow.ipc.new_file(arrow.PythonFile(self.sink, "w"), table.schema,
                                              options=arrow.ipc.IpcWriteOptions(compression="lz4")))
        try:
            table = table.cast(self.schema)
        except arrow.ArrowException as error:
            raise ValueError(f"a column has other kinds of values further down than at the beginning: {error}; leave --keep "
                             "out, or write CSV") from None
        self.writer.write_table(table)

    def close(self):
        if self.writer is not None:
            self.writer.close()


class Json:
    """A list of objects, or one in each line."""

    def __init__(self, sink, lines):
        self.sink, self.lines, self.begun = sink, lines, False

    def write(self, frame):
        rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
        texts = [json.dumps(row, default=str, ensure_ascii=False) for row in rows]
        if not texts:
            return
        start = "" if self.lines else ",\n " if self.begun else "["
        self.sink.write((start + ("\n" if self.lines else ",\n ").join(texts) + "\n" * self.lines).encode())
        self.begun = True

    def close(self):
        if not self.lines:
            self.sink.write(b"]\n" if self.begun else b"[]\n")


def writer(name, kind, separator):
    """Return (writer, sink) for a file. kind: the name of a kind of typed files, None for CSV."""
    sink = Sink()
    if kind in ("Parquet", "Feather"):
        return Arrow(sink, kind), sink
    if kind in ("JSON", "JSON Lines"):
        return Json(sink, kind == "JSON Lines"), sink
    if kind is None:
        return Csv(sink, name, separator), sink
    raise ValueError(f"{name}: {kind} files hold at most 1,048,576 rows and are not written in parts; give .csv, .parquet, "
                     ".feather or .jsonl")


def chunks(frames, name, kind, separator=","):
    """Yield the bytes of a file of these data frames. separator: of the cells, in CSV."""
    made, sink = writer(name, kind, separator)
    for frame in frames:
        made.write(frame)
        yield sink.take()
    made.close()
    yield sink.take()
