"""Training: the loop of a fit, where it stands, its history, schedules, L-BFGS."""
