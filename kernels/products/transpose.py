"""Transposition through registers: out = wᵀ, a square of vectors at a time.

In a matrix product, each row of the right operand has to be contiguous. Those of weightᵀ in dx = dz @ weightᵀ are not, so
weightᵀ is first written to scratch, panel by panel.
"""

from numba import types
from numba.extending import intrinsic

from ..compiling.jit import REAL, Kernel, calls, typed_pointer, view
from ..processor.target import ITEM_BYTES, masks_are_free, vector_lanes
from ..processor.vector import VectorEmitter

FEW = 2  # vectors: up to this many it is faster to copy the numbers one by one than as a square with masks


def transpose_square(dtype):
    """The intrinsic square(out, out_row, w, w_row, rows, columns): out = wᵀ for at most lanes by lanes numbers.

    The arguments are addresses and row strides. If rows and columns are literals, both are `lanes`, and no masks are used.
    """

    @intrinsic(prefer_literal=True)
    def square(typingctx, out, out_row, w, w_row, rows, columns):
        whole = isinstance(rows, types.Literal) and isinstance(columns, types.Literal)

        def codegen(context, builder, signature, args):
            emitter = VectorEmitter(builder.module, dtype)
            out, out_row, w, w_row, rows, columns = args
            lanes, word, pointer = emitter.lanes, out.type, emitter.vector.as_pointer()

            def place(base, stride, i, count):
                number = word(i)
                if not whole:  # a missing row has the address of the last one, which is stored after it
                    number = builder.select(builder.icmp_signed("<", number, count), number, builder.sub(count, word(1)))
                address = builder.add(base, builder.mul(builder.mul(stride, number), word(emitter.bytes)))
                return builder.inttoptr(address, pointer)

            loading = None if whole else emitter.lane_mask(builder, columns)
            storing = None if whole else emitter.lane_mask(builder, rows)
            vectors = [emitter.load(builder, place(w, w_row, i, rows), loading) for i in range(lanes)]
            # interleaving row i with row i + lanes/2, log2(lanes) times over, is a transposition
            low = [lane for pair in zip(range(lanes // 2), range(lanes, lanes + lanes // 2), strict=True) for lane in pair]
            high = [lane + lanes // 2 for lane in low]
            for _ in range(lanes.bit_length() - 1):
                pairs = [(vectors[i], vectors[i + lanes // 2]) for i in range(lanes // 2)]
                vectors = [emitter.shuffle(builder, a, b, order) for a, b in pairs for order in (low, high)]
            for i in reversed(range(lanes)):
                emitter.store(builder, vectors[i], place(out, out_row, i, columns), storing)
            return context.get_dummy_value()

        return types.void(out, out_row, w, w_row, rows, columns), codegen

    return square


def build_transpose(dtype):
    lanes, item, square, masks = vector_lanes(dtype), ITEM_BYTES[dtype], transpose_square(dtype), masks_are_free()
    number = typed_pointer(REAL[dtype])

    def transpose(out, out_row, w, w_row, rows, columns):
        for i in range(0, rows, lanes):
            height = min(lanes, rows - i)
            for j in range(0, columns, lanes):
                width = min(lanes, columns - j)
                to, source = out + item * (j * out_row + i), w + item * (i * w_row + j)
                if height == lanes and width == lanes:
                    square(to, out_row, source, w_row, lanes, lanes)
                elif masks and height * width > FEW * lanes:
                    square(to, out_row, source, w_row, height, width)
                else:
                    for k in range(height):
                        given = view(number(source), k * w_row, width)
                        for m in range(width):
                            view(number(to), m * out_row + k, 1)[0] = given[m]

    return transpose


transpose_kernel = Kernel("transpose", build_transpose, lambda dtype: (types.intp,) * 6)
call_transpose = calls(transpose_kernel)
