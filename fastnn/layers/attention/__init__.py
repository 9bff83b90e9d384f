"""Attention: layers whose outputs are weighted means of the steps of a sequence, with weights that depend on the data."""
