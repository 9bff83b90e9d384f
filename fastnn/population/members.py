"""Checks that networks can be members of one population."""

import numpy as np

from ..network.network import Network
from ..samples.arrays import any_array


def check_members(networks):
    """Raise an error if networks cannot learn from the same data."""
    if not networks:
        raise ValueError("networks is empty; give at least one Network")
    for number, network in enumerate(networks):
        if not isinstance(network, Network):
            raise ValueError(f"networks[{number}] is {network!r}; it must be a Network")
        if any(head.kind == "label sequences" for head in network.heads):
            raise ValueError(f"networks[{number}] has outputs at each step and learns sequences of labels, loss 'ctc', "
                             "which members of a population do not; fit it by itself, with network.fit")
    if len(set(map(id, networks))) < len(networks):
        raise ValueError("one network is a member twice; make another of it, with Network.from_config(net.config(), seed=1)")
    first = networks[0]
    for number, network in enumerate(networks):
        if network.has_several or first.has_several:
            check_ends(number, network, first)
            continue
        if network.shapes[0] != first.shapes[0]:
            own, wanted = (shape[0] if len(shape) == 1 else shape for shape in (network.shapes[0], first.shapes[0]))
            raise ValueError(f"member {number} takes {own} inputs and member 0 takes {wanted}; all learn "
                             f"from one X: give it inputs={wanted}, or fit it in another population")
        if network.step_outputs != first.step_outputs:
            raise ValueError(f"member {number} and member 0 differ in whether they have outputs at each step; all learn one "
                             "y: fit it in another population")
        head, first_head = network.objective.head, first.objective.head
        if (type(head), head.outputs, head.positions) != (type(first_head), first_head.outputs, first_head.positions):
            raise ValueError(f"member {number} learns {head.description} and member 0 {first_head.description}; all learn "
                             "one y: give it a last layer and loss of the same kind, or fit it in another population")


def check_ends(number, network, first):
    """Raise an error if a network has other inputs or outputs than the first member, of which one has several."""
    if [*network.input_shapes.items()] != [*first.input_shapes.items()]:
        raise ValueError(f"member {number} has the inputs {network.input_shapes} and member 0 has {first.input_shapes}; all "
                         "learn from one X: give it inputs of these names and shapes in this order, or fit it in another "
                         "population")
    if network.graph.outputs != first.graph.outputs:
        raise ValueError(f"member {number} has the outputs {', '.join(network.graph.outputs)} and member 0 has "
                         f"{', '.join(first.graph.outputs)}; all learn one y: give it outputs of these names in this order, "
                         "or fit it in another population")
    both = zip(network.step_outputs, first.step_outputs, strict=True)
    for name, head, other, steps in zip(first.graph.outputs, network.heads, first.heads, both, strict=True):
        if len({*steps}) > 1:
            raise ValueError(f"output {name!r} of member {number} and that of member 0 differ in whether they have a row "
                             "for each step; all learn one y: fit it in another population")
        if (type(head), head.outputs, head.positions) != (type(other), other.outputs, other.positions):
            raise ValueError(f"output {name!r} of member {number} learns {head.description} and that of member 0 "
                             f"{other.description}; all learn one y: give it a last layer and loss of the same kind, or fit "
                             "it in another population")


def numbers_of(index, members):
    """Return the numbers of the members that a slice, a list of numbers or a boolean mask selects."""
    if isinstance(index, slice):
        return list(range(members))[index]
    array = any_array("the index of members", index)
    if array.dtype.kind == "b" and array.shape == (members,):
        return np.flatnonzero(array).tolist()
    if array.ndim != 1 or (array.dtype.kind not in "iu" and len(array) > 0):
        raise ValueError(f"the index of members is {index!r}; there are {members}: give a number, a slice, a list of "
                         "numbers, or a mask of one bool a member")
    return [range(members)[number] for number in array.astype(int).tolist()]
