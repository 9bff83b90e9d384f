"""Pictures of what the layers of a network have learned, and of what they compute."""
