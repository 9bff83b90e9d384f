"""The compiled side of fastnn, imported as `fastnn.kernels`.

Its folders are layers, each of which imports only from those before it: processor, compiling, elementwise, products,
activations, losses and optimizers, interpreter, layers, training, embedded. Functions for Python to call are
`fastnn.compiled`; `fastnn.kernels.linear_forward` and its like are aliases of them.
"""

from .processor.undisturbed import import_foreign

import_foreign()


def __getattr__(name):
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from fastnn import compiled  # on first use: the folders here know nothing of it

    return getattr(compiled, name)


def __dir__():
    from fastnn import compiled

    return dir(compiled)
