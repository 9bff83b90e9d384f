"""The cross entropy with label smoothing (Szegedy et al. 2016, section 7): a sure target is taken for not quite sure.

Of K classes and a rate ε, the target y becomes (1 − ε) y + ε / K, so that no output is driven towards infinity;
"smoothed_cross_entropy_0.1" has ε = 0.1, as PyTorch's `CrossEntropyLoss(label_smoothing=0.1)`.
"""

from ..compiling.jit import REAL, Kernel, calls, view
from . import Loss, cross_entropy, families, loss_arguments, register


def smoothing_kernel(name, base, rate, classes):
    """The kernel `base`, for smoothed targets. classes: their number; 0 for that of the columns."""
    call = calls(base)

    def build(dtype):
        real = REAL[dtype]

        def kernel(row_losses, da, a, y, weights, rows, columns):
            y_ = view(y, 0, rows * columns)
            kept, share = real(1.0 - rate), real(rate / (classes or columns))
            for i in range(rows * columns):
                y_[i] = kept * y_[i] + share
            call(y_, (row_losses, da, a, y, weights, rows, columns))

        return kernel

    return Kernel(f"{name}_loss", build, loss_arguments, needs=(base,))


def smoothed(base, name, rate, classes):
    """Return the record of a loss for smoothed targets; arguments as for `smoothing_kernel`."""

    def smooth(y):
        share = rate / (classes or len(y))
        return [(1.0 - rate) * each + share for each in y]

    def smooth_array(y):
        return (1 - rate) * y + rate / (classes or y.shape[-1])

    base_value, base_prime, of_rows = base.value, base.prime, base.rowwise

    def value(a, y):
        y = smooth(y)
        return base_value(a, y) if of_rows else sum(map(base_value, a, y))

    def prime(a, y):
        y = smooth(y)
        return base_prime(a, y) if of_rows else list(map(base_prime, a, y))

    def vectorized(a, y):
        found = base.vectorized(a, smooth_array(y))
        return found if of_rows else found.sum(axis=-1)

    smoothly = f"y ← {1 - rate:g} y + {rate:g} / {classes or 'K'}"
    return Loss(
        name=name,
        formula=f"{base.formula}, {smoothly}",
        prime_formula=f"{base.prime_formula}, {smoothly}",
        value=value,
        prime=prime,
        vectorized=vectorized,
        vectorized_prime=lambda a, y: base.vectorized_prime(a, smooth_array(y)),
        rowwise=True,
        domain=base.domain,
        targets=base.targets,
        on_logits={activation: smoothed(on_logits, f"{activation}_{name}", rate, classes)
                   for activation, on_logits in base.on_logits.items()},
        kernel=smoothing_kernel(name.replace(".", "p"), base.kernel, rate, classes),
    )


def family(base, classes):
    """Return the function that makes the record of a name with a rate."""

    def of_rate(name, rate):
        if not 0.0 < rate < 1.0:
            raise ValueError(f"loss {name!r} smooths labels by {rate:g}; the rate must be between 0 and 1, as in "
                             f"'smoothed_{base.name}_0.1', and without smoothing the loss is {base.name!r}")
        return smoothed(base, name, rate, classes)

    return of_rate


families["smoothed_cross_entropy"] = of_rate = family(cross_entropy.record, 0)
register(of_rate("smoothed_cross_entropy_0.1", 0.1))
