"""Rows and kernels that pad images or repeat pixels."""
