"""Recurrent layers in ONNX: one operator, or for float64, which ONNX Runtime does not compute in it, one step after another.

Sequences of any length are padded: the operator gets their lengths, and a loop over the steps (Scan) keeps the state where a
sequence has no step.

An operator has X (steps, batch, in_features), W (1, gates · out, in), R (1, gates · out, out) and B (1, 2 · gates · out). It
gives Y (steps, 1, batch, out), also where it runs from the last step to the first.
"""

import numpy as np


def recurrent_nodes(graph, x, layer, operator, order, parameters, **attributes):
    """Add the operators of a recurrent layer for series x (batch, steps, in_features); return the output value.

    order: the numbers of our gates in ONNX' order. The file holds our parameters, from which operators make ONNX' ones: a
    reader finds them, and a runtime computes constants once.
    """
    x, state = x if isinstance(x, list) else (x, None)
    steps = graph.axes[0]
    if layer.learned_state:
        state = learned_state(graph, x, parameters)
    # the operator gives the cells of the last step only, and has three activations
    if graph.exact or layer.gives_cells or (steps and None in attributes.get("activations", ())):
        return (by_scan if steps else by_steps)(graph, x, layer, parameters, state)
    states = ["", ""]
    if state is not None:
        states[:layer.states] = (graph("Unsqueeze", part(graph, state, number, 1, layer.out_features), first_axis(graph))
                                 for number in range(layer.states))
    arrays = {name: graph.tensor(name, array) for name, array in parameters.items()}
    first = first_axis(graph)

    def in_order(name, order, axis):
        if order == sorted(order):
            return arrays[name]
        return graph("Concat", *(part(graph, arrays[name], number, 1, layer.out_features, axis) for number in order),
                     axis=axis)

    operands = [graph("Unsqueeze", graph("Transpose", in_order(name, order, 1), perm=[1, 0]), first)
                for name in ("weight", "recurrent_weight")]
    if "recurrent_bias" in arrays:
        second = in_order("recurrent_bias", order, 0)
    else:
        second = graph.tensor("no_bias", np.zeros_like(parameters["bias"]))
    operands.append(graph("Unsqueeze", graph("Concat", in_order("bias", order, 0), second, axis=0), first))
    if steps:
        operands += [graph("Cast", steps.lengths, to="int32")]
    if state is not None or "peepholes" in arrays:
        operands += [""] * (not steps) + [states[0]] + states[1:] * (layer.states == 2)
    if "peepholes" in arrays:  # ours are those of i, f and o
        operands += [graph("Unsqueeze", in_order("peepholes", [0, 2, 1], 0), first)]
    y = graph(operator, graph("Transpose", x, perm=[1, 0, 2]), *operands, hidden_size=layer.out_features,
              direction="reverse" if layer.reverse else "forward", output=int(bool(steps and not layer.return_sequences)),
              **attributes)
    if steps and not layer.return_sequences:  # (1, batch, out), the state after the last step of each
        y = graph("Squeeze", y, graph.tensor("direction", [0], "int64"))
        if state is None:
            return y
        # ONNX Runtime gives zeros for a sequence without steps
        lengths = graph("Unsqueeze", steps.lengths, graph.integers("units", [1]))
        has_steps = graph("Greater", lengths, graph.integers("none", 0))
        return graph("Where", has_steps, y, part(graph, state, 0, 1, layer.out_features))
    y = graph("Squeeze", y, graph.tensor("direction", [1], "int64"))  # (steps, batch, out)
    if layer.return_sequences:
        return graph("Transpose", y, perm=[1, 0, 2])
    return graph("Gather", y, graph.tensor("last", 0 if layer.reverse else -1, "int64"), axis=0)


def first_axis(graph):
    return graph.tensor("first", [0], "int64")


def learned_state(graph, x, parameters):
    """Add the operators that give every sample the learned first state."""
    bounds = (graph.tensor(name, [number], "int64") for name, number in (("batch_begin", 0), ("batch_end", 1)))
    size = graph.tensor("state_size", [len(parameters["initial_state"])], "int64")
    shape = graph("Concat", graph("Slice", graph("Shape", x), *bounds), size, axis=0)
    return graph("Expand", graph.tensor("initial_state", parameters["initial_state"]), shape)


