"""Layers that join several tensors, and one that takes a part of a tensor."""

from .add import Add, Average, Subtract
from .base import Join
from .concatenate import Concatenate
from .dot import Dot
from .maximum import Maximum
from .multiply import Multiply
from .slice import Slice

__all__ = ["Add", "Average", "Concatenate", "Dot", "Join", "Maximum", "Multiply", "Slice", "Subtract"]
