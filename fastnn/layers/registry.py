"""The registry of layers by name."""

from ..kernels.compiling.registry import Registry

layers = Registry("layer", type)
