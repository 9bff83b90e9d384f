"""Elementary functions that a compiler can vectorise: exp, expm1, log, log1p, tanh, sigmoid, softplus, erf, sqrt.

Called from plain Python they are those of `math`, extended to infinities and poles as IEEE 754 wants (`exp(1000) = inf`,
`log(0) = -inf`, `log(-1) = nan`). Called in compiled code, on float32 or float64, they are the polynomials below, written
without branches on the data: both sides of a choice are computed and one is selected, so a loop of them becomes full-width
vector code, and an element has the same bits in the vectorised body of a loop and in its scalar remainder.

Largest error seen, in units in the last place: millions of samples in float32, thousands in float64, with fused
multiply-add. Without it exp reaches 1.2 and expm1 1.7. tests/test_elementary.py holds them to its limits against mpmath.

             exp  expm1  log   log1p  tanh  sigmoid  softplus  erf   sqrt
    float32  0.92  1.57  0.83  1.37   1.80   1.79      1.73    1.08  0.50
    float64  0.80  1.48  0.80  1.09   1.72   1.56      1.49    0.97  0.50

The polynomials are minimax fits of our own, by Remez exchange in 40 digits; the float32 coefficients were then rounded one
by one from the lowest, the others fitted anew. The error beside each is relative to the function and leaves out rounding.
"""

import functools
import math
import types as python
from collections import namedtuple
from math import copysign, inf, nan

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from .constants import with_constants
from .jit import OPTIONS, REAL, jit
from .target import has_fma

__all__ = ["erf", "exp", "expm1", "log", "log1p", "sigmoid", "softplus", "sqrt", "tanh"]


def __getattr__(name):
    """Whatever else `math` has: where a user's function says `math`, its compiled form reads this module."""
    return getattr(math, name)


# What plain Python calls.


def select(condition, a, b):
    """a if the condition holds, else b; compiled code computes both and takes no branch."""
    return a if condition else b


def exp(x):
    """e**x."""
    try:
        return math.exp(x)
    except OverflowError:
        return inf


def expm1(x):
    """e**x - 1, accurate near 0."""
    try:
        return math.expm1(x)
    except OverflowError:
        return inf


def log(x):
    """The natural logarithm; -inf at 0, nan below."""
    if x > 0.0:
        return math.log(x)
    return -inf if x == 0.0 else nan


def log1p(x):
    """log(1 + x), accurate near 0."""
    if x > -1.0:
        return math.log1p(x)
    return -inf if x == -1.0 else nan


def tanh(x):
    """The hyperbolic tangent."""
    return math.tanh(x)


def sigmoid(x):
    """1 / (1 + e**-x).

    Computed from e = e**-|x| and q = e / (1 + e): e - e q for x < 0, else 1 - q, where what q lost in rounding counts for
    little, and nothing overflows.
    """
    e = exp(-abs(x))
    leading = select(x < 0.0, e, 1.0)
    return leading - leading * (e / (1.0 + e))


def softplus(x):
    """log(1 + e**x) = max(x, 0) + log(1 + e**-|x|)."""
    return select(x < 0.0, 0.0, x) + log1p(exp(-abs(x)))


def erf(x):
    """The error function, 2/sqrt(pi) times the integral of e**-t**2 from 0 to x."""
    return math.erf(x)


def sqrt(x):
    """The square root; nan below 0."""
    return nan if x < 0.0 else math.sqrt(x)


# One source for both dtypes.

Real = namedtuple("Real", ["float32", "float64"])  # a constant with a value for each dtype
BODIES = {}  # public function -> what it is in compiled code


@functools.cache
def specialize(function, dtype):
    """`function` compiled for `dtype`, along with the functions it calls: its float literals and `Real`s become `dtype`."""
    real = REAL[dtype]

    def cast(value):
        if isinstance(value, Real):
            value = getattr(value, dtype)
            return tuple(map(real, value)) if isinstance(value, tuple) else real(value)
        value = BODIES.get(value, value)
        if isinstance(value, python.FunctionType):
            return specialize(value, dtype)
        return real(value) if type(value) is float else value

    return jit(with_constants(function, cast, f"{function.__name__}_{dtype}"), inline=True)


