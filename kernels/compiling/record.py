"""Records: fields in memory that Python and compiled code both read by name.

A `Record` lists named fields of eight bytes each. In Python it is a NumPy dtype, and `record["batch"] = 8` writes a field.
In compiled code it is a type whose values are pointers to such memory: `record.batch` loads a field and `record.batch = 8`
stores one. An unknown name raises an error; in compiled code, at compile time.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    infer_getattr,
    intrinsic,
    lower_cast,
    lower_getattr_generic,
    lower_setattr_generic,
    models,
    register_model,
)

from .jit import ANY, REAL
from .objects import WORD, address

# The kinds of fields.
INTEGER, FLOAT, UNSIGNED = types.int64, types.float64, types.uint64
NUMBERS = "numbers"  # address of numbers of the dtype that the code is compiled for
FLOATS, INTEGERS = types.CPointer(types.float64), types.CPointer(types.int64)  # address of float64 or int64 numbers
SHARED = "shared"  # an integer that several threads change, on cache lines of its own; compiled code reads its address
# A `Record` is nested in this one; `Pointer(record)` is its address.

LINE_BYTES = 128  # processors fetch cache lines of 64 bytes in pairs
RECORDS = {}  # by name; a module that is imported again, as after Ctrl-C during its import, defines its own again


class Pointer:
    """Kind of a field that holds the address of a record."""

    def __init__(self, record):
        self.record = record


class Record:
    """Named fields in contiguous memory.

    Positional arguments are integer fields; a keyword argument is a field of the given kind. padded_to: size in bytes, by
    default that of the fields.
    """

    def __init__(self, name, /, *integers, padded_to=0, **kinds):
        self.name, self.kinds = name, dict.fromkeys(integers, INTEGER) | kinds
        self.offsets, end = {}, 0
        for field, kind in self.kinds.items():
            grain = LINE_BYTES if kind is SHARED else WORD
            self.offsets[field] = end = -(-end // grain) * grain
            end += LINE_BYTES if kind is SHARED else kind.bytes if isinstance(kind, Record) else WORD
        self.bytes = padded_to or end
        assert end <= self.bytes, f"{name} has fields of {end} bytes, and room for {self.bytes}"
        self.dtype = np.dtype({"names": list(self.kinds), "formats": [*map(in_numpy, self.kinds.values())],
                               "offsets": list(self.offsets.values()), "itemsize": self.bytes})
        self.at = pointer_intrinsic(self)
        RECORDS[name] = self

    def __repr__(self):
        return f"<Record {self.name}>"

    def __reduce__(self):
        return record_named, (self.name,)

    def new(self, **values):
        """Return a new record, an array without dimensions: zeros except for the given values."""
        record = np.ndarray((), self.dtype, zeros(self.bytes))
        for field, value in values.items():
            record[field] = value
        return record

    def type(self, dtype):
        """Return the Numba type of a pointer to the record, in code compiled for `dtype`.

        Code for a dtype only reads: it may assume that no field changes while a kernel runs. Code for ANY may write to the
        fields and has every address as an integer.
        """
        return RecordType(self, dtype)


def zeros(size):
    """Return `size` zero bytes that begin on a cache line."""
    raw = np.zeros(size + LINE_BYTES, np.uint8)
    return np.ndarray(size, np.uint8, raw, -address(raw) % LINE_BYTES)


def record_named(name):
    return RECORDS[name]


def in_numpy(kind):
    if isinstance(kind, Record):
        return kind.dtype
    return {FLOAT: np.float64, UNSIGNED: np.uint64}.get(kind, np.int64)


class RecordType(types.Type):
    """Numba type of a pointer to a record."""

    def __init__(self, record, dtype):
        self.record, self.dtype = record, dtype
        super().__init__(f"{record.name}[{dtype}]")  # short, because it is part of the names of compiled functions

    def __reduce__(self):
        return RecordType, (self.record, self.dtype)

    def field(self, name):
        """Return the Numba type of a field, or None if there is no field of that name."""
        kind = self.record.kinds.get(name)
        if isinstance(kind, Record):
            return kind.type(self.dtype)
        if isinstance(kind, Pointer) and self.dtype != ANY:
            return kind.record.type(ANY)  # the record that it points to may change
        if kind is NUMBERS and self.dtype != ANY:
            return types.CPointer(REAL[self.dtype])
        if kind is SHARED or kind is NUMBERS or isinstance(kind, Pointer):
            return types.intp
        if isinstance(kind, types.CPointer) and self.dtype == ANY:
            return types.intp
        return kind


@register_model(RecordType)
class RecordModel(models.PrimitiveModel):
    def __init__(self, manager, record_type):
        super().__init__(manager, record_type, ir.IntType(8).as_pointer())


@infer_getattr
class Fields(AttributeTemplate):
    key = RecordType

    def generic_resolve(self, record_type, name):
        return record_type.field(name)


def field_pointer(context, builder, record_type, value, name):
    """Return the pointer to a field, typed by the value of the field."""
    place = builder.gep(value, [ir.Constant(ir.IntType(64), record_type.record.offsets[name])])
    return builder.bitcast(place, context.get_value_type(record_type.field(name)).as_pointer())


@lower_getattr_generic(RecordType)
def load_field(context, builder, record_type, value, name):
    kind, place = record_type.record.kinds[name], field_pointer(context, builder, record_type, value, name)
    if isinstance(kind, Record):
        return builder.bitcast(place, ir.IntType(8).as_pointer())
    if kind is SHARED:
        return builder.ptrtoint(place, ir.IntType(64))
    loaded = builder.load(place)
    if record_type.dtype != ANY:  # without this, every store to an array would cause another load
        loaded.set_metadata("invariant.load", builder.module.add_metadata([]))
    return loaded


@lower_setattr_generic(RecordType)
def store_field(context, builder, signature, arguments, name):
    builder.store(arguments[1], field_pointer(context, builder, signature.args[0], arguments[0], name))


@lower_cast(RecordType, types.Integer)
def to_address(context, builder, record_type, integer, value):
    return builder.ptrtoint(value, context.get_value_type(integer))


@intrinsic
def record_address(typingctx, record):
    """Return the address of a record."""
    return types.intp(record), lambda context, builder, signature, args: builder.ptrtoint(args[0], ir.IntType(64))


def pointer_intrinsic(record):
    """Return the intrinsic that converts an address to a pointer to such a record, with writable fields."""

    @intrinsic
    def at(typingctx, place):
        def codegen(context, builder, signature, args):
            return builder.inttoptr(args[0], ir.IntType(8).as_pointer())

        return record.type(ANY)(types.intp), codegen

    return at


def on_stack(record):
    """Return the intrinsic that allocates such a record, filled with zeros, on the stack of the calling function."""

    @intrinsic
    def new(typingctx):
        def codegen(context, builder, signature, args):
            memory = stack_bytes(builder, record.bytes)
            cgutils.memset(builder, memory, ir.Constant(ir.IntType(64), record.bytes), 0)
            return memory

        return record.type(ANY)(), codegen

    return new


@intrinsic
def copied(typingctx, record):
    """Return a copy of a record on the stack of the calling function."""

    def codegen(context, builder, signature, args):
        size = signature.args[0].record.bytes
        memory = stack_bytes(builder, size)
        cgutils.raw_memcpy(builder, memory, args[0], ir.Constant(ir.IntType(64), size), 1)
        return memory

    return record(record), codegen


def stack_bytes(builder, size):
    memory = cgutils.alloca_once(builder, ir.ArrayType(ir.IntType(8), size))
    memory.align = 16
    return builder.bitcast(memory, ir.IntType(8).as_pointer())
