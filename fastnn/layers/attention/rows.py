"""What layers of attention have in common: which tensors they read, over which axes, and the row of the table."""

from dataclasses import replace

from ...kernels.layers.attention.attention import attention_row, scratch_of
from ...runtime.threads import FLOPS_PER_PART
from ..joins.base import Join, listed


class Attending(Join):
    """Base class of layers that read (query), (query, source) or (query, keys, values).

    The query is a sequence, or one row of features a sample; keys and values are sequences, of the same steps.
    """

    least = 1
    most = 3

    def works_over_time(self, shape):
        return True

    def steps_needed(self, shape, after):
        return max(after, 1)

    def taken(self, given):
        """Return (query, keys, values), given one shape or a tuple of those of the tensors that it reads."""
        shapes = given if isinstance(given[0], tuple) else (given,)
        if len(shapes) > self.most:
            raise ValueError(f"{self!r} takes a query, a query and a source, or a query, keys and values; here there are "
                             f"{len(shapes)} tensors")
        for number, shape in enumerate(shapes):
            if shape == (None,):
                raise ValueError(f"{self!r} takes sequences of features, and here a sample is a sequence of tokens, "
                                 "inputs=(None,); put an Embedding before it")
            if len(shape) != 2 and not (number == 0 and len(shape) == 1 < len(shapes)):
                raise ValueError(f"{self!r} attends to sequences (steps, features), and here a sample has the shape "
                                 f"{shape}; give inputs=(None, features) for sequences of any length, (steps, features) "
                                 "for those of one; recurrent layers before it need return_sequences=True")
        query, keys, values = shapes[0], shapes[-1] if len(shapes) < 3 else shapes[1], shapes[-1]
        if keys[0] != values[0]:
            raise ValueError(f"{self!r} takes keys and values of the same steps, and here they are {listed((keys, values))}")
        if self.causal and query[:-1] != keys[:-1]:
            raise ValueError(f"{self!r} lets each query see the steps up to its own, so that query and keys need the same "
                             f"steps; here they are {listed((query, keys))}: leave out causal=True for another source")
        return query, keys, values


def steps_of_all(program, layer, given):
    """Return the tensors of steps (query, keys, values), of one to three tensors that a layer reads."""
    given = [program.in_arena(x) if x.axis is None and len(x.shape) == 1 else program.steps_of(x) for x in given]
    query, keys, values = given[0], given[-1] if len(given) < 3 else given[1], given[-1]
    if keys.axis is not values.axis:
        raise ValueError(f"{layer!r} takes keys and values that layers make of the same sequences, step by step; here they "
                         "may have different numbers of steps")
    if layer.causal and query.axis is not keys.axis:
        raise ValueError(f"{layer!r} lets each query see the steps up to its own, so that query and keys must be made of "
                         "the same sequences, step by step; leave out causal=True for another source")
    return query, keys, values


def gradients_of(query, keys, values):
    """Return the gradients by name and whether to add to each; the last of one memory is written, the others add."""
    gradients, adds = {}, []
    later = set()
    for name, x in (("dvalues", values), ("dkeys", keys), ("dquery", query)):
        gradients[name] = x.gradient
        adds.insert(0, x.adds or x.gradient in later)
        later.add(x.gradient)
    return gradients, tuple(adds)


def emit_attention(program, query, keys, values, a, *, scores, heads, causal, scale, key_features, value_features,
                   learned=None, **operands):
    """Emit the row of attention for tensors of steps, in which the columns of the heads stand side by side.

    query: None for one that is learned, the same for all samples. learned: (offset, size) of the parameter of the row, whose
    gradients by samples lie in `partials`. operands: further ones of the row.
    """
    source, samples = values.axis, program.samples
    queries = samples if query is None or query.axis is None else query.axis.rows
    work = 2 * heads * queries * (source.rows // max(samples, 1) + 1) * (key_features + value_features)
    parts = min(program.parts(work, FLOPS_PER_PART), samples * heads)
    places, size = scratch_of(max(source.longest, 1), key_features, value_features, program.training, scores == "additive")
    gradients, adds = ({}, (False,) * 3) if not program.training else gradients_of(
        replace(keys, gradient=operands.get("partials"), adds=False) if query is None else query, keys, values)
    given = {"query": learned[0] if query is None else query.offset, "learns_query": query is None,
             "query_row": heads * key_features,
             "keys_row": heads * key_features, "values_row": heads * value_features, "a_row": heads * value_features}
    given |= operands
    with program.on(None):
        program.emit(attention_row(
            program.dtype, parts, scores=scores, training=program.training, learned=learned,
            query_axis=None if query is None or query.axis is None else query.axis.place, source_axis=source.place,
            keys=keys.offset, values=values.offset, a=a.offset, da=a.gradient or 0, heads=heads, causal=causal, scale=scale,
            key_features=key_features, value_features=value_features, scratch=program.scratch(parts * size),
            scratch_size=size, to=adds, **places, **gradients, **given,
        ))
