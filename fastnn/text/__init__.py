"""Texts as sequences of tokens, which an `Embedding` takes."""

from .vocabulary import Vocabulary

__all__ = ["Vocabulary"]
