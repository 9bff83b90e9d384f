"""Pictures of training: its course, and the results of a search."""
