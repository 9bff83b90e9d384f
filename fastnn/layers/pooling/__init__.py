"""Pools: the largest number or the mean of each window, of each channel."""
