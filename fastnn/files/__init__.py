"""Networks and fits in files."""

from .networks import ModelFormatError

__all__ = ["ModelFormatError"]
