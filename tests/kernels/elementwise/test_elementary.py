"""The elementary functions are accurate, follow IEEE 754 for special values, and agree in vector and scalar code."""

import functools
import math

import mpmath
import numba
import numpy as np
import pytest

from fastnn.kernels.compiling.jit import jit
from fastnn.kernels.elementwise import elementary

REFERENCE = {  # name: (the function in many digits, its largest error in ulp: float32, float64)
    "exp": (mpmath.exp, 1.25, 1.25),
    "expm1": (mpmath.expm1, 2.0, 2.0),
    "log": (mpmath.log, 1.0, 1.0),
    "log1p": (mpmath.log1p, 1.5, 1.5),
    "tanh": (mpmath.tanh, 2.0, 2.0),
    "sigmoid": (lambda x: 1 / (1 + mpmath.exp(-x)), 2.0, 2.0),
    "softplus": (lambda x: mpmath.log1p(mpmath.exp(x)), 2.0, 2.0),
    "erf": (mpmath.erf, 1.25, 1.25),
    "sqrt": (mpmath.sqrt, 0.5, 0.5),
}
DOMAIN = {"log": 0.0, "log1p": -1.0, "sqrt": 0.0}  # where it begins, if not at -inf
inf, nan = math.inf, math.nan
SPECIAL = {  # name: pairs of x and f(x); the sign of a zero counts
    "exp": [(-inf, 0.0), (-1e30, 0.0), (-0.0, 1.0), (0.0, 1.0), (1e30, inf), (inf, inf)],
    "expm1": [(-inf, -1.0), (-1e30, -1.0), (-0.0, -0.0), (0.0, 0.0), (1e30, inf), (inf, inf)],
    "log": [(-inf, nan), (-1.0, nan), (-0.0, -inf), (0.0, -inf), (1.0, 0.0), (inf, inf)],
    "log1p": [(-inf, nan), (-2.0, nan), (-1.0, -inf), (-0.0, -0.0), (0.0, 0.0), (inf, inf)],
    "tanh": [(-inf, -1.0), (-1e30, -1.0), (-0.0, -0.0), (0.0, 0.0), (1e30, 1.0), (inf, 1.0)],
    "sigmoid": [(-inf, 0.0), (-1e30, 0.0), (-0.0, 0.5), (0.0, 0.5), (1e30, 1.0), (inf, 1.0)],
    "softplus": [(-inf, 0.0), (-1e30, 0.0), (1e30, 1e30), (inf, inf)],
    "erf": [(-inf, -1.0), (-1e30, -1.0), (-0.0, -0.0), (0.0, 0.0), (1e30, 1.0), (inf, 1.0)],
    "sqrt": [(-inf, nan), (-1.0, nan), (-0.0, -0.0), (0.0, 0.0), (4.0, 2.0), (inf, inf)],
}
each_function = pytest.mark.parametrize("name", elementary.__all__)
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@functools.cache
def loop(name):
    """Return the function over an array, compiled."""
    function = getattr(elementary, name)

    @jit
    def apply(a, z):
        for i in range(z.size):
            a[i] = function(z[i])

    return apply


def compiled(name, z):
    a = np.empty_like(z)
    loop(name)(a, z)
    return a


def samples(name, dtype):
    """Return numbers from the whole domain: all magnitudes of both signs, ordinary ones, and those near the limits."""
    rng = np.random.default_rng(0)
    real = np.finfo(dtype)
    exponents = rng.uniform(math.log2(real.smallest_subnormal), math.log2(real.max), 300)
    small = rng.uniform(-1.5 * real.nmant, 0.0, 300)
    overflow = math.log(real.max)
    underflow = math.log(real.smallest_subnormal)
    z = np.concatenate([
        np.exp2(exponents), -np.exp2(exponents), np.exp2(small), -np.exp2(small), np.exp2(small) - 1.0,
        rng.uniform(-3.0, 3.0, 900), rng.uniform(0.6, 1.7, 300), rng.normal(0.0, 10.0, 300),
        rng.uniform(underflow, overflow, 300),
        rng.uniform(overflow - 1.0, overflow + 1.0, 100), rng.uniform(underflow - 1.0, math.log(real.tiny) + 1.0, 200),
    ]).astype(dtype)  # fmt: skip
    return z[z > DOMAIN.get(name, -inf)]


