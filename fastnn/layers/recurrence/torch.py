"""The tensors of PyTorch's RNN, GRU and LSTM: one module holds several layers, whose gates are in another order.

The number of gates tells the three apart.
"""

import re

import numpy as np

from .gru import GRU
from .lstm import LSTM
from .simple_rnn import SimpleRNN

# the tensors of RNN, GRU and LSTM: of the inputs or the states, of the layer by its number, maybe of the way back
RECURRENT = re.compile(r"(weight|bias)_(ih|hh)_l(\d+)(_reverse)?")
# of each kind, for each of our gates the number of PyTorch's
RECURRENT_LAYERS = {SimpleRNN: [0], GRU: [1, 0, 2], LSTM: [0, 1, 2, 3]}


def is_recurrent(leaves):
    """Return whether tensors of these names are those of a recurrent layer."""
    return any(RECURRENT.fullmatch(leaf) for leaf in leaves)


def recurrent_layers(name, held):
    """Return (name, layer type, parameters by our names) for each layer of an RNN, GRU or LSTM with these tensors."""
    matches = {leaf: RECURRENT.fullmatch(leaf) for leaf in held}
    if wrong := sorted(leaf for leaf, match in matches.items() if match is None):
        raise ValueError(f"{name!r} holds {', '.join(wrong)}; of an RNN, GRU or LSTM, only those without a projection can "
                         "be loaded")
    made, ways = [], ["", "_reverse"] if any(match[4] for match in matches.values()) else [""]
    layers = 1 + max(int(match[3]) for match in matches.values())
    for end in (f"_l{number}{way}" for number in range(layers) for way in ways):
        label = f"{name or 'layer'}.{end[1:]}"
        weights = [held.get(f"weight_{of}{end}") for of in ("ih", "hh")]
        columns = next((len(weight) for weight in weights if weight is not None and weight.ndim == 2), 0)
        out = 0 if weights[1] is None or weights[1].ndim != 2 else weights[1].shape[1]
        kind = {gates * out: kind for kind, gates in ((SimpleRNN, 1), (GRU, 3), (LSTM, 4))}.get(columns) if out else None
        biases = [held.get(f"bias_{of}{end}", np.zeros(columns, weights[0].dtype if columns else float))
                  for of in ("ih", "hh")]
        if kind is None or [array.shape for array in (weights[1], *biases)] != [(columns, out), (columns,), (columns,)] or \
                weights[0] is None or weights[0].shape[:-1] != (columns,):
            raise ValueError(f"{label!r} must hold weight_ih{end} (gates · out, in), weight_hh{end} (gates · out, out) and "
                             "two biases (gates · out,), with 1, 3 or 4 gates")

        def ours(array, order=RECURRENT_LAYERS[kind]):
            parts = array.reshape(len(order), -1, *array.shape[1:])[order]
            return np.ascontiguousarray(parts.reshape(array.shape).T)

        arrays = {"weight": ours(weights[0]), "recurrent_weight": ours(weights[1])}
        if kind is GRU:  # the bias of the recurrent product is multiplied by the reset gate
            arrays |= {"bias": ours(biases[0]), "recurrent_bias": ours(biases[1])}
        else:
            arrays["bias"] = ours(biases[0]) + ours(biases[1])
        made.append((label, kind, arrays))
    return made


def is_chain_of_directions(wiring):
    """Return whether each layer reads what the one before gives, except the pairs of `Bidirectional`."""
    now, number = 0, 0
    while number < len(wiring.steps):
        tensor, following = wiring.inputs + number, wiring.steps[number + 1:number + 3]
        if wiring.inputs != 1 or wiring.steps[number].reads != (now,):
            return False
        if len(following) == 2 and following[0].reads == (now,):
            if following[1].reads != (tensor, tensor + 1) or not isinstance(following[0].layer, tuple(RECURRENT_LAYERS)):
                return False
            number += 2
        now, number = wiring.inputs + number, number + 1
    return wiring.outputs == (now,)


def check_directions(network, takers, given):
    """Refuse layers of a state dict of one direction for those of both directions, and the other way round.

    takers: the numbers of the network's layers that get the parameters of `given`, each with a name.
    """
    steps = {step.index: step for step in network.wiring.steps}
    pairs = zip(takers, takers[1:], given, given[1:], strict=False)
    for one, other, first, second in pairs:
        if first.kind not in RECURRENT_LAYERS or second.kind not in RECURRENT_LAYERS:
            continue
        beside = steps[one].reads == steps[other].reads
        both = second.name.endswith("_reverse")
        if beside != both:
            here = f"layer {other} {'is beside' if beside else 'reads what comes from'} layer {one}"
            raise ValueError(f"{second.name} is {'of the other direction than' if both else 'behind'} {first.name}, and "
                             f"here {here}; the layers must be the same, with Bidirectional for both directions")
        if both and (network.layers[one].reverse or not network.layers[other].reverse):
            raise ValueError(f"{first.name} runs to the last step and {second.name} to the first; layers {one} and {other} "
                             "must do the same, as Bidirectional has them")
