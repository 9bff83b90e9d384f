"""Rows and kernels of pools."""
