"""Products over the windows of images."""
