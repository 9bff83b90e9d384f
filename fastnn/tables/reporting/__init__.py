"""A report of a training as one HTML file, which opens in any browser and loads nothing from elsewhere."""

from .page import write_report

__all__ = ["write_report"]
