"""The state that layers such as `Normalize` compute from the data before the first training."""


def learn_from_data(network, data):
    """Compute from X the state of layers that have not computed it yet."""
    for index, layer in enumerate(network.layers):
        if not layer.learns_from_data:
            continue
        state = {name: network.state[f"{index}.{name}"] for name in layer.state_shapes(network.shapes[index])}
        if state["samples"][0] == 0 and not all(before.is_view for before in network.layers[:index]):
            raise ValueError(f"layers[{index}], {layer!r}, learns from X, so it must be the first layer, possibly after "
                             "Flatten and Reshape; between other layers use BatchNorm()")
        layer.learn(state, data.X if data.rows is None else data.X[data.rows], network.shapes[index])
