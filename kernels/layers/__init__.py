"""The rows of each layer, and their kernels."""
