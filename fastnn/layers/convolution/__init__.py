"""Convolutions of series and images."""
