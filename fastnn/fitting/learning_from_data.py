"""The state that layers such as `Normalize` compute from the data before the first training."""

from ..layers import seen_by
from ..samples.sequences import Sequences


def learn_from_data(network, data):
    """Compute from X the state of layers that have not computed it yet."""
    for index, layer in enumerate(network.layers):
        if not layer.learns_from_data:
            continue
        shape = seen_by(layer, network.shapes[index])
        state = {name: network.state[f"{index}.{name}"] for name in layer.state_shapes(shape)}
        if state["samples"][0] == 0 and not all(before.is_view for before in network.layers[:index]):
            raise ValueError(f"layers[{index}], {layer!r}, learns from X, so it must be the first layer, possibly after "
                             "Flatten and Reshape; between other layers use BatchNorm()")
        X = data.X if data.rows is None else data.X[data.rows]
        layer.learn(state, X.steps if isinstance(X, Sequences) else X, shape)
