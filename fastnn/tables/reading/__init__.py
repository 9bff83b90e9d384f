"""Tables in files: how text is laid out, how its numbers are written, and cells that are kept as they stand."""

from .files import read_table, write_table

__all__ = ["read_table", "write_table"]
