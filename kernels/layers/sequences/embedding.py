"""A table of vectors: a = weight[token], the row of the weight that belongs to each token.

x (rows,) tokens as int32; a, da (rows, features); weight, dweight (tokens, features); C-contiguous. The rows of dweight add
up da in the order of the positions; each part adds columns of its own.

A step of training needs only the rows of the weight that the batch uses. Their numbers stand in `used`, integers outside the
arena: their count, then the numbers in order of first appearance; then for each token whether it is among them. Only these
rows of dweight are not zero: the next step clears them before it lists its own, and the update goes through the list.
Without a list, for gradients of all parameters, all of dweight is written.
"""

import numpy as np

from ...compiling.jit import Kernel, address_of, integers, view
from ...compiling.share import share
from ...interpreter.axes import tokens_at
from ...interpreter.table import Kind

EMBEDDING = Kind("embedding", "x", "a", "da", "weight", "tokens", "features", "used", "begins")
LINE = 16  # numbers: parts have whole cache lines of columns


def build_forward(dtype):
    def embedding_forward(row, call, part, parts):
        begin, end = share(call.batch, part, parts, 1)
        tokens = view(tokens_at(address_of(view(call.arena, row.x, 1))), 0, call.batch)
        weight = view(call.parameters, row.weight, (row.tokens, row.features))
        a = view(call.arena, row.a, (call.batch, row.features))
        for i in range(begin, end):
            taken = weight[tokens[i]]
            for j in range(row.features):
                a[i, j] = taken[j]

    return embedding_forward


def build_list(dtype):
    def embedding_list(row, call, part, parts):
        """List the tokens of the batch; first clear the rows of dweight that the last step has written."""
        tokens = view(tokens_at(address_of(view(call.arena, row.x, 1))), 0, call.batch)
        count, used = view(integers(row.used), 0, 1), view(integers(row.used), 1, row.tokens)
        among = view(integers(row.used), 1 + row.tokens, row.tokens)
        if row.begins != 0:
            dweight = view(call.gradients, row.weight, (row.tokens, row.features))
            for k in range(count[0]):
                cleared = dweight[used[k]]
                for j in range(row.features):
                    cleared[j] = 0
                among[used[k]] = 0
            count[0] = 0
        listed = count[0]
        for i in range(len(tokens)):
            token = tokens[i]
            if among[token] == 0:
                among[token] = 1
                used[listed] = token
                listed += 1
        count[0] = listed

    return embedding_list


def build_backward(dtype):
    def embedding_backward(row, call, part, parts):
        # forward: a = weight[tokens]
        begin, end = share(row.features, part, parts, LINE)
        tokens = view(tokens_at(address_of(view(call.arena, row.x, 1))), 0, call.batch)
        size = end - begin
        if row.used == 0 and call.accumulate == 0:
            for token in range(row.tokens):
                view(call.gradients, row.weight + token * row.features + begin, size)[:] = 0
        for i in range(len(tokens)):
            # views from the first column of the part on: an index that may be negative would not be compiled to vectors
            onto = view(call.gradients, row.weight + np.intp(tokens[i]) * row.features + begin, size)
            da = view(call.arena, row.da + i * row.features + begin, size)
            for j in range(size):
                onto[j] += da[j]

    return embedding_backward


embedding_forward = Kernel("embedding_forward", build_forward, EMBEDDING.arguments)
embedding_list = Kernel("embedding_list", build_list, EMBEDDING.arguments)
embedding_backward = Kernel("embedding_backward", build_backward, EMBEDDING.arguments)


def used_size(tokens):
    """Return the number of integers of the list of rows that a step uses."""
    return 1 + 2 * tokens


def embedding_row(dtype, parts, *, x, a, weight, tokens, features, da=None, used=0):
    """Return the row of an embedding. da: None without a backward pass. used: address of `used_size` integers, or 0."""
    phases = {"forward": (embedding_forward.address(dtype), parts)}
    if da is not None:
        phases["backward_first"] = embedding_backward.address(dtype), min(parts, -(-features // LINE))
    return EMBEDDING.row(phases, x=x, a=a, da=da or 0, weight=weight, tokens=tokens, features=features, used=used, begins=0)


def embedding_list_row(dtype, *, x, weight, tokens, features, used, begins):
    """Return the row that lists the tokens of a batch. begins: whether it begins the list, or goes on with it."""
    return EMBEDDING.row({"forward": (embedding_list.address(dtype), 1)}, x=x, a=0, da=0, weight=weight, tokens=tokens,
                         features=features, used=used, begins=begins)
