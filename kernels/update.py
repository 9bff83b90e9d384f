"""The optimizer as rows of the table: they stand first, so the backward pass, walking up, comes to them last."""

from .jit import Kernel, call, offset, pointer_to, view
from .subnormal import flush_subnormals, restore_subnormals
from .table import BACKWARD_OUTPUT, BACKWARD_WEIGHT, OPERANDS, make_row, phase_arguments, share

STEP, PREPARE, HYPERPARAMETERS, SCHEDULE = range(OPERANDS, OPERANDS + 4)  # of the row that advances the step
STATE, STRIDE, UPDATE, START, ROWS, COLUMNS = range(OPERANDS, OPERANDS + 6)  # of the rows that update parameters
COEFFICIENTS = OPERANDS + 6  # of both


def build_prepare(dtype):
    def prepare(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        step = view(pointer_to(row[STEP], row), 0, 1)
        step[0] += 1
        schedule = view(pointer_to(row[SCHEDULE], row), 0, 2)
        if schedule[0] != 0:  # the learning rate, the first hyperparameter, has a schedule
            rate = view(pointer_to(schedule[0], results), step[0] - schedule[1], 1)[0]
            view(pointer_to(row[HYPERPARAMETERS], results), 0, 1)[0] = rate
        call(row[PREPARE], (pointer_to(row[COEFFICIENTS], arena), pointer_to(row[HYPERPARAMETERS], results), step[0]))

    return prepare


def build_update(dtype):
    def update(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        begin, end = share(row[ROWS], part, parts, 1)
        start = row[START] + begin * row[COLUMNS]
        before = flush_subnormals()
        call(row[UPDATE], (offset(parameters, start), offset(gradients, start),
                           offset(pointer_to(row[STATE], arena), start), row[STRIDE],
                           pointer_to(row[COEFFICIENTS], arena), (end - begin) * row[COLUMNS]))
        restore_subnormals(before)

    return update


prepare_kernel = Kernel("prepare_phase", build_prepare, phase_arguments)
update_phase_kernel = Kernel("update_phase", build_update, phase_arguments)


def prepare_row(dtype, optimizer, *, coefficients, hyperparameters, step, schedule):
    """The row that advances the step and works out the coefficients of its update; all operands are addresses.

    schedule: that of two whole numbers, the address of the learning rates of the steps to come (0: there is no schedule) and
    the step that the first of them is for.
    """
    return make_row({BACKWARD_OUTPUT: (prepare_kernel.address(dtype), 1)},
                    {STEP: step, HYPERPARAMETERS: hyperparameters, SCHEDULE: schedule, COEFFICIENTS: coefficients,
                     PREPARE: optimizer.coefficients_kernel.address(dtype)})


def update_row(dtype, optimizer, *, state, stride, coefficients, start, rows, columns, parts):
    """The row that updates the parameters from number `start` on, a matrix (rows, columns), of which a part has whole rows.

    state and coefficients are addresses; stride is how far apart the optimizer's slots lie.
    """
    return make_row({BACKWARD_WEIGHT: (update_phase_kernel.address(dtype), parts)},
                    {STATE: state, STRIDE: stride, UPDATE: optimizer.kernel.address(dtype), START: start, ROWS: rows,
                     COLUMNS: columns, COEFFICIENTS: coefficients})
