"""Layers over time: from the steps of sequences to one row for each sequence."""
