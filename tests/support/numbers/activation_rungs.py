"""Activations, elementwise and row-wise, in loops, in NumPy and compiled."""

from guarded import Guarded, filled


def naive_forward(activation, z):
    return activation.value(z) if activation.rowwise else [activation.value(each) for each in z]


def naive_backward(activation, da, z, a):
    if activation.rowwise:
        return activation.prime(da, z, a)
    return [da[j] * activation.prime(z[j], a[j]) for j in range(len(z))]


def vectorized_backward(activation, da, z, a):
    return activation.vectorized_prime(da, z, a) if activation.rowwise else da * activation.vectorized_prime(z, a)


def compiled_forward(activation, z):
    a = filled(z.shape, z.dtype)
    activation.forward(z.dtype.name, a.array, z, *z.shape)
    assert a.intact()
    return a.array


def compiled_backward(activation, da, z, a):
    dz = Guarded(da)
    activation.backward(z.dtype.name, dz.array, z, a, *z.shape)
    assert dz.intact()
    return dz.array
