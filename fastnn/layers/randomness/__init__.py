"""Layers that draw random numbers in training: dropout, noise, and random views of images."""
