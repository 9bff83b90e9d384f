"""The rows of each layer, and the kernels of their phases."""
