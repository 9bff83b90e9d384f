"""The operands that recurrent layers share, and how their gates lie in memory.

A packed row has `blocks` blocks of `out_features` numbers. The first `gates` of them hold the part of the gates that comes
from the inputs, in an order that suits the products; the weights in memory are in Keras' order. During the forward phase the
gates are replaced by their activations, during the backward phase these by their gradients.
"""

from dataclasses import dataclass

from ...interpreter.table import Kind

RECURRENCE = Kind(
    "recurrence",
    "x", "a", "da", "dx",  # in the arena: the inputs and outputs by steps, or by sequences, and their gradients
    "initial", "dinitial",  # also: the states before the first steps, by sequences; used if has_initial
    "order", "capacity",  # the order of the sequences, and the largest number of them
    "packed_x", "gates", "states", "cells",  # packed rows; states and cells before the step
    "states_read",  # packed rows: the states that the recurrent product reads, with dropout; otherwise they are `states`
    "carry", "carry_cells", "carry_x", "carry_read",  # by sorted sequences: what a step hands on
    "input_mask", "state_mask",  # by sequences: what dropout multiplies inputs and states by, see `held_mask`
    "weight_in", "weight_out", "weight_in_t", "weight_out_t",  # packed weights and their transposes
    "shift",  # the part of the gates that does not depend on the sequences
    "weight", "recurrent_weight", "bias", "recurrent_bias", "peepholes",  # among the parameters
    "in_features", "out_features", "a_row",  # a_row: the distance between rows of a and of da in numbers
    "has_initial", "sequences", "backwards", "adds", "wants_dx", "drops_inputs", "drops_states",
    "last", "keeps_last",  # in the arena: the states after the last steps, by sequences, if they are wanted
    "to_initial",  # what becomes of dinitial: nothing, written or added to, as in `joins.add`
    "gives_cells",  # whether a row of a and da holds the cells behind the states
    # the packed rows that there is memory for: batches of so many steps keep all of theirs, for the backward phase and for
    # one product of the inputs of many steps; in larger ones the rows of a step replace those before
    "kept",
    "activation", "activation_backward",  # addresses of kernels, of a SimpleRNN
)


@dataclass(frozen=True)
class Layout:
    """How a cell lays out a packed row.

    Attributes
    ----------
    blocks : int
    gates : int
        The number of blocks of the weights.
    inputs : tuple
        For adjacent gates (first block of the row, first block of the weight, number of blocks).
    recurrent : tuple
        The same for the recurrent weight; each item is a product of its own in a step.
    cells : bool
        Whether the cell has a second state.
    direct : bool
        Whether the state after a step depends on the one before by more than the recurrent product.
    """

    blocks: int
    gates: int
    inputs: tuple
    recurrent: tuple
    cells: bool = False
    direct: bool = False
