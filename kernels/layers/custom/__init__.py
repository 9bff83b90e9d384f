"""Layers whose functions a user wrote."""
