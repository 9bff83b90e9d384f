"""The parts of a step outside the layers: update, clipping, penalties, checks of the gradient, populations."""