def compiles(public):
    """Make the function that follows what `public` is in compiled code."""

    def bind(body):
        BODIES[public] = body

        @overload(public, jit_options={"forceinline": True, **OPTIONS})
        def implementation(x):
            if isinstance(x, types.Integer):
                return lambda x: public(types.float64(x))
            return specialize(body, x.name).py_func if x in REAL.values() else None

        return body

    return bind


# The instructions that Python has no words for. Those on bits vectorise everywhere: they do without the conversions between
# whole numbers and floats, and the arithmetic shift, that AVX2 lacks at 64 bits.

Layout = namedtuple("Layout", ["integer", "mantissa", "bias", "sqrt_half"])
LAYOUT = {
    types.float32: Layout(ir.IntType(32), 23, 127, 0x3F3504F3),
    types.float64: Layout(ir.IntType(64), 52, 1023, 0x3FE6A09E667F3BCD),
}
# Added to a number of moderate size it rounds it to a whole one, and leaves that in the lowest bits of the sum.
ROUND = Real(float32=1.5 * 2.0**23, float64=1.5 * 2.0**52)


@intrinsic
def compiled_select(typingctx, condition, a, b):
    def codegen(context, builder, signature, args):
        return builder.select(*args)

    return (a(condition, a, b), codegen) if a == b else None


@overload(select, jit_options={"forceinline": True, **OPTIONS})
def overloaded_select(condition, a, b):
    return lambda condition, a, b: compiled_select(condition, a, b)


BODIES[select] = compiled_select


def multiply_add(builder, a, b, c):
    # where the processor has no fma, llvm.fma is a call of libm: slow, and no loop around it vectorises
    return builder.fma(a, b, c) if has_fma() else builder.fadd(builder.fmul(a, b), c)


@intrinsic
def fma(typingctx, a, b, c):
    """a * b + c, rounded once where the processor can."""
    if not a == b == c:
        return None

    def codegen(context, builder, signature, args):
        return multiply_add(builder, *args)

    return a(a, b, c), codegen


@intrinsic
def polynomial(typingctx, x, coefficients):
    """coefficients[0] + coefficients[1] x + coefficients[2] x**2 + ... by Horner's scheme, unrolled."""
    if coefficients.dtype != x:
        return None

    def codegen(context, builder, signature, args):
        *lower, total = (builder.extract_value(args[1], i) for i in range(coefficients.count))
        for coefficient in reversed(lower):
            total = multiply_add(builder, total, args[0], coefficient)
        return total

    return x(x, coefficients), codegen


@intrinsic
def power_of_two(typingctx, rounded):
    """2**n, from n + ROUND: n is shifted from the lowest bits to the exponent's place. n from -bias + 1 to bias."""

    def codegen(context, builder, signature, args):
        integer, mantissa, bias, _ = LAYOUT[rounded]
        n = builder.shl(builder.bitcast(args[0], integer), integer(mantissa))
        return builder.bitcast(builder.add(n, integer(bias << mantissa)), args[0].type)

    return rounded(rounded), codegen


@intrinsic
def split(typingctx, x, round_to):
    """(m - 1, n) with x = m 2**n, sqrt(1/2) <= m < sqrt(2), for x normal and positive; `round_to` is ROUND."""

    def codegen(context, builder, signature, args):
        integer, mantissa, bias, sqrt_half = LAYOUT[x]
        real = args[0].type
        # counted from sqrt(1/2), the exponent's field steps where m wraps around
        bits = builder.add(builder.bitcast(args[0], integer), integer((bias << mantissa) - sqrt_half))
        fraction = builder.and_(bits, integer((1 << mantissa) - 1))
        m = builder.bitcast(builder.add(fraction, integer(sqrt_half)), real)
        n = builder.add(builder.lshr(bits, integer(mantissa)), builder.bitcast(args[1], integer))
        n = builder.fsub(builder.bitcast(n, real), builder.fadd(args[1], real(float(bias))))
        return context.make_tuple(builder, signature.return_type, (builder.fsub(m, real(1.0)), n))

    return types.UniTuple(x, 2)(x, round_to), codegen


# exp, expm1: x = n ln 2 + r, |r| <= ln 2 / 2; e**r = 1 + r + r**2 q(r).

