"""Texts as sequences of tokens, which an `Embedding` takes, and pretrained vectors for its weight."""

from .byte_pairs import BytePairs
from .vectors import read_vectors
from .vocabulary import Vocabulary

__all__ = ["BytePairs", "Vocabulary", "read_vectors"]
