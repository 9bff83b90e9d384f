"""The class `Network`, and the functions behind its methods."""

from .network import Network, restore

__all__ = ["Network", "restore"]
