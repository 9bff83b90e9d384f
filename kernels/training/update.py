"""The optimizer as rows of the table. They come first, so the backward pass, from last row to first, ends with them."""

from ..compiling.jit import Kernel, call_at, floats, integer, offset, view
from ..compiling.record import FLOAT, FLOATS, INTEGERS, NUMBERS, Pointer, Record
from ..compiling.share import share
from ..interpreter.table import Kind
from ..processor.subnormal import flush_subnormals, restore_subnormals

SCHEDULE = Record("schedule", "rates", "first")  # learning rates from step `first` on; address 0 without a schedule
PREPARE = Kind("prepare", "coefficients_kernel", step=INTEGERS, hyperparameters=FLOATS, coefficients=NUMBERS,
               schedule=Pointer(SCHEDULE))
# Parameters with a learning rate and a decay of their own: those of the optimizer, `count` hyperparameters at `source`, are
# copied and changed. decay: which is the decay; -1 for none that changes.
PREPARE_GROUP = Kind("prepare_group", "coefficients_kernel", "count", "decay", step=INTEGERS, source=FLOATS,
                     hyperparameters=FLOATS, coefficients=NUMBERS, factor=FLOAT, decay_value=FLOAT)
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


def build_prepare_group(dtype):
    def prepare_group(row, call, part, parts):
        """The row stands before that of the optimizer, so it runs after it has advanced the step and read a schedule."""
        own, step = view(row.hyperparameters, 0, row.count), view(row.step, 0, 1)
        own[:] = view(row.source, 0, row.count)
        own[0] *= row.factor
        if row.decay >= 0:
            own[row.decay] = row.decay_value
        call_at(row.coefficients_kernel, (row.coefficients, row.hyperparameters, step[0]))

    return prepare_group


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
prepare_group_kernel = Kernel("prepare_group", build_prepare_group, PREPARE_GROUP.arguments)
update_phase_kernel = Kernel("update_phase", build_update, UPDATE.arguments)
update_used_kernel = Kernel("update_used", build_update_used, UPDATE.arguments)


def prepare_row(dtype, optimizer, *, coefficients, hyperparameters, step, schedule):
    """Return the row that advances the step and computes the coefficients of its update; all operands are addresses."""
    return PREPARE.row({"backward_first": (prepare_kernel.address(dtype), 1)}, step=step, hyperparameters=hyperparameters,
                       schedule=schedule, coefficients=coefficients,
                       coefficients_kernel=optimizer.coefficients_kernel.address(dtype))


def prepare_group_row(dtype, optimizer, *, source, hyperparameters, step, coefficients, factor, decay):
    """Return the row that computes the coefficients of a group of parameters. decay: None for that of the optimizer."""
    names = optimizer.hyperparameter_names()
    return PREPARE_GROUP.row({"backward_first": (prepare_group_kernel.address(dtype), 1)}, step=step, source=source,
                             hyperparameters=hyperparameters, coefficients=coefficients, count=len(names), factor=factor,
                             decay=-1 if decay is None else names.index("weight_decay"), decay_value=decay or 0.0,
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
