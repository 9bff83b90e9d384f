"""What attention layers have in common in ONNX: which steps a query sees."""

import math

import numpy as np


def hidden(graph, scores, layer, heads=False):
    """Return scores (batch, queries, keys), or (batch, heads, queries, keys), with -inf for keys that a query does not see.

    These are steps behind a query, of causal attention, and what is padded.
    """
    steps, keys = graph.shape[0], graph.axes[-1]
    if keys is None:
        if not layer.causal:
            return scores
        return graph("Add", scores, graph.tensor("mask", np.triu(np.full((steps, steps), -np.inf), 1)))
    seen = graph("Unsqueeze", keys.mask, graph.integers("axes", [1, 2] if heads else [1]))
    if layer.causal:
        queries = graph("Unsqueeze", keys.positions, graph.integers("axis", [1]))
        seen = graph("And", seen, graph("GreaterOrEqual", queries, keys.positions))
    return graph("Where", seen, scores, -math.inf)


def without_padding(graph, values):
    """Return values (batch, keys, features) with zeros behind the last step of a sequence."""
    return values if graph.axes[-1] is None else graph.axes[-1].keep(values, 0.0)
