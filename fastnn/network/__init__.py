"""The network: its public face, and what it does as functions that say what they need."""

from .network import Network, restore

__all__ = ["Network", "restore"]
