"""Columns of a table: conversion to plain types, missing values, and the features learned from each column."""

from .free_text import FreeText
from .kinds import Code, Date, Ignored, Missing, Number, Text

__all__ = ["Code", "Date", "FreeText", "Ignored", "Missing", "Number", "Text"]
