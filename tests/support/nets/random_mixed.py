"""Random graphs of several inputs and outputs: a table beside a picture, a series of any length or both, with shared layers.

Tensors have any number of readers. Outputs are a class, values, a class at each step, a loss.
"""

import numpy as np
from random_graphs import JOINS, WIDTH, unsettled

from fastnn import (
    GRU,
    Activation,
    Add,
    Chain,
    Concatenate,
    Conv1D,
    Conv2D,
    Dense,
    Dot,
    Flatten,
    GlobalAveragePool,
    Input,
    LastStep,
    LayerNorm,
    Maximum,
    Multiply,
    Network,
    Residual,
    Shared,
)

SHAPES = {"table": (6,), "picture": (4, 4, 1), "series": (None, 3)}


def random_mixed(seed, dtype="float64", plain=False, **options):
    """Return a network. plain: with layers only that PyTorch's autograd is compared on."""
    rng = np.random.default_rng(1000 + seed)
    others = [["series"], ["picture"], ["series", "picture"], []][seed % 4]
    inputs = {name: Input(SHAPES[name], name=name) for name in rng.permutation(["table", *others]).tolist()}
    nodes = [Dense(WIDTH, "tanh")(inputs["table"]), inputs["table"][1:1 + WIDTH]]
    if "picture" in inputs:
        seen = inputs["picture"] if plain else Conv2D(2, 3, "tanh")(inputs["picture"])
        nodes.append(Dense(WIDTH, "silu")(Flatten()(seen)))
    shared, steps = Shared([Dense(WIDTH, "tanh"), LayerNorm()]), []
    if "series" in inputs:
        steps = random_steps(rng, inputs["series"], nodes, shared, plain)
        nodes += [LastStep()(steps[-1]), GlobalAveragePool()(steps[-2])]
    for _ in range(rng.integers(3, 7)):
        first, second = (nodes[k] for k in rng.integers(0, len(nodes), size=2))
        nodes.append(another(rng, first, second, shared))
    together = Dense(WIDTH, "tanh")(Concatenate()(nodes))
    kind = Dense(3, "softmax")(together)
    outputs = {"kind": kind, "value": Dense(2)(Concatenate()(together, kind) if rng.integers(2) else nodes[-1])}
    loss = {"kind": ("cross_entropy", 0.7), "value": "squared_error"}
    if steps:
        outputs["tag"], loss["tag"] = Dense(3, "softmax")(steps[rng.integers(len(steps))]), ("cross_entropy", 0.4)
    if rng.integers(2):
        outputs["far"], loss["far"] = Dot()(first - second, first - second), ("output", 0.1)
    names = rng.permutation([*outputs]).tolist()
    return unsettled(Network(inputs=[*inputs.values()], outputs={name: outputs[name] for name in names}, dtype=dtype,
                             loss={name: loss[name] for name in names}, seed=seed, **options))


def random_steps(rng, series, nodes, shared, plain):
    """Return nodes of WIDTH features at each step of a series."""
    steps = [Dense(WIDTH, "tanh")(series), Dense(WIDTH)(series)]
    for _ in range(rng.integers(3, 6)):
        first, second = (steps[k] for k in rng.integers(0, len(steps), size=2))
        steps.append(another_of_steps(rng, first, second, shared, nodes[rng.integers(len(nodes))], plain))
    return steps


def another(rng, first, second, shared):
    """Return a node of WIDTH features made of two others."""
    made = [
        lambda: Dense(WIDTH, "tanh", l2=0.1)(first), lambda: JOINS[rng.integers(len(JOINS))]()(first, second),
        lambda: shared(second), lambda: Residual(Dense(4, "tanh"), Dense(WIDTH))(first), lambda: first * second - first,
        lambda: Concatenate()(first[:2], second[2:4], Dot()(first, second)),
    ]
    return made[rng.integers(len(made))]()


def another_of_steps(rng, first, second, shared, state, plain):
    """Return a node of WIDTH features at each step made of two others; state: that of a sample."""
    made = [
        lambda: (Add, Multiply, Maximum)[rng.integers(3)]()(first, second), lambda: shared(first),
        lambda: GRU(WIDTH, return_sequences=True)(first), lambda: Dense(WIDTH, "sigmoid")(first),
        lambda: GRU(WIDTH, return_sequences=True)(second, initial_state=state),
        lambda: Conv1D(WIDTH, 3, "tanh", padding="causal")(first),
        lambda: Chain(LayerNorm(), Activation("tanh"))(second),
    ]
    return made[rng.integers(5 if plain else len(made))]()


def data(net, samples, seed=3):
    """Return X and y by name, lists for series."""
    rng = np.random.default_rng(seed)
    lengths, made = rng.integers(1, 7, size=samples), {}
    for name in net.input_shapes:
        shape = SHAPES[name]
        made[name] = ([rng.normal(size=(n, *shape[1:])) for n in lengths] if shape[0] is None
                      else rng.normal(size=(samples, *shape)))
    y = {"kind": rng.integers(3, size=samples), "value": rng.normal(size=(samples, 2)),
         "tag": [rng.integers(3, size=n) for n in lengths]}
    return made, {name: values for name, values in y.items() if name in net.output_shapes}


def rows(X, chosen):
    """Return some samples, by their numbers."""
    return {name: [values[k] for k in chosen] if isinstance(values, list) else values[chosen] for name, values in X.items()}
