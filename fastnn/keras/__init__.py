"""Networks from files of Keras, .keras and .h5. Needs h5py: pip install "fastnn-numba[keras]". Keras need not be installed.

Of the file, the architecture is read as JSON and the weights as arrays; nothing in it is executed.
"""

from .reading import load_keras

__all__ = ["load_keras"]


def __dir__():
    return __all__
