"""Parquet files larger than memory: read in parts, sampled, shuffled in windows, and predicted part by part."""

from .parquet import ParquetStream

__all__ = ["ParquetStream"]
