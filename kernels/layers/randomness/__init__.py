"""Rows and kernels of the layers that draw random numbers."""
