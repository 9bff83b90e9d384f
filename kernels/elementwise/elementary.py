"""Elementary functions that a compiler can vectorize: exp, expm1, log, log1p, tanh, sigmoid, softplus, erf, sqrt.

In plain Python they are the functions of `math`, extended to infinities and poles as IEEE 754 specifies (`exp(1000) = inf`,
`log(0) = -inf`, `log(-1) = nan`). In compiled code, for float32 and float64, they are the polynomials below. These have no
branches on the data: both sides of a choice are computed and one is selected. So a loop of them becomes full-width vector
code, and an element has the same bits in the vectorized body of a loop and in its scalar remainder.

Largest error seen, in units in the last place, over millions of samples in float32 and thousands in float64, with fused
multiply-add. Without it, exp reaches 1.2, expm1 1.7 and tanh 2.05. tests/kernels/elementwise/test_elementary.py checks these
limits against mpmath.

             exp  expm1  log   log1p  tanh  sigmoid  softplus  erf   sqrt
    float32  0.92  1.59  0.83  1.38   1.86   1.69      1.81    1.08  0.50
    float64  0.83  1.58  0.80  1.26   1.85   1.48      1.54    0.97  0.50

The polynomials are minimax fits, computed by Remez exchange in 40 digits. The float32 coefficients were then rounded one by
one from the lowest, and the remaining ones fitted again. The error beside each is relative to the function and excludes
rounding.
"""

import math
from collections import namedtuple
from math import inf, nan

from llvmlite import ir

from ..compiling.trace import Real, Traced, constant, fma, select, traced

__all__ = ["erf", "exp", "expm1", "log", "log1p", "sigmoid", "softplus", "sqrt", "tanh"]


def __getattr__(name):
    """Return any other attribute of `math`: the compiled form of a user's function reads `math` from this module."""
    return getattr(math, name)


# Called by plain Python.


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
    """1 / (1 + e**-x)."""
    e = exp(-abs(x))
    return e / (1.0 + e) if x < 0.0 else 1.0 / (1.0 + e)


def softplus(x):
    """log(1 + e**x) = max(x, 0) + log(1 + e**-|x|)."""
    return (0.0 if x < 0.0 else x) + log1p(exp(-abs(x)))


def erf(x):
    """The error function, 2/sqrt(pi) times the integral of e**-t**2 from 0 to x."""
    return math.erf(x)


def sqrt(x):
    """The square root; nan below 0."""
    return nan if x < 0.0 else math.sqrt(x)


# Called by compiled code: arithmetic without branches. First the operations that Python lacks. Those on bits vectorize on
# every processor, because they avoid what AVX2 lacks for 64 bits: the arithmetic shift, and conversions between integers and
# floats.

Layout = namedtuple("Layout", ["integer", "mantissa", "bias", "sqrt_half"])
LAYOUT = {
    "float32": Layout(ir.IntType(32), 23, 127, 0x3F3504F3),
    "float64": Layout(ir.IntType(64), 52, 1023, 0x3FE6A09E667F3BCD),
}
# Adding this to a number of moderate size rounds the number to an integer and leaves it in the lowest bits of the sum.
ROUND = Real(float32=1.5 * 2.0**23, float64=1.5 * 2.0**52)


def polynomial(x, coefficients):
    """coefficients[0] + coefficients[1] x + coefficients[2] x**2 + ... by Horner's scheme."""
    *lower, highest = getattr(coefficients, x.dtype)
    total = x.convert(highest)
    for coefficient in reversed(lower):
        total = fma(total, x, coefficient)
    return total


def copysign(magnitude, sign):
    return magnitude.intrinsic("copysign", sign)


def power_of_two(rounded, more=0):
    """2**(n + more) for n + more from -bias + 1 to bias, given n + ROUND: its lowest bits are shifted into the exponent."""
    integer, mantissa, bias, _ = LAYOUT[rounded.dtype]
    integer, builder = rounded.like(integer), rounded.builder
    n = builder.shl(builder.bitcast(rounded.value, integer), constant(integer, mantissa))
    return Traced(builder, builder.bitcast(builder.add(n, constant(integer, (bias + more) << mantissa)), rounded.type))


def split(x):
    """(m - 1, n) with x = m 2**n and sqrt(1/2) <= m < sqrt(2), for a normal, positive x."""
    integer, mantissa, bias, sqrt_half = LAYOUT[x.dtype]
    integer, builder = x.like(integer), x.builder
    # counted from sqrt(1/2), the exponent increases where m wraps around
    bits = builder.add(builder.bitcast(x.value, integer), constant(integer, (bias << mantissa) - sqrt_half))
    fraction = builder.and_(bits, constant(integer, (1 << mantissa) - 1))
    m = builder.bitcast(builder.add(fraction, constant(integer, sqrt_half)), x.type)
    n = builder.lshr(bits, constant(integer, mantissa))
    n = builder.bitcast(builder.add(n, builder.bitcast(x.convert(ROUND).value, integer)), x.type)
    return Traced(builder, m) - 1.0, Traced(builder, n) - (getattr(ROUND, x.dtype) + bias)


