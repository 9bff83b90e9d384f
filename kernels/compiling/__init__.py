"""Compilation: the jit decorator, the cache on disk, tracing, and records that compiled code reads by name."""
