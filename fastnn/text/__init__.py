"""Texts as sequences of tokens, which an `Embedding` takes, and pretrained vectors for its weight."""

from .byte_pairs import FORMAT, BytePairs
from .vectors import read_vectors
from .vocabulary import Vocabulary

__all__ = ["BytePairs", "Vocabulary", "read_vectors"]


def __dir__():
    return __all__


def from_entries(entries):
    """Return the Vocabulary or BytePairs whose `entries()` these are; they may come from a file."""
    is_pairs = isinstance(entries, dict) and entries.get("format") == FORMAT
    return (BytePairs if is_pairs else Vocabulary).from_entries(entries)