def by_steps(graph, x, layer, parameters, state):
    """Add the operators of each step."""
    steps, out = graph.shape[0], layer.out_features
    weight, recurrent, bias = (graph.tensor(name, parameters[name]) for name in ("weight", "recurrent_weight", "bias"))
    inputs = graph("Add", graph("MatMul", x, weight), bias)  # (batch, steps, gates · out)
    more = {name: graph.tensor(name, parameters[name]) for name in ("recurrent_bias", "peepholes") if name in parameters}
    cell = cell_of(layer)
    first = graph("Mul", graph("Slice", graph("Gather", inputs, graph.tensor("first", 0, "int64"), axis=1),
                               *(graph.tensor(name, [number], "int64") for name, number in
                                 (("begin", 0), ("end", out), ("axis", 1)))), 0.0)  # (batch, out), zeros
    h, c, found = first, first, []
    if state is not None:
        h, c = (part(graph, state, number % layer.states, 1, out) for number in range(2))
    for number, t in enumerate(reversed(range(steps)) if layer.reverse else range(steps)):
        with graph.within(f"{graph.prefix.rstrip('.')}.step{number}"):
            z = graph("Gather", inputs, graph.tensor("t", t, "int64"), axis=1)
            h, c = cell(graph, layer, z, h, c, recurrent, more)
        found.append(graph("Concat", h, c, axis=1) if layer.gives_cells else h)
    if not layer.return_sequences:
        return found[-1]
    rows = [graph("Unsqueeze", h, graph.tensor(f"axis_{number}", [1], "int64")) for number, h in enumerate(found)]
    return graph("Concat", *(reversed(rows) if layer.reverse else rows), axis=1)


def cell_of(layer):
    """Return the function that adds the operators of a step."""
    return {"simple_rnn": simple_step, "gru": gru_step, "gru_before": gru_step}.get(layer.cell, lstm_step)


def by_scan(graph, x, layer, parameters, state):
    """Add a loop over the steps of padded sequences, in which a state changes only where a sequence has a step."""
    axis, out, cell, states = graph.axes[0], layer.out_features, cell_of(layer), layer.states
    weight, recurrent, bias = (graph.tensor(name, parameters[name]) for name in ("weight", "recurrent_weight", "bias"))
    more = {name: graph.tensor(name, parameters[name]) for name in ("recurrent_bias", "peepholes") if name in parameters}
    inputs = graph("Add", graph("MatMul", x, weight), bias)  # (batch, steps, gates · out)
    if state is None:
        first = [graph("Expand", 0.0, graph("Concat", axis.batch, graph.integers("units", [out]), axis=0))] * states
    else:
        first = [part(graph, state, number, 1, out) for number in range(states)]

    def step(*given):
        *before, z, has_step = given
        has_step = graph("Unsqueeze", has_step, graph.integers("units", [1]))
        after = cell(graph, layer, z, before[0], before[-1], recurrent, more)[:states]
        after = [graph("Where", has_step, each, old) for each, old in zip(after, before, strict=True)]
        return *after, graph("Concat", *after, axis=1) if layer.gives_cells else after[0]

    with graph.within(f"{graph.prefix.rstrip('.')}.step"):
        names = [f"{graph.prefix}{name}" for name in (*("h", "c")[:states], "z", "has_step")]
        body = graph.body(step, names, [2] * (states + 1) + [1])
    *last, each = graph.scan(body, [*first, inputs, axis.mask], states, layer.reverse)
    if layer.return_sequences:
        return each
    return graph("Concat", *last, axis=1) if layer.gives_cells else last[0]


def part(graph, z, first, count, out, axis=1):
    """Return the columns of z that belong to `count` gates from gate number `first` on."""
    name = f"{first}_{count}_{len(graph.nodes)}"
    bounds = (("begin", first * out), ("end", (first + count) * out), ("axis", axis))
    return graph("Slice", z, *(graph.tensor(f"{kind}_{name}", [number], "int64") for kind, number in bounds))


def simple_step(graph, layer, z, h, c, recurrent, more):
    return graph.activation(layer.step_activation, graph("Add", z, graph("MatMul", h, recurrent))), c


def gru_step(graph, layer, x, h, c, recurrent, more):
    out = layer.out_features
    if layer.reset_after:
        product = graph("Add", graph("MatMul", h, recurrent), more["recurrent_bias"])
    else:
        product = graph("MatMul", h, part(graph, recurrent, 0, 2, out))
    gates = graph("Sigmoid", graph("Add", part(graph, x, 0, 2, out), part(graph, product, 0, 2, out)))
    z, r = part(graph, gates, 0, 1, out), part(graph, gates, 1, 1, out)
    if layer.reset_after:
        product = graph("Mul", r, part(graph, product, 2, 1, out))
    else:
        product = graph("MatMul", graph("Mul", r, h), part(graph, recurrent, 2, 1, out))
    n = graph("Tanh", graph("Add", part(graph, x, 2, 1, out), product))
    return graph("Add", n, graph("Mul", z, graph("Sub", h, n))), c


def lstm_step(graph, layer, x, h, c, recurrent, more):
    out = layer.out_features
    z = graph("Add", x, graph("MatMul", h, recurrent))
    i, f, g, o = (part(graph, z, number, 1, out) for number in range(4))
    if layer.peepholes:
        to_i, to_f, to_o = (part(graph, more["peepholes"], number, 1, out, axis=0) for number in range(3))
        i, f = graph("Add", i, graph("Mul", to_i, c)), graph("Add", f, graph("Mul", to_f, c))
    c = graph("Add", graph("Mul", graph("Sigmoid", f), c), graph("Mul", graph("Sigmoid", i), graph("Tanh", g)))
    if layer.peepholes:
        o = graph("Add", o, graph("Mul", to_o, c))
    return graph("Mul", graph("Sigmoid", o), graph("Tanh", c)), c
