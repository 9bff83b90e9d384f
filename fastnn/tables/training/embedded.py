"""Columns of many categories in a network: their numbers stand among the features, and an `Embedding` reads each.

Other features pass by. The vector of a category that is in none of the rows that a member learns from would be what it was
at first: it becomes that of categories that were unseen in training, token 0, or, if no row of the member has that, the mean
of the vectors of its rows.
"""

import numpy as np

from ...layers import Concatenate, Embedding, Parallel, Slice


def first_layers(features, tokens):
    """Return the layers that put vectors in the place of the numbers of categories; none if there are no such features.

    features: how many there are. tokens: {number of a feature: (number of its tokens, numbers in a vector)}.
    """
    parts, start = [], 0
    for feature, (count, size) in sorted(tokens.items()):
        parts += [Slice(start, feature)] if feature > start else []
        parts.append([Slice(feature, feature + 1), Embedding(count, size)])
        start = feature + 1
    if start < features:
        parts.append(Slice(start, features))
    return [] if not tokens else [Parallel(Concatenate(), *parts)] if len(parts) > 1 else [*parts[0]]


def without_unlearned(network, matrix, rows, tokens):
    """Give a vector to the categories that are in none of the rows, and replace features that are constant in them.

    The weights of a constant feature mean nothing: they become 0, and what they contributed is added to the bias.
    """
    tables = dict(zip(sorted(tokens), network.parameters.values(), strict=False))  # the embeddings come first
    weight, bias = [*network.parameters.values()][len(tables):len(tables) + 2]  # of the first Dense
    place = 0
    for feature in range(matrix.shape[1]):
        values = matrix[rows, feature]
        if feature in tokens:
            complete(tables[feature], values)
            place += tokens[feature][1]
            continue
        if (values == values[0]).all():
            bias += values[0] * weight[place]
            weight[place] = 0
        place += 1


def complete(table, numbers):
    """Replace the vectors of a table (tokens, size) that none of the numbers (rows,) has."""
    counts = np.bincount(numbers.astype(np.intp), minlength=len(table))
    table[counts == 0] = table[0] if counts[0] else counts @ table / len(numbers)
