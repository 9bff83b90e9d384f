"""Sums along a row in eight independent chains, which the processor adds in parallel. The length determines the order."""

from ..compiling.jit import jit


def chained_sum(term):
    """Return the compiled function Σⱼ term(x, y, j) over the elements of the rows x and y."""
    term = jit(term, inline=True)

    @jit
    def chained(x, y):
        s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = x.dtype.type(0)
        whole = len(x) - len(x) % 8
        for j in range(0, whole, 8):
            s0 += term(x, y, j)
            s1 += term(x, y, j + 1)
            s2 += term(x, y, j + 2)
            s3 += term(x, y, j + 3)
            s4 += term(x, y, j + 4)
            s5 += term(x, y, j + 5)
            s6 += term(x, y, j + 6)
            s7 += term(x, y, j + 7)
        for j in range(whole, len(x)):
            s0 += term(x, y, j)
        return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))

    return chained


dot = chained_sum(lambda x, y, j: x[j] * y[j])
_total = chained_sum(lambda x, y, j: x[j])


@jit
def total(x):
    """Σⱼ xⱼ."""
    return _total(x, x)