INVERSE_LN2 = Real(1.4426950408889634, 1.4426950408889634)
# ln 2 in two parts (Cody and Waite): n times the first is exact, with or without fma
LN2_HIGH = Real(float32=0.693145751953125, float64=0.6931471805598903)
LN2_LOW = Real(float32=1.42860677e-06, float64=5.497923018708371e-14)
# e**x is 0 below and infinite above
EXP_RANGE = Real(float32=(-104.0, 89.0), float64=(-746.0, 710.0))
# q, error of e**r - 1: 2**-25.8, 2**-54.5
EXP = Real(
    float32=(0.49999997, 0.166665226, 0.0416676067, 0.00836924184, 0.00138559437),
    float64=(
        0.500000000000001, 0.16666666666666674, 0.04166666666652095, 0.008333333333322127, 0.0013888888948140007,
        0.00019841269886836392, 2.4801486965350888e-05, 2.7557242059340425e-06, 2.7632791582662336e-07,
        2.5110154340462048e-08,
    ),
)  # fmt: skip


def clamp(x, limits):
    """x within the limits; a nan stays one."""
    x = select(x < limits[0], limits[0], x)
    return select(x > limits[1], limits[1], x)


def reduce(x):
    """(r, n + ROUND) with x = n ln 2 + r."""
    rounded = fma(x, INVERSE_LN2, ROUND)
    n = rounded - ROUND
    return fma(-n, LN2_LOW, fma(-n, LN2_HIGH, x)), rounded


def exp_reduced(r):
    """e**r for |r| <= ln 2 / 2."""
    return fma(r, fma(r, polynomial(r, EXP), 1.0), 1.0)


@compiles(exp)
def compiled_exp(x):
    """2**n e**r. The scale is put on in two factors, so that a subnormal result is rounded once and a huge one is inf."""
    r, rounded = reduce(clamp(x, EXP_RANGE))
    n = rounded - ROUND
    half = fma(n, 0.5, ROUND)
    return exp_reduced(r) * power_of_two(half) * power_of_two(n - (half - ROUND) + ROUND)


EXPM1_RANGE = Real(float32=(-18.0, 89.0), float64=(-38.0, 710.0))
EXPM1_IS_X = Real(float32=2.0**-26, float64=2.0**-55)


@compiles(expm1)
def compiled_expm1(x):
    """2 (s (e**r - 1) + s - 1/2) with s = 2**(n - 1), which does not overflow before the result does."""
    r, rounded = reduce(clamp(x, EXPM1_RANGE))
    s = power_of_two(rounded - 1.0)
    y = 2.0 * fma(s, fma(r * r, polynomial(r, EXP), r), s - 0.5)
    return select(abs(x) < EXPM1_IS_X, x, y)  # keeps the sign of zero, and the last bit of a subnormal


# log, log1p: x = m 2**n; with f = m - 1, s = f / (2 + f), z = s**2: log m = 2 atanh(s) = 2 s + s z L(z), and since
# 2 s = f - s f, log m = f - (h - s (h + z L(z))) with h = f**2 / 2, whose leading term f is exact (msun's e_log.c).

SMALLEST_NORMAL = Real(float32=2.0**-126, float64=2.0**-1022)
MANTISSA_BITS = Real(float32=23.0, float64=52.0)
TWO_TO_MANTISSA_BITS = Real(float32=2.0**23, float64=2.0**52)
# L, error of log m: 2**-29.2, 2**-58.6
LOG = Real(
    float32=(0.666667759, 0.399760455, 0.299268633),
    float64=(
        0.666666666666671, 0.3999999999952001, 0.2857142872950143, 0.22222199041589363, 0.18183575325531778,
        0.15313042015979694, 0.1481194810087596,
    ),
)  # fmt: skip


def log_split(f, n):
    """log((1 + f) 2**n)."""
    s = f / (2.0 + f)
    z = s * s
    h = 0.5 * f * f
    return fma(n, LN2_HIGH, f - (h - fma(s, fma(z, polynomial(z, LOG), h), n * LN2_LOW)))


def at_the_edges(y, x):
    """y, but for the logarithm's special values: log(0) = -inf, log(inf) = inf, log(x < 0) and log(nan) = nan."""
    y = select(x < inf, y, x)
    return select(x > 0.0, y, select(x == 0.0, -inf, nan))


