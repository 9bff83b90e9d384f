"""Pictures of the predictions of a classifier."""
