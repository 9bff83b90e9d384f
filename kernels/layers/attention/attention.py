"""Attention: each query gets a weighted mean of the values of its source, whose weights are a softmax of scores.

    a = Σₜ pₜ vₜ      p = softmax(scale s)      s: the scores of the query and the keys kₜ, see `scores`

query, dquery (queries, heads · key_features), keys, dkeys (steps, heads · key_features), values, dvalues (steps,
heads · value_features), a, da (queries, heads · value_features); rows may lie further apart. A head reads its columns alone.
Causal: query number t reads the steps 0 … t of its own sequence. Backward, for each query

    dvₜ = pₜ da      dpₜ = da · vₜ      ds = scale p (dp − Σ p dp)

A block of queries is computed at a time, and the backward pass computes its weights again, so that the memory grows with the
number of steps, not with its square. A part computes some heads of some samples, each in a fixed order: what a sequence
gives does not depend on others. Runs while rows are samples.
"""

from ...compiling.jit import REAL, Kernel, jit, typed_pointer, view
from ...compiling.record import FLOAT
from ...compiling.share import share
from ...interpreter.axes import axis_offsets
from ...interpreter.table import Kind
from ...processor.prefetch import CACHE_LINE, prefetch
from ...processor.target import ITEM_BYTES
from ...products.product import call_product, chain_length, product_kernel
from ...products.transpose import call_transpose, transpose_kernel
from ..joins.add import NOTHING, WRITE, destination
from ..recurrence.forward import at, parameter
from .scores import CHAIN, WHOLE, additive_scores, dot_scores, whole
from .weights import weigh_rows, weigh_rows_back

ATTENTION = Kind(
    "attention",
    "query_axis", "has_query_axis",  # in the arena: the record of the queries' steps; without one a sample has one query
    "source_axis",
    "query", "keys", "values", "a", "dquery", "dkeys", "dvalues", "da",  # in the arena
    "learns_query",  # whether `query` is among the parameters, the same for all samples
    "query_row", "keys_row", "values_row", "a_row",  # how far rows are apart
    "heads", "key_features", "value_features",  # of a head
    "causal",
    "to_query", "to_keys", "to_values",  # what becomes of the gradients: NOTHING, WRITE, ONTO
    "weight",  # of additive scores, among the parameters
    "partials",  # in the arena: the gradient of a parameter for each sample
    "parameter", "parameter_size",  # that parameter
    "scratch", "scratch_size",  # in the arena: memory of the first part, and its size
    "keys_t", "values_t", "dkeys_t", "weights", "dweights", "buffer",  # places in the scratch
    scale=FLOAT,
)
QUERIES = 64  # of a block


@jit
def queries_of(row, call, i):
    """Return the first query of a sample and how many it has."""
    if row.has_query_axis == 0:
        return i, 1
    offsets = axis_offsets(call, row.query_axis)
    return offsets[i], offsets[i + 1] - offsets[i]


@jit(inline=True)
def seen(row, first, count, steps):
    """Return how many steps some queries see together, of which the last has the number first + count − 1."""
    return min(steps, first + count) if row.causal != 0 else steps


@jit
def fetch(call, place, numbers, part, parts, item):
    """Prefetch a part of some numbers of the arena."""
    begin, end = share(item * numbers, part, parts, CACHE_LINE)
    start = at(call, place)
    for byte in range(begin, end, CACHE_LINE):
        prefetch(start + byte)


