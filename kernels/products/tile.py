"""The micro-kernel: one tile of a matrix product, c = start + a @ b, held in registers from the first term to the last.

A tile is some rows by some SIMD vectors of columns. All of its accumulators live in registers while k runs; each step loads
the vectors of b and broadcasts a number of a for each row. Every element of c is one chain of fused multiply-adds
in the order of k, so its bits do not depend on the tile. Therefore a row does not depend on its batch, nor the
result on the number of threads.

Numba has no vector types, so this one function is written in LLVM's intermediate representation. It compiles for any
processor: the width of a vector and the size of a tile come from `target`.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..processor.prefetch import CLOSE, emit_prefetch
from ..processor.target import halves_are_faster, masks_are_free, row_vectors, tile_rows, tile_vectors
from ..processor.vector import VectorEmitter, i64

ROW_GROUP = 5  # rows of a that are addressed from one pointer
# The widest tiles prefetch the numbers of a this many steps ahead. In a transpose of a wide matrix each step is a cache line
# of its own, which no processor predicts: this took xᵀ dz of 2048³ from 75 to 104 GFLOP/s, of 1024³ from 96 to 107.
STEPS_AHEAD = 16
HALF = 0  # as a number of vectors: half a vector, masked


class TileEmitter(VectorEmitter):
    """Emits the variants of the tile for one dtype into one LLVM module."""

    family = "tile"

    def __init__(self, module, dtype, fraction=1):
        super().__init__(module, dtype, fraction)
        # arguments: c, c_row, a, a_row, a_column, b, b_row, start, start_row, k, columns of the last vector
        pointer = self.scalar.as_pointer()
        self.type = ir.FunctionType(ir.VoidType(), [pointer, i64, pointer, i64, i64, pointer, i64, pointer, i64, i64, i64])

    def variant(self, rows, vectors, masked, padded=False):
        """The function for a tile of exactly `rows` by `vectors`, the last vector masked or whole.

        padded: whether c has room for whole vectors; then a masked one is written whole, filled with zeros.
        """
        shape = f"{rows}x{vectors}{'_masked' if masked else ''}{'_padded' if padded else ''}"
        name = f"fastnn_{self.family}_{self.suffix}_{shape}"
        if name not in self.module.globals:
            function = ir.Function(self.module, self.type, name)
            function.linkage = "internal"
            # if it were inlined, every product would begin by computing the addresses of all variants
            function.attributes.add("noinline")
            self.emit(function, rows, vectors, masked, padded)
        return self.module.globals[name]

    def emit(self, function, rows, vectors, masked, padded):
        c, c_row, a, a_row, a_column, b, b_row, start, start_row, k, last = function.args
        entry, from_start, from_zero, loop, done = map(function.append_basic_block, ("entry", "start", "zero", "k", "done"))
        tile = [(i, j) for i in range(rows) for j in range(vectors)]

        builder = ir.IRBuilder(entry)
        masks = [None] * (vectors - 1) + [self.lane_mask(builder, last) if masked else None]
        offsets, groups = self.row_places(builder, rows, a, a_row)
        unset = builder.icmp_unsigned("==", builder.ptrtoint(start, i64), i64(0))
        builder.cbranch(unset, from_zero, from_start)

        builder.position_at_end(from_start)
        initial = {(i, j): self.load(builder, self.place(builder, start, start_row, i, j), masks[j]) for i, j in tile}
        builder.branch(loop)
        builder.position_at_end(from_zero)
        builder.branch(loop)

        builder.position_at_end(loop)
        step = builder.phi(i64)
        step.add_incoming(i64(0), from_start)
        step.add_incoming(i64(0), from_zero)
        sums = {position: builder.phi(self.vector) for position in tile}
        for position, phi in sums.items():
            phi.add_incoming(initial[position], from_start)
            phi.add_incoming(self.zero, from_zero)
        a_steps = [builder.phi(a.type) for _ in groups]
        b_step = builder.gep(b, [builder.mul(step, b_row)])
        b_vectors = [self.load(builder, builder.gep(b_step, [i64(j * self.lanes)]), masks[j]) for j in range(vectors)]
        if rows > 1 and vectors == tile_vectors():
            ahead, to_last = builder.mul(a_column, i64(STEPS_AHEAD)), builder.mul(a_row, i64((rows - 1) % ROW_GROUP))
            for group, distance in (a_steps[0], ahead), (a_steps[-1], builder.add(ahead, to_last)):  # the first and last row
                emit_prefetch(builder, builder.gep(group, [distance]), CLOSE)
        grown = self.grow(builder, sums, a_steps, offsets, b_vectors, masks)
        for phi, first in zip(a_steps, groups, strict=True):
            phi.add_incoming(first, from_start)
            phi.add_incoming(first, from_zero)
            phi.add_incoming(builder.gep(phi, [a_column]), loop)
        following = builder.add(step, i64(1))
        step.add_incoming(following, loop)
        for position, phi in sums.items():
            phi.add_incoming(grown[position], loop)
        builder.cbranch(builder.icmp_signed("<", following, k), loop, done)

        builder.position_at_end(done)
        for i, j in tile:
            self.store(builder, grown[i, j], self.place(builder, c, c_row, i, j), None if padded else masks[j])
        builder.ret_void()

    def place(self, builder, base, row_stride, i, j):
        """The address of vector j of row i of a matrix."""
        return builder.gep(base, [builder.add(builder.mul(row_stride, i64(i)), i64(j * self.lanes))])

    def row_places(self, builder, rows, a, a_row):
        """The offset of each row of `a` from the first row of its group, and the address of each group."""
        offsets = [None, *(self.opaque(builder, builder.mul(a_row, i64(i))) for i in range(1, min(rows, ROW_GROUP)))]
        return offsets, [builder.gep(a, [builder.mul(a_row, i64(i))]) for i in range(0, rows, ROW_GROUP)]

    def grow(self, builder, sums, a_steps, offsets, b_vectors, masks):
        """The sums with one more product each. a_steps: for each group, the address of the number of its first row."""
        places, grown = [self.opaque(builder, phi) for phi in a_steps], {}
        for i in range(1 + max(i for i, _ in sums)):
            place = places[i // ROW_GROUP]
            place = builder.gep(place, [offsets[i % ROW_GROUP]]) if i % ROW_GROUP else place
            for j, (factor, b_vector) in enumerate(zip(self.factors(builder, place, masks), b_vectors, strict=True)):
                grown[i, j] = self.multiply_add(builder, factor, b_vector, sums[i, j])
        return grown

    def factors(self, builder, place, masks):
        """The factors of the vectors of b: the number of a at this address, in all lanes."""
        number = builder.load(place)
        number.align = self.bytes
        return [self.splat(builder, number, self.vector)] * len(masks)

    def table(self, shapes):
        """The array of the variants. The index of (rows, vectors, masked) is rows | (vectors << 1 | masked) << 4."""
        name = f"fastnn_{self.family}s_{self.suffix}"
        if name in self.module.globals:
            return self.module.globals[name]
        places = {rows | (vectors << 1 | masked) << 4: (rows, vectors, masked) for rows, vectors, masked in shapes}
        pointer = self.type.as_pointer()
        variants = [ir.Constant(pointer, None)] * (max(places) + 1)
        for place, (rows, vectors, masked) in places.items():
            emitter = self if vectors > 0 else type(self)(self.module, self.dtype, fraction=2)
            variants[place] = emitter.variant(rows, max(vectors, 1), masked)
        table = ir.GlobalVariable(self.module, ir.ArrayType(pointer, len(variants)), name)
        table.linkage, table.global_constant = "internal", True
        table.initializer = ir.Constant(table.type.pointee, variants)
        return table


def tile_shapes():
    """The (rows, vectors, masked) of the variants."""
    widest = tile_vectors()
    # if masks are free, only the widest tiles have a variant without a mask, which halves the code
    shapes = [(rows, vectors, masked) for vectors in range(1, widest + 1) for rows in range(1, tile_rows(vectors) + 1)
              for masked in (False, True) if masked or vectors == widest or not masks_are_free()]
    if halves_are_faster():
        shapes += [(rows, HALF, True) for rows in range(1, tile_rows(1) + 1)]
    return shapes


def row_shapes():
    """The variants of a single row that are wider than those of several. Up to eight vectors, the last may be masked.

    A row has one sum for each vector, and four of them wait for each other: one row through 256-120-10 took 1.20 µs with two
    tiles of four vectors and takes 0.99 with one of eight (Zen 5).
    """
    *wider, most = row_vectors()
    return [(1, vectors, False) for vectors in wider] + [
        (1, vectors, masked) for vectors in range(tile_vectors() + 1, most + 1) for masked in (False, True)]


def tile_intrinsic(dtype, kind, shapes):
    """The intrinsic that calls the variant of an emitter's kind: (rows, vectors, masked, *arguments of the variant)."""
    count = 3 + len(kind(None, dtype).type.args)

    @intrinsic
    def tile(typingctx, arguments):
        def codegen(context, builder, signature, args):
            emitter = kind(builder.module, dtype)
            rows, vectors, masked, *rest = cgutils.unpack_tuple(builder, args[0])
            rest = [builder.inttoptr(value, wanted) if isinstance(wanted, ir.PointerType) else value
                    for value, wanted in zip(rest, emitter.type.args, strict=True)]
            place = builder.or_(rows, builder.shl(builder.or_(builder.shl(vectors, i64(1)), masked), i64(4)))
            chosen = builder.load(builder.gep(emitter.table(shapes), [i64(0), place]))
            builder.call(chosen, rest)
            return context.get_dummy_value()

        return types.void(types.UniTuple(types.intp, count)), codegen

    return tile


def tile_function(dtype):
    """The intrinsic tile((rows, vectors, masked, c, c_row, a, a_row, a_column, b, b_row, start, start_row, k, last)).

    Addresses and strides in elements are integers; `start` is the address of the first terms (a row stride of 0 repeats one
    row: a bias), or 0 for none. `last` is the number of columns of the last vector. `vectors` may be HALF
    where `halves_are_faster`.
    """
    return tile_intrinsic(dtype, TileEmitter, tile_shapes() + row_shapes())