@compiles(log)
def compiled_log(x):
    """n ln 2 + log m; a subnormal x is first scaled to a normal one."""
    subnormal = x < SMALLEST_NORMAL
    f, n = split(select(subnormal, x * TWO_TO_MANTISSA_BITS, x), ROUND)
    return at_the_edges(log_split(f, select(subnormal, n - MANTISSA_BITS, n)), x)


def log_of_one_and(x):
    """log(u) with u = 1 + x > 0; what was lost in rounding u is given back to m, exactly so where n = 0."""
    u = 1.0 + x
    lost = x - (u - 1.0)
    f, n = split(u, ROUND)
    down = select(n > 60.0, -60.0, -n)  # nothing is lost, and 2**-n not always normal, where n > 60
    return log_split(fma(lost, power_of_two(down + ROUND), f), n)


@compiles(log1p)
def compiled_log1p(x):
    """The logarithm of 1 + x, and at 0 the sign of x."""
    return select(x == 0.0, x, at_the_edges(log_of_one_and(x), 1.0 + x))


@compiles(tanh)
def compiled_tanh(x):
    """e / (e + 2) with e = e**(2 |x|) - 1, and the sign of x.

    Computed as h - h q with h = e / 2, q = e / (e + 2) near 0, and as 1 - q with q = 2 / (e + 2) away from it, so that what
    q lost in rounding counts for little.
    """
    e = expm1(2.0 * abs(x))
    near = e < 2.0
    leading = select(near, 0.5 * e, 1.0)
    return copysign(fma(-leading, select(near, e, 2.0) / (e + 2.0), leading), x)


compiles(sigmoid)(sigmoid)  # as it stands, it has no branches


@compiles(softplus)
def compiled_softplus(x):
    """max(x, 0) + log(1 + e**-|x|), the logarithm of a number from 1 to 2, with no edges to mind."""
    return select(x < 0.0, 0.0, x) + log_of_one_and(exp(-abs(x)))


square_root = math.sqrt  # in `specialize`, `math.sqrt` would read as our own name


@compiles(sqrt)
def compiled_sqrt(x):
    """The processor's, which is exact."""
    return square_root(x)


# erf(x) = x + x p(x**2) up to ERF_MIDDLE, and 1 - e**-g(x) from there to where it rounds to 1.

ERF_MIDDLE = Real(float32=0.875, float64=1.0)
ERF_RANGE = Real(float32=3.95, float64=6.0)
# p, error of erf: 2**-26.1, 2**-56.0
ERF_SMALL = Real(
    float32=(0.128379151, -0.376125038, 0.112819217, -0.0267704874, 0.00499893585, -0.000602057204),
    float64=(
        0.12837916709551256, -0.37612638903183343, 0.11283791670936955, -0.026866170641960584, 0.005223977596754516,
        -0.0008548325486227837, 0.00012055280543518577, -1.492446673726409e-05, 1.6444166494894864e-06,
        -1.6184130923549248e-07, 1.3617378069801707e-08, -7.60921209751807e-10,
    ),
)  # fmt: skip
# g, error of erf: 2**-28.9, 2**-56.7
ERF_LARGE = Real(
    float32=(0.000133580368, 1.12793612, 0.636737168, 0.104327656, -0.0224203616, 0.00309235184, -0.000201004717),
    float64=(
        5.028557792070397e-07, 1.128374089415466, 0.6366436283757748, 0.10270343866756149, -0.018990177092990886,
        -0.00041063062984702923, 0.0019159466192977344, -0.0007706463186186678, 0.00013505268722488478,
        2.026531078217466e-05, -2.282189280898766e-05, 8.666951415191581e-06, -2.135620501638239e-06,
        3.7329137594363895e-07, -4.6421194092239094e-08, 3.9340898091264305e-09, -2.0448591527695293e-10,
        4.928333587530191e-12,
    ),
)  # fmt: skip


@compiles(erf)
def compiled_erf(x):
    """The nearer to 0 the result, the less of it may come from a difference: hence the two formulas."""
    size = abs(x)
    size = select(size > ERF_RANGE, ERF_RANGE, size)
    small = fma(x, polynomial(x * x, ERF_SMALL), x)
    r, rounded = reduce(-polynomial(size, ERF_LARGE))
    large = fma(-exp_reduced(r), power_of_two(rounded), 1.0)
    return select(size < ERF_MIDDLE, small, copysign(large, x))
