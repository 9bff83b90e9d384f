"""Rows and kernels of the layers that shift and scale."""
