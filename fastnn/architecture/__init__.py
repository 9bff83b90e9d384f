"""The loss and the meaning of the outputs of a network, and registration of a user's activations and losses."""