def fetching(dtype):
    """Return the compiled function that prefetches what a head of the next sample reads, and writes in the backward pass.

    The rows of a head lie so far apart that the processor does not foresee them: without this, attention of four heads with
    16 features took 1.15 times as long.
    """
    item = ITEM_BYTES[dtype]

    @jit
    def fetch_next(row, call, offsets, i, head, backward):
        if i + 1 == call.batch:
            return
        first, steps, heads = offsets[i + 1], offsets[i + 2] - offsets[i + 1], row.heads
        query, queries = queries_of(row, call, i + 1)
        of_keys, of_values, of_query = steps * row.keys_row, steps * row.values_row, queries * row.query_row
        fetch(call, row.keys + first * row.keys_row, of_keys, head, heads, item)
        fetch(call, row.values + first * row.values_row, of_values, head, heads, item)
        if row.learns_query == 0:
            fetch(call, row.query + query * row.query_row, of_query, head, heads, item)
        if backward:
            fetch(call, row.da + query * row.a_row, queries * row.a_row, head, heads, item)
            if row.to_keys != NOTHING:
                fetch(call, row.dkeys + first * row.keys_row, of_keys, head, heads, item)
            if row.to_values != NOTHING:
                fetch(call, row.dvalues + first * row.values_row, of_values, head, heads, item)
            if row.to_query != NOTHING:
                fetch(call, row.dquery + query * row.query_row, of_query, head, heads, item)

    return fetch_next


def weighing(dtype):
    """Return the compiled functions (weigh, weigh_back) of the softmax of scores (rows, steps) in place."""
    item, weigh_two, weigh_two_back = ITEM_BYTES[dtype], weigh_rows(dtype), weigh_rows_back(dtype)

    @jit
    def weigh(row, scores, first, rows, columns, stride):
        for r in range(0, rows, 2):
            other = min(r + 1, rows - 1)
            weigh_two((scores + item * r * stride, scores + item * other * stride, seen(row, first + r, 1, columns),
                       seen(row, first + other, 1, columns), whole(columns)), row.scale)

    @jit
    def weigh_back(row, dscores, weights, first, rows, columns, stride):
        # forward: weights = softmax(scale scores)
        for r in range(0, rows, 2):
            other = min(r + 1, rows - 1)
            one, two = item * r * stride, item * other * stride
            weigh_two_back((dscores + one, dscores + two, weights + one, weights + two, seen(row, first + r, 1, columns),
                            seen(row, first + other, 1, columns), whole(columns)), row.scale)

    return weigh, weigh_back


def forward_builder(scores):
    """Return the builder of the forward phase."""

    def build(dtype):
        item, number = ITEM_BYTES[dtype], typed_pointer(REAL[dtype])
        (score, _, _), (weigh, _), fetch_next = scores(dtype), weighing(dtype), fetching(dtype)

        def attention_forward(row, call, part, parts):
            offsets, heads = axis_offsets(call, row.source_axis), row.heads
            features, width = row.key_features, row.value_features
            begin, end = share(call.batch * heads, part, parts, 1)
            own = row.scratch + part * row.scratch_size
            keys_t, weights, buffer = at(call, own + row.keys_t), at(call, own + row.weights), at(call, own + row.buffer)
            like = view(call.arena, 0, 1)
            for unit in range(begin, end):
                i, head = unit // heads, unit % heads
                first, steps = offsets[i], offsets[i + 1] - offsets[i]
                stride = whole(steps)
                first_query, queries = queries_of(row, call, i)
                a = at(call, row.a + first_query * row.a_row + head * width)
                if steps == 0:
                    for r in range(queries):
                        view(number(a), r * row.a_row, width)[:] = 0
                    continue
                keys = at(call, row.keys + first * row.keys_row + head * features)
                values = at(call, row.values + first * row.values_row + head * width)
                query = at(call, row.query + first_query * row.query_row + head * features)
                if row.learns_query != 0:
                    query = parameter(call, row.query + head * features)
                fetch_next(row, call, offsets, i, head, False)
                call_transpose(like, (keys_t, stride, keys, row.keys_row, steps, features))
                for r in range(0, queries, QUERIES):
                    rows = min(QUERIES, queries - r)
                    columns = seen(row, r, rows, steps)
                    score(row, call, weights, query + item * r * row.query_row, keys_t, buffer, rows, columns, stride)
                    weigh(row, weights, r, rows, columns, stride)
                    call_product(like, (a + item * r * row.a_row, row.a_row, weights, stride, 1, values, row.values_row, 0,
                                        0, rows, width, columns, CHAIN))

        return attention_forward

    return build


