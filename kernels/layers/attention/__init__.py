"""Rows of attention: weighted means of the steps of sequences, whose weights depend on queries."""
