"""The state that layers such as `Normalize` compute from the data before the first training."""

from ..samples.scale import scale_of
from ..samples.series.sequences import Sequences


def learn_from_data(network, data):
    """Compute from X the state of layers that have not computed it yet, and remember the kind of its numbers."""
    network.fitted_on = scale_of(network, data.X)
    if data.class_names is not None:
        network.class_names = data.class_names
    wiring = network.wiring
    for step in wiring.steps:
        layer, index = step.layer, step.index
        if not layer.learns_from_data:
            continue
        shape = network.graph.taken[index]
        state = {name: network.vectors.state.numbered[f"{index}.{name}"] for name in layer.state_shapes(shape)}
        tensor, = step.reads
        while tensor >= wiring.inputs and wiring.steps[tensor - wiring.inputs].layer.is_view:
            tensor, = wiring.steps[tensor - wiring.inputs].reads
        if state["samples"][0] == 0 and tensor >= wiring.inputs:
            raise ValueError(f"layer {network.graph.names[index]}, {layer!r}, learns from X, so it must be the first layer, "
                             "possibly after Flatten and Reshape; between other layers use BatchNorm()")
        X = data.X if data.rows is None else data.X[data.rows]
        X = X.arrays[tensor] if network.has_several else X
        layer.learn(state, X.steps if isinstance(X, Sequences) else X, shape)
