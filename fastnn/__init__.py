"""fastnn: neural networks trained and run on the CPU, from kernels written in Python and compiled by Numba."""

from .files import ModelFormatError
from .history import History
from .initializers import initializers
from .kernels.activations import activations
from .kernels.losses import losses
from .kernels.optimizers import optimizers
from .kernels.optimizers.adam import Adam
from .layers import Dense
from .network import Network
from .training import Callback, DivergenceError

__version__ = "0.1.0"
__all__ = [
    "Adam", "Callback", "Dense", "DivergenceError", "History", "ModelFormatError", "Network", "activations", "initializers",
    "losses", "optimizers",
]
