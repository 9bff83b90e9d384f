"""What the processor can do: its vectors, its prefetching, how it treats subnormal numbers."""