def backward_builder(scores):
    """Return the builder of the backward phase, which computes the gradients of queries, keys and values."""

    def build(dtype):
        item, number = ITEM_BYTES[dtype], typed_pointer(REAL[dtype])
        (score, score_back, finish), (weigh, weigh_back) = scores(dtype), weighing(dtype)
        fetch_next = fetching(dtype)

        @jit
        def begun(call, to, clear, place, row_size, rows, columns):
            """Return the addresses of a gradient, 0 if it is not wanted, and of what its first sums begin with, 0 for zeros.

            clear: whether to write zeros where others have written nothing.
            """
            if to == NOTHING:
                return 0, 0
            if to == WRITE and clear:
                for r in range(rows):
                    view(call.arena, place + r * row_size, columns)[:] = 0
            return at(call, place), at(call, place) if to != WRITE or clear else 0

        def attention_backward(row, call, part, parts):
            # forward: a = softmax(scale score(query, keys)) @ values
            offsets, heads = axis_offsets(call, row.source_axis), row.heads
            features, width = row.key_features, row.value_features
            begin, end = share(call.batch * heads, part, parts, 1)
            own = row.scratch + part * row.scratch_size
            keys_t, values_t = at(call, own + row.keys_t), at(call, own + row.values_t)
            weights, dscores, buffer = at(call, own + row.weights), at(call, own + row.dweights), at(call, own + row.buffer)
            dkeys_t, like = at(call, own + row.dkeys_t), view(call.arena, 0, 1)
            for unit in range(begin, end):
                i, head = unit // heads, unit % heads
                first, steps = offsets[i], offsets[i + 1] - offsets[i]
                stride = whole(steps)
                first_query, queries = queries_of(row, call, i)
                # Sums of a gradient begin with the first block of queries, if that reaches all of it.
                clear = row.weight >= 0 or steps == 0 or queries == 0 or (row.causal != 0 and queries > QUERIES)
                # values before keys before queries, as the backward pass goes: where they are one tensor, the first is
                # written and the others add
                dvalues, values_start = begun(call, row.to_values, clear,
                                              row.dvalues + first * row.values_row + head * width, row.values_row, steps,
                                              width)
                dkeys, keys_start = begun(call, row.to_keys, clear, row.dkeys + first * row.keys_row + head * features,
                                          row.keys_row, steps, features)
                dquery, query_start = begun(call, row.to_query, clear,
                                            row.dquery + first_query * row.query_row + head * features, row.query_row,
                                            queries, features)
                dweight = at(call, row.partials + i * features)
                if row.weight >= 0:
                    view(number(dweight), 0, features)[:] = 0
                    view(number(dkeys_t), 0, features * stride)[:] = 0
                if steps == 0:
                    continue
                da = at(call, row.da + first_query * row.a_row + head * width)
                keys = at(call, row.keys + first * row.keys_row + head * features)
                values = at(call, row.values + first * row.values_row + head * width)
                query = at(call, row.query + first_query * row.query_row + head * features)
                if row.learns_query != 0:
                    query = parameter(call, row.query + head * features)
                fetch_next(row, call, offsets, i, head, True)
                call_transpose(like, (keys_t, stride, keys, row.keys_row, steps, features))
                call_transpose(like, (values_t, stride, values, row.values_row, steps, width))
                for r in range(0, queries, QUERIES):
                    rows = min(QUERIES, queries - r)
                    columns, q = seen(row, r, rows, steps), item * r * row.query_row
                    given = da + item * r * row.a_row
                    score(row, call, weights, query + q, keys_t, buffer, rows, columns, stride)
                    weigh(row, weights, r, rows, columns, stride)
                    if dvalues != 0:
                        call_product(like, (dvalues, row.values_row, weights, 1, stride, given, row.a_row, values_start,
                                            row.values_row, columns, width, rows, CHAIN))
                    call_product(like, (dscores, stride, given, row.a_row, 1, values_t, stride, 0, 0, rows, whole(columns),
                                        width, chain_length(width)))
                    weigh_back(row, dscores, weights, r, rows, columns, stride)
                    score_back(row, call, dscores, query + q, keys, keys_t, dquery + q if dquery != 0 else 0,
                               query_start + q if query_start != 0 else 0, dkeys, keys_start, dkeys_t, dweight, buffer, rows,
                               columns, stride)
                    values_start, keys_start = dvalues, dkeys
                if dkeys != 0:
                    finish(row, dkeys, dkeys_t, steps, stride)

        return attention_backward

    return build


