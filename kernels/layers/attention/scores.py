"""Scores of some queries against the steps of one source, and how their gradients go back.

    scaled dot product      s = q · k / √features                 dq = ds k / √features, dk = ds q / √features
    additive                s = Σ w tanh(q + k)                   dq = dk = ds w (1 − tanh²), dw = ds tanh

The factor 1 / √features is left to the softmax. The keys are read transposed, keys_t (features, steps), so that steps lie in
the lanes of vectors; rows of scores and of keys_t are `stride` apart. Sums over features are in their order; those over
steps are chains of products and sums of rows, which sizes alone determine.
"""

from ...compiling.jit import REAL, jit, offset, typed_pointer, view
from ...compiling.trace import at_full_width
from ...elementwise.elementary import tanh
from ...elementwise.reduction import row_dot, row_sum
from ...products.product import call_product, chain_length

# Rows of scores begin at multiples of so many numbers, and vectors run to the end of one, also where the last step stands
# within it: what is computed behind the steps is never read.
WHOLE = 16
CHAIN = 256  # steps of a chain; a fixed number, so that later steps, whose weights are 0, change no bit of a causal sum


@jit(inline=True)
def whole(count):
    return (count + (WHOLE - 1)) // WHOLE * WHOLE


def dot_scores(dtype):
    """Return the compiled functions (score, score_back, finish) of the dot product."""
    number = typed_pointer(REAL[dtype])

    @jit
    def score(row, call, scores, query, keys_t, buffer, rows, columns, stride):
        # scores (rows, steps), of which the first `columns`; query (rows, features); keys_t (features, steps)
        features = row.key_features
        call_product(view(number(scores), 0, 1), (scores, stride, query, row.query_row, 1, keys_t, stride, 0, 0, rows,
                                                  whole(columns), features, chain_length(features)))

    @jit
    def score_back(row, call, dscores, query, keys, keys_t, dquery, query_start, dkeys, keys_start, dkeys_t, dweight,
                   buffer, rows, columns, stride):
        # forward: scores = query @ keysᵀ
        features, like = row.key_features, view(number(dscores), 0, 1)
        if dquery != 0:
            call_product(like, (dquery, row.query_row, dscores, stride, 1, keys, row.keys_row, query_start, row.query_row,
                                rows, features, columns, CHAIN))
        if dkeys != 0:
            call_product(like, (dkeys, row.keys_row, dscores, 1, stride, query, row.query_row, keys_start, row.keys_row,
                                columns, features, rows, CHAIN))

    @jit
    def finish(row, dkeys, dkeys_t, steps, stride):
        pass

    return score, score_back, finish


def additive_scores(dtype):
    """Return the compiled functions (score, score_back, finish) of additive scores."""
    number = typed_pointer(REAL[dtype])

    @jit
    def score(row, call, scores, query, keys_t, buffer, rows, columns, stride):
        # scores (rows, steps), of which the first `columns`; query (rows, features); keys_t (features, steps)
        at_full_width()
        features = row.key_features
        weight = view(call.parameters, row.weight, features)
        for r in range(rows):
            q, s = view(number(query), r * row.query_row, features), view(number(scores), r * stride, columns)
            t = view(number(buffer), 0, columns)
            s[:] = 0
            for f in range(features):
                k = view(number(keys_t), f * stride, columns)
                for j in range(columns):
                    t[j] = q[f] + k[j]
                for j in range(columns):
                    t[j] = tanh(t[j])
                for j in range(columns):
                    s[j] += weight[f] * t[j]

    @jit
    def score_back(row, call, dscores, query, keys, keys_t, dquery, query_start, dkeys, keys_start, dkeys_t, dweight,
                   buffer, rows, columns, stride):
        # forward: scores = Σ weight tanh(query + keys)
        at_full_width()
        features = row.key_features
        weight, dw = view(call.parameters, row.weight, features), view(number(dweight), 0, features)
        for r in range(rows):
            q, ds = view(number(query), r * row.query_row, features), view(number(dscores), r * stride, columns)
            t = view(number(buffer), 0, columns)
            for f in range(features):
                k = view(number(keys_t), f * stride, columns)
                for j in range(columns):
                    t[j] = q[f] + k[j]
                for j in range(columns):
                    t[j] = tanh(t[j])
                dw[f] += row_dot(columns, offset(number(dscores), r * stride), offset(number(buffer), 0))
                for j in range(columns):
                    t[j] = ds[j] * (weight[f] * (1 - t[j] * t[j]))
                if dkeys != 0:
                    dk = view(number(dkeys_t), f * stride, columns)
                    for j in range(columns):
                        dk[j] += t[j]
                if dquery != 0:
                    dq = view(number(dquery), r * row.query_row, features)
                    dq[f] += row_sum(columns, offset(number(buffer), 0))

    @jit
    def finish(row, dkeys, dkeys_t, steps, stride):
        """dkeys += dkeys_tᵀ."""
        for j in range(steps):
            dk = view(number(dkeys), j * row.keys_row, row.key_features)
            for f in range(row.key_features):
                dk[f] += view(number(dkeys_t), f * stride + j, 1)[0]

    return score, score_back, finish
