"""Vectors in LLVM's intermediate representation, for operations that Numba's types lack: loads, stores, multiply-add."""

from llvmlite import ir
from numba.core import cgutils

from .target import ITEM_BYTES, has_fma, vector_lanes

i1, i8, i32, i64 = ir.IntType(1), ir.IntType(8), ir.IntType(32), ir.IntType(64)
SCALAR = {"float32": ir.FloatType(), "float64": ir.DoubleType()}


class VectorEmitter:
    """Emit operations on vectors of one dtype, of the width of a register or a fraction of it, into one LLVM module."""

    def __init__(self, module, dtype, fraction=1):
        self.module, self.dtype = module, dtype
        self.scalar, self.bytes, self.lanes = SCALAR[dtype], ITEM_BYTES[dtype], vector_lanes(dtype) // fraction
        self.vector = ir.VectorType(self.scalar, self.lanes)
        self.mask_type = ir.VectorType(i1, self.lanes)
        self.suffix = f"v{self.lanes}f{8 * self.bytes}"

    @property
    def zero(self):
        return ir.Constant(self.vector, [0.0] * self.lanes)

    def declare(self, name, result, arguments):
        # llvmlite's declare_intrinsic refuses vector types, so declare by name
        return cgutils.get_or_insert_function(self.module, ir.FunctionType(result, arguments), name)

    def multiply_add(self, builder, a, b, c):
        if has_fma():
            return builder.call(self.declare(f"llvm.fma.{self.suffix}", self.vector, [self.vector] * 3), [a, b, c])
        return builder.fadd(builder.fmul(a, b), c)

    def splat(self, builder, value, vector_type):
        undefined = ir.Constant(vector_type, ir.Undefined)
        first = builder.insert_element(undefined, value, i32(0))
        return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(i32, self.lanes), [0] * self.lanes))

    def opaque(self, builder, value):
        """Return the same value with its origin hidden from LLVM, which would otherwise derive one address from another."""
        return builder.asm(ir.FunctionType(value.type, [value.type]), "", "=r,0", [value], False)

    def lane_mask(self, builder, count):
        lanes = ir.VectorType(i32, self.lanes)
        index = ir.Constant(lanes, list(range(self.lanes)))
        return builder.icmp_signed("<", index, self.splat(builder, builder.trunc(count, i32), lanes))

    def load(self, builder, address, mask):
        address = builder.bitcast(address, self.vector.as_pointer())
        if mask is None:
            value = builder.load(address)
            value.align = self.bytes
            return value
        masked_load = self.declare(f"llvm.masked.load.{self.suffix}.p0", self.vector,
                                   [address.type, i32, self.mask_type, self.vector])
        return builder.call(masked_load, [address, i32(self.bytes), mask, self.zero])

    def store(self, builder, value, address, mask):
        address = builder.bitcast(address, self.vector.as_pointer())
        if mask is None:
            builder.store(value, address).align = self.bytes
            return
        masked_store = self.declare(f"llvm.masked.store.{self.suffix}.p0", ir.VoidType(),
                                    [self.vector, address.type, i32, self.mask_type])
        builder.call(masked_store, [value, address, i32(self.bytes), mask])

    def shuffle(self, builder, a, b, order):
        """Return the lanes of a and b in the given order; those of b are numbered after those of a."""
        return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(i32, len(order)), order))


class OctetEmitter(VectorEmitter):
    """Emit operations on bytes too, one for each lane."""

    @property
    def octets(self):
        return ir.VectorType(i8, self.lanes)

    def octet(self, number):
        return ir.Constant(self.octets, [number] * self.lanes)

    def load_octets(self, builder, address, mask):
        address = builder.bitcast(address, self.octets.as_pointer())
        if mask is None:
            value = builder.load(address)
            value.align = 1
            return value
        load = self.declare(f"llvm.masked.load.v{self.lanes}i8.p0", self.octets,
                            [address.type, i32, self.mask_type, self.octets])
        return builder.call(load, [address, i32(1), mask, self.octet(0)])

    def store_octets(self, builder, value, address, mask):
        address = builder.bitcast(address, self.octets.as_pointer())
        if mask is None:
            builder.store(value, address).align = 1
            return
        store = self.declare(f"llvm.masked.store.v{self.lanes}i8.p0", ir.VoidType(),
                             [self.octets, address.type, i32, self.mask_type])
        builder.call(store, [value, address, i32(1), mask])
