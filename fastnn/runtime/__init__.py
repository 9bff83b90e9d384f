"""Threads, memory, time slices of training, and compilation in advance."""
