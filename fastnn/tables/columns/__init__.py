"""Columns of a table: conversion to plain types, missing values, and the features learned from each column."""

from .kinds import Ignored, Missing, Number, Text

__all__ = ["Ignored", "Missing", "Number", "Text"]
