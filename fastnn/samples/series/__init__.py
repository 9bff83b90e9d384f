"""Samples that are sequences: their checks, targets at each step, transcripts, and windows of long series."""
