"""Properties of the processor that Numba compiles for: vector width, fused multiply-add, registers."""

from functools import lru_cache

import numba

from .undisturbed import undisturbed

ITEM_BYTES = {"float32": 4, "float64": 8}


@lru_cache(maxsize=1)
def magic_tuple():
    """Return (target triple, name of the processor, its features) that Numba compiles for."""
    return undisturbed(lambda: numba.core.registry.cpu_target.target_context.codegen().magic_tuple())


@lru_cache(maxsize=1)
def target():
    """Return (architecture, set of enabled features); NUMBA_CPU_NAME and NUMBA_CPU_FEATURES are respected."""
    triple, _, features = magic_tuple()
    return triple.split("-")[0], {f[1:] for f in features.split(",") if f.startswith("+")}


def has_fma():
    """Return whether fused multiply-add is one instruction; otherwise llvm.fma is a slow library call."""
    architecture, features = target()
    return "fma" in features or architecture in ("aarch64", "arm64")


def vector_bytes():
    _, features = target()
    return 64 if "avx512f" in features else 32 if "avx2" in features else 16


def vector_lanes(dtype):
    """Return the number of elements of `dtype` in a vector register."""
    return vector_bytes() // ITEM_BYTES[dtype]


def registers():
    """Return the number of vector registers."""
    architecture, features = target()
    return 32 if "avx512f" in features or architecture in ("aarch64", "arm64") else 16


def masks_are_free():
    """Return whether loading and storing part of a vector is as fast as all of it."""
    return "avx512f" in target()[1]


def halves_are_faster():
    """Return whether tiles of half vectors pay off: Zen 4 multiplies two halves of 64 bytes in the time of a whole one."""
    return vector_bytes() == 64


def half_vectors_take_half():
    """Return whether half a vector is multiplied in half of the time: not where all of 64 bytes are multiplied at once."""
    return vector_bytes() < 64 or magic_tuple()[1] == "znver4"


def row_vectors():
    """Return the number of vectors of columns of the widest one-row tiles.

    One row uses few registers. A wide tile has enough independent sums to hide their latency, and reads the right operand in
    long contiguous pieces.
    """
    return (16, 8) if registers() == 32 else (8,)


def dot_rows():
    """Return the number of rows that are multiplied with a vector at a time, enough to hide the latency of a sum."""
    return 8


def tile_vectors():
    """Return the number of vectors of columns of the widest tile."""
    return 4 if registers() == 32 else 2


def tile_rows(vectors):
    """Return the number of rows of the highest tile with that many vectors: its sums and operands fill the registers."""
    return min(14, (registers() - vectors - 1) // vectors)
