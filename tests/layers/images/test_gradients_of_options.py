"""Layers on images and series with options drawn at random: every gradient is that of finite differences."""

import numpy as np
import pytest
from drawn_layers import KINDS, drawn_network

import fastnn

SEEDS = [*range(len(KINDS)), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(len(KINDS), 800))]


@pytest.mark.parametrize("seed", SEEDS)
def test_gradients_are_right(seed):
    net, samples = drawn_network(seed, "float64")
    kinks = "Max" in type(net.layers[2]).__name__  # which a smaller step rarely passes
    y = np.random.default_rng(seed).normal(size=(samples, net.outputs))
    report = fastnn.check_gradients(net, np.eye(samples), y, training=True, max_checks=40, step=1e-6 if kinks else 1e-4)
    assert report.max_relative_error <= 1e-7, f"{net.layers[2]} on {net.shapes[2]}: {report}"
