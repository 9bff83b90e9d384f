"""The optimizer as a row of the table: it stands first, so the backward pass, walking up, comes to it last."""

from .jit import Kernel, call, offset, pointer_to, view
from .table import BACKWARD_OUTPUT, BACKWARD_WEIGHT, OPERANDS, make_row, phase_arguments, share

STATE, STRIDE, COEFFICIENTS, HYPERPARAMETERS, STEP, SIZE, PREPARE, UPDATE = range(OPERANDS, OPERANDS + 8)
GRAIN = 64  # numbers: whole cache lines a thread


def build_prepare(dtype):
    def prepare(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        step = view(pointer_to(row[STEP], row), 0, 1)
        step[0] += 1
        call(row[PREPARE], (pointer_to(row[COEFFICIENTS], arena), pointer_to(row[HYPERPARAMETERS], results), step[0]))

    return prepare


def build_update(dtype):
    def update(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        begin, end = share(row[SIZE], part, parts, GRAIN)
        state, coefficients = pointer_to(row[STATE], arena), pointer_to(row[COEFFICIENTS], arena)
        call(row[UPDATE], (offset(parameters, begin), offset(gradients, begin), offset(state, begin), row[STRIDE],
                           coefficients, end - begin))

    return update


prepare_kernel = Kernel("prepare_phase", build_prepare, phase_arguments)
update_phase_kernel = Kernel("update_phase", build_update, phase_arguments)


def update_row(dtype, parts, optimizer, *, state, stride, coefficients, hyperparameters, step, size):
    """The row that advances the step and updates the parameters; all but stride and size are addresses."""
    return make_row(
        {BACKWARD_OUTPUT: (prepare_kernel.address(dtype), 1), BACKWARD_WEIGHT: (update_phase_kernel.address(dtype), parts)},
        {STATE: state, STRIDE: stride, COEFFICIENTS: coefficients, HYPERPARAMETERS: hyperparameters, STEP: step, SIZE: size,
         PREPARE: optimizer.coefficients_kernel.address(dtype), UPDATE: optimizer.kernel.address(dtype)},
    )