# exp, expm1: x = n ln 2 + r, |r| <= ln 2 / 2; e**r = 1 + r + r**2 q(r).

INVERSE_LN2 = Real(1.4426950408889634, 1.4426950408889634)
# ln 2 in two parts (Cody and Waite): n times the first part is exact, with or without fma
LN2_HIGH = Real(float32=0.693145751953125, float64=0.6931471805598903)
LN2_LOW = Real(float32=1.42860677e-06, float64=5.497923018708371e-14)
# e**x is 0 below and infinite above
EXP_RANGE = Real(float32=-104.0, float64=-746.0), Real(float32=89.0, float64=710.0)
# q, error of e**r - 1: 2**-25.8, 2**-54.5
EXP = Real(
    float32=(0.49999997, 0.166665226, 0.0416676067, 0.00836924184, 0.00138559437),
    float64=(
        0.500000000000001, 0.16666666666666674, 0.04166666666652095, 0.008333333333322127, 0.0013888888948140007,
        0.00019841269886836392, 2.4801486965350888e-05, 2.7557242059340425e-06, 2.7632791582662336e-07,
        2.5110154340462048e-08,
    ),
)  # fmt: skip


def clamp(x, low, high):
    """x limited to [low, high]; nan stays nan."""
    x = select(x < low, low, x)
    return select(x > high, high, x)


def reduce(x):
    """(r, n + ROUND) with x = n ln 2 + r."""
    rounded = fma(x, INVERSE_LN2, ROUND)
    n = rounded - ROUND
    return fma(-n, LN2_LOW, fma(-n, LN2_HIGH, x)), rounded


def exp_reduced(r):
    """e**r for |r| <= ln 2 / 2."""
    return fma(r, fma(r, polynomial(r, EXP), 1.0), 1.0)


@traced(exp)
def compiled_exp(x):
    """2**n e**r. The factor is applied in two steps, so that a subnormal result is rounded once and a huge one is inf."""
    r, rounded = reduce(clamp(x, *EXP_RANGE))
    n = rounded - ROUND
    half = fma(n, 0.5, ROUND)
    return exp_reduced(r) * power_of_two(half) * power_of_two(n - (half - ROUND) + ROUND)


# 2**t = 2**n (1 + f q(f)), t = n + f, |f| <= 1/2; error of 2**f: 2**-27.5, 2**-53.6
EXP2 = Real(
    float32=(0.69314724, 0.24022655, 0.055502724, 0.009617063, 0.0013418203, 0.00015820508),
    float64=(
        0.6931471805599457, 0.2402265069591012, 0.05550410866480358, 0.009618129107590044, 0.0013333558148241097,
        0.00015403530469976318, 1.5252733578949612e-05, 1.3215426240469917e-06, 1.0177739938797286e-07,
        7.07568080893911e-09, 4.5503619271523773e-10,
    ),
)  # fmt: skip
EXP2_NORMAL = Real(float32=-126.0, float64=-1022.0)


def exp2_of_product(x, factor):
    """2**(x factor) for `Traced` numbers with x factor <= 0; 0 where it would be subnormal.

    It takes half of the operations of exp: the product is rounded only when n has been taken off, and nothing is clamped.
    """
    rounded = fma(x, factor, ROUND)
    n = rounded - ROUND
    f = fma(x, factor, -n)
    return select(n < EXP2_NORMAL, 0.0, fma(f, polynomial(f, EXP2), 1.0) * power_of_two(rounded))


EXPM1_RANGE = Real(float32=-18.0, float64=-38.0), EXP_RANGE[1]
EXPM1_IS_X = Real(float32=2.0**-26, float64=2.0**-55)


@traced(expm1)
def compiled_expm1(x):
    """2 (s (e**r - 1) + s - 1/2) with s = 2**(n - 1), which does not overflow before the result does."""
    r, rounded = reduce(clamp(x, *EXPM1_RANGE))
    s = power_of_two(rounded - 1.0)
    y = 2.0 * fma(s, fma(r * r, polynomial(r, EXP), r), s - 0.5)
    return select(abs(x) < EXPM1_IS_X, x, y)  # x keeps the sign of zero and the last bit of a subnormal number


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


def with_special_values(y, x):
    """Return y, except for the special values log(0) = -inf, log(inf) = inf, log(x < 0) = nan and log(nan) = nan."""
    y = select(x < inf, y, x)
    return select(x == 0.0, -inf, select(x > 0.0, y, nan))


@traced(log)
def compiled_log(x):
    """n ln 2 + log m; a subnormal x is first scaled to a normal number."""
    subnormal = x < SMALLEST_NORMAL
    f, n = split(select(subnormal, x * TWO_TO_MANTISSA_BITS, x))
    return with_special_values(log_split(f, select(subnormal, n - MANTISSA_BITS, n)), x)


