"""The optimizer as rows of the table. They come first, so the backward pass, from last row to first, ends with them."""

from ..compiling.jit import Kernel, call_at, floats, integer, offset, view
from ..compiling.record import FLOATS, INTEGERS, NUMBERS, Pointer, Record
from ..compiling.share import share
from ..interpreter.table import Kind
from ..processor.subnormal import flush_subnormals, restore_subnormals

SCHEDULE = Record("schedule", "rates", "first")  # learning rates from step `first` on; address 0 without a schedule
PREPARE = Kind("prepare", "coefficients_kernel", step=INTEGERS, hyperparameters=FLOATS, coefficients=NUMBERS,
               schedule=Pointer(SCHEDULE))
# used: address of the numbers of the rows to update, after their count; or 0 for all rows.
UPDATE = Kind("update", "update", "start", "rows", "columns", "stride", "used", state=NUMBERS, coefficients=NUMBERS)


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


def build_update_used(dtype):
    def update_used(row, call, part, parts):
        count = integer(row.used, 0)
        begin, end = share(count, part, parts, 1)
        before = flush_subnormals()
        for k in range(begin, end):
            start = row.start + integer(row.used, 1 + k) * row.columns
            parameters, gradients = offset(call.parameters, start), offset(call.gradients, start)
            call_at(row.update, (parameters, gradients, offset(row.state, start), row.stride, row.coefficients, row.columns))
        restore_subnormals(before)

    return update_used


prepare_kernel = Kernel("prepare_phase", build_prepare, PREPARE.arguments)
update_phase_kernel = Kernel("update_phase", build_update, UPDATE.arguments)
update_used_kernel = Kernel("update_used", build_update_used, UPDATE.arguments)


def prepare_row(dtype, optimizer, *, coefficients, hyperparameters, step, schedule):
    """Return the row that advances the step and computes the coefficients of its update; all operands are addresses."""
    return PREPARE.row({"backward_first": (prepare_kernel.address(dtype), 1)}, step=step, hyperparameters=hyperparameters,
                       schedule=schedule, coefficients=coefficients,
                       coefficients_kernel=optimizer.coefficients_kernel.address(dtype))


def update_row(dtype, optimizer, *, state, stride, coefficients, start, rows, columns, parts, used=0):
    """Return the row that updates a matrix of parameters (rows, columns) from element `start`; a part has whole rows.

    state and coefficients are addresses; stride is the distance between the optimizer's slots. used: address of a list of
    the rows to update, see `Kind`, or 0 for all.
    """
    kernel = update_used_kernel if used else update_phase_kernel
    return UPDATE.row({"backward_third": (kernel.address(dtype), parts)}, state=state, stride=stride,
                      update=optimizer.kernel.address(dtype), start=start, rows=rows, columns=columns,
                      coefficients=coefficients, used=used)
