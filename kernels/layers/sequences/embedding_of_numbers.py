"""The embedding of a feature that holds the number of a category: a = weight[x], for x of the network's dtype.

x, dx (rows,); a, da (rows, features); weight, dweight (tokens, features); C-contiguous. The lists of used rows are those of
`embedding`. A number that is no token, such as 0.5, -1, the number of tokens or NaN, has no row: its a is NaN, so that a
loss of it is not finite, and it changes no gradient. dx is 0: between tokens there is nothing.
"""

import numpy as np

from ...compiling.jit import Kernel, integers, jit, view
from ...compiling.share import share
from ...interpreter.table import Kind
from .embedding import LINE

EMBEDDING_OF_NUMBERS = Kind("embedding_of_numbers", "x", "a", "dx", "da", "weight", "tokens", "features", "used", "begins")


@jit(inline=True)
def token_of(number, tokens):
    """Return the row of a number, or -1 if it is no token."""
    if number >= 0 and number < tokens and number == np.floor(number):
        return np.intp(number)
    return np.intp(-1)


def build_forward(dtype):
    def embedding_of_numbers_forward(row, call, part, parts):
        begin, end = share(call.batch, part, parts, 1)
        x = view(call.arena, row.x, call.batch)
        for i in range(begin, end):
            token, a = token_of(x[i], row.tokens), view(call.arena, row.a + i * row.features, row.features)
            if token < 0:
                a[:] = np.nan
            else:
                taken = view(call.parameters, row.weight + token * row.features, row.features)
                for j in range(row.features):
                    a[j] = taken[j]

    return embedding_of_numbers_forward


def build_list(dtype):
    def embedding_of_numbers_list(row, call, part, parts):
        """List the tokens of the batch; first clear the rows of dweight that the last step has written."""
        x = view(call.arena, row.x, call.batch)
        count, used = view(integers(row.used), 0, 1), view(integers(row.used), 1, row.tokens)
        among = view(integers(row.used), 1 + row.tokens, row.tokens)
        if row.begins != 0:
            for k in range(count[0]):
                view(call.gradients, row.weight + used[k] * row.features, row.features)[:] = 0
                among[used[k]] = 0
            count[0] = 0
        listed = count[0]
        for i in range(len(x)):
            token = token_of(x[i], row.tokens)
            if token >= 0 and among[token] == 0:
                among[token] = 1
                used[listed] = token
                listed += 1
        count[0] = listed

    return embedding_of_numbers_list


def build_backward(dtype):
    def embedding_of_numbers_backward(row, call, part, parts):
        # forward: a = weight[x]
        begin, end = share(row.features, part, parts, LINE)
        x, size = view(call.arena, row.x, call.batch), end - begin
        if row.used == 0 and call.accumulate == 0:
            for token in range(row.tokens):
                view(call.gradients, row.weight + token * row.features + begin, size)[:] = 0
        for i in range(len(x)):
            token = token_of(x[i], row.tokens)
            if token >= 0:
                onto = view(call.gradients, row.weight + token * row.features + begin, size)
                da = view(call.arena, row.da + i * row.features + begin, size)
                for j in range(size):
                    onto[j] += da[j]
        if part == 0 and row.dx != 0:
            view(call.arena, row.dx, call.batch)[:] = 0

    return embedding_of_numbers_backward


embedding_of_numbers_forward = Kernel("embedding_of_numbers_forward", build_forward, EMBEDDING_OF_NUMBERS.arguments)
embedding_of_numbers_list = Kernel("embedding_of_numbers_list", build_list, EMBEDDING_OF_NUMBERS.arguments)
embedding_of_numbers_backward = Kernel("embedding_of_numbers_backward", build_backward, EMBEDDING_OF_NUMBERS.arguments)


def embedding_of_numbers_row(dtype, parts, *, x, a, weight, tokens, features, dx=None, da=None, used=0):
    """Return the row of the embedding of a feature; operands as those of `embedding_row`. dx: None if no one asks for it."""
    phases = {"forward": (embedding_of_numbers_forward.address(dtype), parts)}
    if da is not None:
        phases["backward_first"] = embedding_of_numbers_backward.address(dtype), min(parts, -(-features // LINE))
    return EMBEDDING_OF_NUMBERS.row(phases, x=x, a=a, dx=dx or 0, da=da or 0, weight=weight, tokens=tokens,
                                    features=features, used=used, begins=0)


def embedding_of_numbers_list_row(dtype, *, x, weight, tokens, features, used, begins):
    """Return the row that lists the tokens of a batch. begins: whether it begins the list, or goes on with it."""
    return EMBEDDING_OF_NUMBERS.row({"forward": (embedding_of_numbers_list.address(dtype), 1)}, x=x, a=0, dx=0, da=0,
                                    weight=weight, tokens=tokens, features=features, used=used, begins=begins)
