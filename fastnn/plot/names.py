"""What pictures call the layers of a network."""


def layer_name(net, index):
    """What a layer is called in pictures: its index, its type, and its activation if it has one."""
    layer = net.layers[index]
    return f"{index}  {type(layer).__name__}{'' if layer.activation == 'identity' else ' ' + layer.activation}"


def layer_index(net, layer):
    """`layer` as an index from 0; from the last backwards where it is negative, as in a list."""
    count = len(net.layers)
    if isinstance(layer, bool) or not isinstance(layer, int) or not -count <= layer < count:
        raise ValueError(f"layer is {layer!r}; this network has the layers 0 to {count - 1}")
    return layer % count
