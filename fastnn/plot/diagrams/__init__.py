"""Pictures of the structure of a network."""
