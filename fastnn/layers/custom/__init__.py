"""Layers of a user's own."""