def ulps(value, exact, dtype):
    """Return the distance of `value` from `exact`, in units in the last place of `exact`."""
    real = np.finfo(dtype)
    if math.isinf(value):  # right if `exact` rounds to it
        return 0.0 if mpmath.sign(exact) * value > 0 and abs(exact) > float(real.max) else inf
    exponent = max(mpmath.frexp(exact)[1] - 1, int(real.minexp)) if exact else int(real.minexp)
    return float(abs(mpmath.mpf(float(value)) - exact) / mpmath.ldexp(1, exponent - real.nmant))


def same(a, b):
    """Check equality, including the sign of zeros, with nan equal to nan."""
    return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1.0, a) == math.copysign(1.0, b))


def bits(a):
    """Return the bytes of an array in which every nan is the same one.

    IEEE 754 leaves the sign of a nan open. Where an operand of a multiply-add is subtracted, Arm negates a nan too, and
    which operand that is differs between the instructions for vectors and for single numbers.
    """
    return np.where(np.isnan(a), a.dtype.type(nan), a).tobytes()


def test_every_function_is_tested():
    assert set(elementary.__all__) == set(REFERENCE) == set(SPECIAL)


@each_dtype
@each_function
def test_error_stays_within_a_few_ulp(name, dtype):
    exact, *limits = REFERENCE[name]
    limit = limits[dtype is np.float64]
    z = samples(name, dtype)
    with mpmath.workprec(140):
        errors = [ulps(a, exact(mpmath.mpf(float(x))), dtype) for x, a in zip(z, compiled(name, z), strict=True)]
    worst = int(np.argmax(errors))
    assert errors[worst] <= limit, f"{name}({z[worst]!r}) is off by {errors[worst]:.2f} ulp"


@each_dtype
@each_function
def test_special_values(name, dtype):
    z, expected = np.array([*SPECIAL[name], (nan, nan)], dtype).T.copy()
    for x, a, b in zip(z, compiled(name, z), expected, strict=True):
        assert same(a, b), f"{name}({x}) is {a}, not {b}"


@each_dtype
@each_function
def test_an_element_has_the_same_bits_wherever_it_stands(name, dtype):
    z = np.array([*samples(name, dtype)[::7], *(x for x, _ in SPECIAL[name]), nan], dtype)
    together = bits(compiled(name, z))
    assert bits(np.concatenate([compiled(name, z[i : i + 1]) for i in range(z.size)])) == together
    for start in (1, 3, 17):
        assert bits(compiled(name, z[start:])) == together[start * z.itemsize :]


@each_function
def test_plain_python_agrees(name):
    function = getattr(elementary, name)
    z = np.array([*samples(name, np.float64)[::5], *(x for x, _ in SPECIAL[name]), nan])
    for x, a in zip(z.tolist(), compiled(name, z).tolist(), strict=True):
        b = function(x)
        assert same(a, b) or a == pytest.approx(b, rel=1e-15, abs=1e-323), f"{name}({x}): compiled {a}, plain {b}"


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="looks at compiled code")
@each_dtype
@each_function
def test_the_result_has_the_dtype_of_the_argument(name, dtype):
    function = getattr(elementary, name)
    apply = numba.njit(lambda x: function(x))
    apply(dtype(0.5))
    assert apply.nopython_signatures[0].return_type == numba.from_dtype(np.dtype(dtype))


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="looks at compiled code")
@each_dtype
@each_function
def test_the_loop_is_vectorized(name, dtype):
    compiled(name, np.ones(1, dtype))
    signature = (numba.from_dtype(np.dtype(dtype))[::1],) * 2
    code = loop(name).inspect_llvm(signature)
    assert f"x {'float' if dtype is np.float32 else 'double'}>" in code


def test_other_names_are_those_of_math():
    assert elementary.pi == math.pi
    assert elementary.pow is math.pow
    with pytest.raises(AttributeError):
        elementary.no_such_function  # noqa: B018
