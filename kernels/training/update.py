"""The optimizer as rows of the table. They come first, so the backward pass, from last row to first, ends with them."""

from ..compiling.jit import Kernel, call_at, floats, offset, view
from ..compiling.record import FLOATS, INTEGERS, NUMBERS, Pointer, Record
from ..compiling.share import share
from ..interpreter.table import Kind
from ..processor.subnormal import flush_subnormals, restore_subnormals

SCHEDULE = Record("schedule", "rates", "first")  # learning rates from step `first` on; address 0 without a schedule
PREPARE = Kind("prepare", "coefficients_kernel", step=INTEGERS, hyperparameters=FLOATS, coefficients=NUMBERS,
               schedule=Pointer(SCHEDULE))
UPDATE = Kind("update", "update", "start", "rows", "columns", "stride", state=NUMBERS, coefficients=NUMBERS)


def build_prepare(dtype):
    def prepare(row, call, part, parts):
        step, schedule = view(row.step, 0, 1), row.schedule
        step[0] += 1
        if schedule.rates != 0:
            learning_rate = view(row.hyperparameters, 0, 1)  # the first hyperparameter
            learning_rate[0] = view(floats(schedule.rates), step[0] - schedule.first, 1)[0]
        call_at(row.coefficients_kernel, (row.coefficients, row.hyperparameters, step[0]))

    return prepare


def build_update(dtype):
    def update(row, call, part, parts):
        # parameters, gradients and each slot of the state: (rows, columns) from element `start` of the flat vector
        begin, end = share(row.rows, part, parts, 1)
        start, size = row.start + begin * row.columns, (end - begin) * row.columns
        parameters, gradients = offset(call.parameters, start), offset(call.gradients, start)
        state = offset(row.state, start)
        before = flush_subnormals()
        call_at(row.update, (parameters, gradients, state, row.stride, row.coefficients, size))
        restore_subnormals(before)

    return update


prepare_kernel = Kernel("prepare_phase", build_prepare, PREPARE.arguments)
update_phase_kernel = Kernel("update_phase", build_update, UPDATE.arguments)


def prepare_row(dtype, optimizer, *, coefficients, hyperparameters, step, schedule):
    """Return the row that advances the step and computes the coefficients of its update; all operands are addresses."""
    return PREPARE.row({"backward_first": (prepare_kernel.address(dtype), 1)}, step=step, hyperparameters=hyperparameters,
                       schedule=schedule, coefficients=coefficients,
                       coefficients_kernel=optimizer.coefficients_kernel.address(dtype))


def update_row(dtype, optimizer, *, state, stride, coefficients, start, rows, columns, parts):
    """Return the row that updates a matrix of parameters (rows, columns) from element `start`; a part has whole rows.

    state and coefficients are addresses; stride is the distance between the optimizer's slots.
    """
    return UPDATE.row({"backward_third": (update_phase_kernel.address(dtype), parts)}, state=state, stride=stride,
                      update=optimizer.kernel.address(dtype), start=start, rows=rows, columns=columns,
                      coefficients=coefficients)
