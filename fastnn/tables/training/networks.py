"""The network of a member, in training and afterwards.

For a target with one loss both are a chain of layers. For one with several, such as quantiles or several columns, a network
in training is a graph whose outputs are parts of the last layer, each with a loss of its own. Afterwards it is a chain
again, with the same parameters.
"""

import copy

from ...layers import Activation, Dense, Input
from ...network.network import Network


def new_network(layers, target, inputs, seed):
    """Return an untrained network with these hidden layers for the heads of a target."""
    heads = target.heads
    if len(heads) == 1:
        head = heads[0]
        return Network([*layers, Dense(head.outputs, head.activation)], inputs=inputs, loss=head.loss, seed=seed)
    node = first = Input(inputs, name="columns")
    for layer in [*layers, Dense(target.outputs)]:
        node = copy.deepcopy(layer)(node)  # a layer that is called twice would share its parameters
    outputs, start = {}, 0
    for number, head in enumerate(heads):
        part = node[start:start + head.outputs]
        outputs[f"part{number}"] = part if head.activation == "identity" else Activation(head.activation)(part)
        start += head.outputs
    losses = dict(zip(outputs, (head.loss for head in heads), strict=True))
    return Network(inputs=first, outputs=outputs, loss=losses, seed=seed)


def targets_of(target, encoded):
    """Return what `Network.fit` takes as y, for a network of `new_network`."""
    learned = target.learned(encoded)
    return learned[0] if len(learned) == 1 else {f"part{number}": each for number, each in enumerate(learned)}


def target_rows(encoded, rows):
    """Return some rows of an encoded target: of an array, or of each of a list of them."""
    return [each[rows] for each in encoded] if isinstance(encoded, list) else encoded[rows]


def as_chain(network, layers, target):
    """Return a trained network as a chain whose last activation is that of the target."""
    if len(target.heads) == 1 and target.heads[0].activation == target.activation:
        return network
    chain = Network([*layers, Dense(target.outputs, target.activation)], inputs=network.inputs)
    for kind in ("parameters", "state"):
        for own, array in zip(getattr(chain, kind).values(), getattr(network, kind).values(), strict=True):
            own[...] = array
    return chain
