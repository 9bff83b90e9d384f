"""Elementary functions such as exp and tanh, reductions, and checks for finite values."""
