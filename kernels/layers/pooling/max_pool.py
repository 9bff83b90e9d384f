"""The maximum over windows, for each channel: a = max of the taps within the data.

NaN counts as larger than any number, and the last NaN of a window is its maximum. Of equal numbers the first in C order is
the maximum, and da goes to it alone. In training the forward phase stores the position of each maximum, the number of its
tap among those within the data. To find it again from x and a would take two and a half times as long in the backward pass
(32 images of 32×32×64: 423 µs instead of 167).
"""

from functools import partial

from ...compiling.jit import Kernel
from .base import POOL, build_forward, pool_kernels, pool_row


def emit_largest(emitter, builder, rows, columns, a, kept, x, divisor, windows, step, channels, row_step, column_step, *,
                 keep=False):
    """a = the maximum over the taps of each window; with `keep`, kept = its position."""

    def at_window(emitter, window, k, mask):
        one = emitter.constant(1.0)
        first = builder.gep(x, [builder.add(builder.mul(window, step), k)])
        out = builder.add(builder.mul(window, channels), k)
        best = emitter.variable(builder, emitter.load(builder, first, mask))
        tap, place = emitter.variable(builder, emitter.zero), emitter.variable(builder, emitter.zero)
        with emitter.each_tap(builder, rows, columns, row_step, column_step) as (_, there):
            value, so_far = emitter.load(builder, builder.gep(first, [there]), mask), builder.load(best)
            larger = builder.or_(builder.fcmp_ordered(">", value, so_far), builder.fcmp_unordered("uno", value, value))
            builder.store(builder.select(larger, value, so_far), best)
            if keep:
                builder.store(builder.select(larger, builder.load(tap), builder.load(place)), place)
                builder.store(builder.fadd(builder.load(tap), one), tap)
        emitter.store(builder, builder.load(best), builder.gep(a, [out]), mask)
        if keep:
            emitter.store(builder, builder.load(place), builder.gep(kept, [out]), mask)

    emitter.each_vector(builder, windows, channels, at_window)


def emit_to_largest(add):
    """Return the function that emits dx = da at the stored position of each window, 0 at its other taps."""

    def emit(emitter, builder, rows, columns, dx, da, kept, divisor, windows, step, channels, row_step, column_step, own,
             past):
        def at_window(emitter, window, k, mask):
            one = emitter.constant(1.0)
            first = builder.gep(dx, [builder.add(builder.mul(window, step), k)])
            out = builder.add(builder.mul(window, channels), k)
            given = emitter.load(builder, builder.gep(da, [out]), mask)
            place = emitter.load(builder, builder.gep(kept, [out]), mask)
            tap = emitter.variable(builder, emitter.zero)
            with emitter.each_tap(builder, rows, columns, row_step, column_step) as (row, there):
                to_it = builder.select(builder.fcmp_ordered("==", place, builder.load(tap)), given, emitter.zero)
                builder.store(builder.fadd(builder.load(tap), one), tap)
                target = builder.gep(first, [there])
                if add:
                    emitter.add_between(builder, own, row, past, target, to_it, mask)
                else:
                    emitter.store(builder, to_it, target, mask)

        emitter.each_vector(builder, windows, channels, at_window)

    return emit


max_pool_forward, max_pool_backward = pool_kernels("max_pool", emit_largest, emit_to_largest)
max_pool_forward_keeping = Kernel("max_pool_forward_keeping",
                                  partial(build_forward, emit=partial(emit_largest, keep=True)), POOL.arguments)


def max_pool_row(dtype, parts, rows, columns, channels, *, x=0, a=0, kept=0, da=0, dx=None):
    """Return the row of a maximum over windows. dx: None if not needed; kept: positions, as many numbers as a, for dx."""
    phases = {"forward": (max_pool_forward.address(dtype), parts)}
    if dx is not None:
        phases = {"forward": (max_pool_forward_keeping.address(dtype), parts),
                  "backward_first": (max_pool_backward.address(dtype), parts)}
    return pool_row(phases, rows, columns, channels, x=x, a=a, kept=kept, da=da, dx=dx)
