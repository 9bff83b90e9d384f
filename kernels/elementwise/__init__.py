"""Functions of one number, and sums: exp, tanh and the like, reductions, finiteness."""
