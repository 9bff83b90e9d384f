"""A fit of an estimator: the solver, held-out samples, and the state restored after an error."""
