"""Max pools of adjacent 2×2 windows that keep the position of each maximum as a byte: 0 and 1 above, 2 and 3 below.

NaN counts as larger than any number, and the last NaN of a window is its maximum. Of equal numbers the first in C order is
the maximum.
"""

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ...processor.vector import OctetEmitter, i8, i64
from .window_vectors import WindowEmitter


class FoursEmitter(WindowEmitter, OctetEmitter):
    """Emits operations on the maxima of windows and their positions."""

    def places(self, builder, x, window, k, channels, line):
        """The addresses of channel k at the four places of a window."""
        first = builder.gep(x, [builder.add(builder.mul(builder.mul(window, i64(2)), channels), k)])
        below = builder.gep(first, [line])
        return first, builder.gep(first, [channels]), below, builder.gep(below, [channels])

    def larger(self, builder, value, so_far):
        return builder.or_(builder.fcmp_ordered(">", value, so_far), builder.fcmp_unordered("uno", value, value))


def largest_of_fours(dtype, keep):
    """The intrinsic largest((a, kept, x, windows, channels, line)): a = the maxima of a line of windows.

    a, kept, x: addresses; kept: of bytes, written with `keep`. line: the distance between lines of x.
    """

    @intrinsic
    def largest(typingctx, arguments):
        def codegen(context, builder, signature, args):
            emitter = FoursEmitter(builder.module, dtype)
            a, kept, x, windows, channels, line = cgutils.unpack_tuple(builder, args[0])
            a, x = (builder.inttoptr(place, emitter.scalar.as_pointer()) for place in (a, x))
            kept = builder.inttoptr(kept, i8.as_pointer())

            def at_window(emitter, window, k, mask):
                four = [emitter.load(builder, place, mask)
                        for place in emitter.places(builder, x, window, k, channels, line)]
                found = []
                for left, right in (four[:2], four[2:]):
                    larger = emitter.larger(builder, right, left)
                    found.append((builder.select(larger, right, left), larger))
                (top, above), (bottom, beneath) = found
                lower = emitter.larger(builder, bottom, top)
                out = builder.add(builder.mul(window, channels), k)
                emitter.store(builder, builder.select(lower, bottom, top), builder.gep(a, [out]), mask)
                if keep:
                    places = [builder.select(right, emitter.octet(1 + of), emitter.octet(of))
                              for right, of in ((above, 0), (beneath, 2))]
                    emitter.store_octets(builder, builder.select(lower, places[1], places[0]), builder.gep(kept, [out]),
                                         mask)

            emitter.each_vector(builder, windows, channels, at_window)
            return context.get_dummy_value()

        return types.void(types.UniTuple(types.intp, 6)), codegen

    return largest


def spread_of_fours(dtype):
    """The intrinsic spread((dx, dz, kept, windows, channels, line)): dx = dz at the kept positions, 0 elsewhere.

    dx, dz, kept: addresses, of a line of windows. line: the distance between lines of dx.
    """

    @intrinsic
    def spread(typingctx, arguments):
        def codegen(context, builder, signature, args):
            emitter = FoursEmitter(builder.module, dtype)
            dx, dz, kept, windows, channels, line = cgutils.unpack_tuple(builder, args[0])
            dx, dz = (builder.inttoptr(place, emitter.scalar.as_pointer()) for place in (dx, dz))
            kept = builder.inttoptr(kept, i8.as_pointer())

            def at_window(emitter, window, k, mask):
                out = builder.add(builder.mul(window, channels), k)
                given = emitter.load(builder, builder.gep(dz, [out]), mask)
                places = emitter.load_octets(builder, builder.gep(kept, [out]), mask)
                for number, target in enumerate(emitter.places(builder, dx, window, k, channels, line)):
                    here = builder.icmp_unsigned("==", places, emitter.octet(number))
                    emitter.store(builder, builder.select(here, given, emitter.zero), target, mask)

            emitter.each_vector(builder, windows, channels, at_window)
            return context.get_dummy_value()

        return types.void(types.UniTuple(types.intp, 6)), codegen

    return spread
