"""The memory of a network: all that training changes, in flat vectors."""

from ..kernels.compiling.objects import address
from ..layers import parameter_shapes, state_shapes
from ..runtime.memory import ParameterVector


class Vectors:
    """What makes a network what it is, beside its architecture.

    Attributes
    ----------
    parameters, state : ParameterVector
        What training learns, and what layers remember beside that. Their `flat` is one array, their `views` are by name.
    random : array (1 + layers,) of uint64
        The words that random numbers are drawn from: the first for shuffling, then one for each layer.
    """

    def __init__(self, layers, shape, dtype, random):
        self.parameters = ParameterVector(parameter_shapes(layers, shape), dtype)
        self.state = ParameterVector(state_shapes(layers, shape), dtype, "network.state")
        self.random = random

    @property
    def arrays(self):
        """All that training changes here."""
        return self.parameters.flat, self.state.flat, self.random

    @property
    def by_name(self):
        """Live views of parameters and state by name."""
        return {**self.parameters.views, **self.state.views}

    def random_word(self, index):
        """The address of the word that layer number `index` draws its random numbers from."""
        return address(self.random[1 + index:])

    def copies_by_name(self):
        """Copies of the same, for `set_arrays`."""
        return {name: view.copy() for name, view in self.by_name.items()}

    def set_arrays(self, arrays):
        """Copy in arrays for all of parameters and state, by name."""
        for name, view in self.by_name.items():
            view[...] = arrays[name]

    def copies(self):
        """Copies of parameters, random words and state, for `set_copies`: what a pickle of a network holds."""
        return self.parameters.flat.copy(), self.random.copy(), self.state.flat.copy()

    def set_copies(self, parameters, random, state):
        """Take over what `copies` of a network of the same architecture gives, of any dtype."""
        self.parameters.flat[:], self.random[:], self.state.flat[:] = parameters, random, state
