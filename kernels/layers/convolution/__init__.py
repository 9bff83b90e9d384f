"""Rows and kernels of convolutions."""
