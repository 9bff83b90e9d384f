"""Properties of the processor: vectors, prefetching, subnormal numbers, atomic integers."""