def log_one_plus(x):
    """log(u) with u = 1 + x > 0. The rounding error of u is added back to m; this is exact where n = 0."""
    u = 1.0 + x
    lost = x - (u - 1.0)
    f, n = split(u)
    down = select(n > 60.0, -60.0, -n)  # above 60 the correction is negligible, and 2**-n may be subnormal
    return log_split(fma(lost, power_of_two(down + ROUND), f), n)


@traced(log1p)
def compiled_log1p(x):
    """log(1 + x), with the sign of x at 0."""
    return select(x == 0.0, x, with_special_values(log_one_plus(x), 1.0 + x))


# beyond this, tanh rounds to 1
TANH_RANGE = Real(float32=9.5, float64=20.0)
# 2**n is computed as 2**(n + k) 2**-k, of which the first is normal also where the second makes the product subnormal
UPWARDS, DOWNWARDS = Real(64, 512), Real(2.0**-64, 2.0**-512)


def exponentials_less_1(exponents):
    """Return the lists of e**r - 1 and of n + ROUND, where each exponent is n ln 2 + r."""
    r, rounded = zip(*(reduce(x) for x in exponents), strict=True)
    squares, coefficients = [x * x for x in r], getattr(EXP, r[0].dtype)
    # pairs c + d r are the coefficients of powers of r**2: as many operations as Horner's scheme has, in half as many steps
    q = None
    for first, *second in reversed([coefficients[k:k + 2] for k in range(0, len(coefficients), 2)]):
        pair = [fma(x, second[0], first) if second else x.convert(first) for x in r]
        q = pair if q is None else [fma(square, a, b) for square, a, b in zip(squares, q, pair, strict=True)]
    return [fma(square, a, x) for square, a, x in zip(squares, q, r, strict=True)], rounded


def sigmoids_and_tanhs(of_sigmoid, of_tanh):
    """Return the list of sigmoid of some numbers, then of tanh of others.

    Both are a - a q, where the rounding error of q has little weight, and nothing overflows:

        sigmoid    e = e**-|x|                  q = e / (1 + e)    a = e for x < 0, else 1
        tanh       h = (e**(2 |x|) - 1) / 2     q = a / (1 + h)    a = min(h, 1), and the result has the sign of x

    Each step is emitted for all numbers before the next step. One number alone is a chain of dependent operations that takes
    60 cycles, and a processor looks ahead over few such chains.
    """
    count = len(of_sigmoid)
    negative, positive = [-abs(x) for x in of_sigmoid], [abs(x) for x in of_tanh]
    p, rounded = exponentials_less_1([select(x < EXP_RANGE[0], EXP_RANGE[0], x) for x in negative]
                                     + [2.0 * select(x > TANH_RANGE, TANH_RANGE, x) for x in positive])
    powers = ([power_of_two(n, getattr(UPWARDS, n.dtype)) * DOWNWARDS for n in rounded[:count]]
              + [power_of_two(n, -1) for n in rounded[count:]])
    e = [fma(s, each, s) for s, each in zip(powers[:count], p[:count], strict=True)]
    h = [fma(s, each, s - 0.5) for s, each in zip(powers[count:], p[count:], strict=True)]
    a = [select(x < 0.0, each, 1.0) for x, each in zip(of_sigmoid, e, strict=True)] + [select(x < 1.0, x, 1.0) for x in h]
    sums = [1.0 + each for each in (*e, *h)]
    q = [b / total for b, total in zip((*e, *a[count:]), sums, strict=True)]
    results = [fma(-b, each, b) for b, each in zip(a, q, strict=True)]
    return results[:count] + [copysign(each, x) for each, x in zip(results[count:], of_tanh, strict=True)]


@traced(tanh)
def compiled_tanh(x):
    return sigmoids_and_tanhs([], [x])[0]


@traced(sigmoid)
def compiled_sigmoid(x):
    return sigmoids_and_tanhs([x], [])[0]


SQRT2_LESS_1 = math.sqrt(2.0) - 1.0


@traced(softplus)
def compiled_softplus(x):
    """max(x, 0) + log(1 + f) with f = e**-|x|. As 1 + f lies in (1, 2], the exponent n of the logarithm is 0 or 1."""
    f = compiled_exp(-abs(x))
    large = f > SQRT2_LESS_1
    return select(x > 0.0, x, 0.0) + log_split(select(large, 0.5 * (f - 1.0), f), select(large, 1.0, f.convert(0.0)))


@traced(sqrt)
def compiled_sqrt(x):
    """The square root instruction of the processor, which is correctly rounded."""
    return x.intrinsic("sqrt")


# erf(x) = x + x p(x**2) up to ERF_MIDDLE, then 1 - e**-g(x) until it rounds to 1.

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


@traced(erf)
def compiled_erf(x):
    """erf(x) by two formulas, because near 0 a difference such as 1 - e**-g loses digits."""
    size = abs(x)
    size = select(size > ERF_RANGE, ERF_RANGE, size)
    small = fma(x, polynomial(x * x, ERF_SMALL), x)
    r, rounded = reduce(-polynomial(size, ERF_LARGE))
    large = fma(-exp_reduced(r), power_of_two(rounded), 1.0)
    return select(size < ERF_MIDDLE, small, copysign(large, x))
