"""Columns of a table: plain kinds of data, missing values, and the features that are learned from each."""

from .kinds import Ignored, Missing, Number, Text

__all__ = ["Ignored", "Missing", "Number", "Text"]
