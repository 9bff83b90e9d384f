"""What training and prediction run in: threads, memory, slices of time, kernels compiled ahead."""
