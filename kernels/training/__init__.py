"""What a step does besides the layers: the update, clipping, penalties, the guard over its numbers, populations."""
