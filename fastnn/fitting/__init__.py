"""Training: the training loop, its state, history, schedules, L-BFGS."""
