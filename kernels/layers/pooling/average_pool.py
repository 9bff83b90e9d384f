"""The mean over windows, for each channel: a = Σ / number of the taps within the data.

With `counts_padding`, the divisor is the number of taps within the data and its padding.
"""

from .base import pool_kernels, pool_row


def emit_mean(emitter, builder, rows, columns, a, kept, x, divisor, windows, step, channels, row_step, column_step):
    """a = Σ / divisor over the taps of each window."""

    def at_window(emitter, window, k, mask):
        by = emitter.splat(builder, divisor, emitter.vector)
        first = builder.gep(x, [builder.add(builder.mul(window, step), k)])
        total = emitter.variable(builder, emitter.zero)
        with emitter.each_tap(builder, rows, columns, row_step, column_step) as (_, there):
            value = emitter.load(builder, builder.gep(first, [there]), mask)
            builder.store(builder.fadd(builder.load(total), value), total)
        out = builder.gep(a, [builder.add(builder.mul(window, channels), k)])
        emitter.store(builder, builder.fdiv(builder.load(total), by), out, mask)

    emitter.each_vector(builder, windows, channels, at_window)


def emit_shares(add):
    """Return the function that emits dx = da / divisor at each tap of the windows."""

    def emit(emitter, builder, rows, columns, dx, da, kept, divisor, windows, step, channels, row_step, column_step, own,
             past):
        def at_window(emitter, window, k, mask):
            by = emitter.splat(builder, divisor, emitter.vector)
            first = builder.gep(dx, [builder.add(builder.mul(window, step), k)])
            given = emitter.load(builder, builder.gep(da, [builder.add(builder.mul(window, channels), k)]), mask)
            share = builder.fdiv(given, by)
            with emitter.each_tap(builder, rows, columns, row_step, column_step) as (row, there):
                target = builder.gep(first, [there])
                if add:
                    emitter.add_between(builder, own, row, past, target, share, mask)
                else:
                    emitter.store(builder, share, target, mask)

        emitter.each_vector(builder, windows, channels, at_window)

    return emit


average_pool_forward, average_pool_backward = pool_kernels("average_pool", emit_mean, emit_shares)


def average_pool_row(dtype, parts, rows, columns, channels, *, x=0, a=0, da=0, dx=None, counts_padding=False):
    """Return the row of a mean over windows. dx: None if that gradient is not needed."""
    phases = {"forward": (average_pool_forward.address(dtype), parts)}
    if dx is not None:
        phases["backward_first"] = average_pool_backward.address(dtype), parts
    return pool_row(phases, rows, columns, channels, x=x, a=a, da=da, dx=dx, counts_padding=counts_padding)