def build_collect(dtype):
    def collect_partials(row, call, part, parts):
        """Add the gradients of a parameter over the samples, in their order."""
        size = row.parameter_size
        begin, end = share(size, part, parts, 1)
        gradient = view(call.gradients, row.parameter + begin, end - begin)
        if call.accumulate == 0:
            gradient[:] = 0
        for i in range(call.batch):
            partial = view(call.arena, row.partials + i * size + begin, end - begin)
            for j in range(end - begin):
                gradient[j] += partial[j]

    return collect_partials


NEEDS = [product_kernel, transpose_kernel]
KERNELS = {
    "dot": (Kernel("attention_forward", forward_builder(dot_scores), ATTENTION.arguments, needs=NEEDS),
            Kernel("attention_backward", backward_builder(dot_scores), ATTENTION.arguments, needs=NEEDS)),
    "additive": (Kernel("additive_attention_forward", forward_builder(additive_scores), ATTENTION.arguments, needs=NEEDS),
                 Kernel("additive_attention_backward", backward_builder(additive_scores), ATTENTION.arguments, needs=NEEDS)),
}
collect_kernel = Kernel("attention_collect", build_collect, ATTENTION.arguments)


def scratch_of(longest, key_features, value_features, training, additive):
    """Return the places in the scratch of a part by name, and its size, for sources of at most `longest` steps."""
    longest = -(-longest // WHOLE) * WHOLE
    sizes = {
        "keys_t": key_features * longest, "values_t": value_features * longest * training,
        "dkeys_t": key_features * longest * (training and additive), "weights": QUERIES * longest,
        "dweights": QUERIES * longest * training, "buffer": longest * additive,
    }
    places, end = {}, 0
    for name, size in sizes.items():
        places[name], end = end, end + -(-size // 16) * 16
    return places, end


def attention_row(dtype, parts, *, scores, training=False, learned=None, dquery=None, dkeys=None, dvalues=None,
                  query_axis=None, to=(False, False, False), **operands):
    """Return the row of attention.

    Parameters
    ----------
    parts : int
    scores : {"dot", "additive"}
    training : bool
        Whether a backward pass follows.
    learned : tuple (offset, size), optional
        The parameter whose gradients for each sample lie in `partials`.
    dquery, dkeys, dvalues : int, optional
        None where the gradient is not needed.
    query_axis : int, optional
        None where each sample has one query.
    to : tuple of bool
        Whether to add to the gradients of query, keys and values.
    operands
        Others of `ATTENTION`; missing ones are 0.
    """
    forward, backward = KERNELS[scores]
    gradients = {"dquery": dquery, "dkeys": dkeys, "dvalues": dvalues}
    given = dict.fromkeys(ATTENTION.names, 0) | {"weight": -1} | operands
    given |= {name: place or 0 for name, place in gradients.items()}
    given |= {f"to_{name[1:]}": destination(place, adds)
              for (name, place), adds in zip(gradients.items(), to, strict=True)}
    given |= {"query_axis": query_axis or 0, "has_query_axis": query_axis is not None}
    phases = {"forward": (forward.address(dtype), parts)}
    if training:
        phases["backward_first"] = backward.address(dtype), parts
        if learned is not None:
            given["parameter"], given["parameter_size"] = learned
            phases["backward_third"] = collect_kernel.address(dtype), 1
    return ATTENTION.row(phases, **given)

