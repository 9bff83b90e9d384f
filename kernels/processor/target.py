"""What the processor that Numba compiles for can do: the width of its vectors, fused multiply-add, registers."""

from functools import lru_cache

import numba

ITEM_BYTES = {"float32": 4, "float64": 8}


@lru_cache(maxsize=1)
def target():
    """(architecture, set of enabled features), as Numba compiles: NUMBA_CPU_NAME and NUMBA_CPU_FEATURES are heeded."""
    triple, _, features = numba.core.registry.cpu_target.target_context.codegen().magic_tuple()
    return triple.split("-")[0], {f[1:] for f in features.split(",") if f.startswith("+")}


def has_fma():
    """Whether a fused multiply-add is one instruction; if not, llvm.fma would be a slow library call."""
    architecture, features = target()
    return "fma" in features or architecture in ("aarch64", "arm64")


def vector_bytes():
    _, features = target()
    return 64 if "avx512f" in features else 32 if "avx2" in features else 16


def vector_lanes(dtype):
    """How many numbers of `dtype` a vector register holds."""
    return vector_bytes() // ITEM_BYTES[dtype]


def registers():
    """How many vector registers there are."""
    architecture, features = target()
    return 32 if "avx512f" in features or architecture in ("aarch64", "arm64") else 16


def masks_are_free():
    """Whether loading and storing part of a vector costs no more than all of it."""
    return "avx512f" in target()[1]


def halves_are_faster():
    """Whether half a vector is worth tiles of its own: of 64 bytes Zen 4 multiplies two halves in the time of a whole."""
    return vector_bytes() == 64


def row_vectors():
    """How many vectors of columns the tiles of one row have that are wider than others.

    One row keeps few registers busy. A wide tile gives it enough sums not to wait for one another, and reads the right
    operand in long pieces of its rows.
    """
    return (16, 8) if registers() == 32 else (8,)


def dot_rows():
    """With how many rows at a time a vector is multiplied: enough not to wait for one another's sums."""
    return 8


def tile_vectors():
    """How many vectors of columns the widest tile has."""
    return 4 if registers() == 32 else 2


def tile_rows(vectors):
    """How many rows the highest tile of so many vectors has: its sums fill the registers but for the operands."""
    return min(14, (registers() - vectors - 1) // vectors)
