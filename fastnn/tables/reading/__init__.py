"""Reading tables from files: the layout of text files, number formats, and the spelling of cells."""

from .files import read_table, write_table

__all__ = ["read_table", "write_table"]
