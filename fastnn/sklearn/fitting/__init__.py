"""A fit of an estimator: the solver, samples held out, and what an error leaves as it was."""
