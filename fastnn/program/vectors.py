"""The memory of a network: everything that training changes, in flat vectors."""

from functools import cache

from ..kernels.compiling.objects import address
from ..runtime.memory import ParameterVector


@cache
def no_state(dtype):
    """Return the state of networks whose layers have none."""
    return ParameterVector({}, dtype, "network.state")


class Vectors:
    """The parameters, state and random words of a network.

    Attributes
    ----------
    parameters, state : ParameterVector
        The parameters, and the state of the layers. `flat` is one array, `views` are views of it by name.
    random : array (1 + layers,) of uint64
        The words from which random numbers are drawn: the first for shuffling, then one for each layer.
    """

    def __init__(self, graph, dtype, random):
        named = None if graph.is_chain else graph.named
        self.parameters = ParameterVector(graph.parameter_shapes(), dtype, named=named)
        shapes = graph.state_shapes()
        self.state = ParameterVector(shapes, dtype, "network.state", named) if shapes else no_state(dtype)
        self.random = random

    @property
    def arrays(self):
        """Return all arrays that training changes."""
        return self.parameters.flat, self.state.flat, self.random

    @property
    def by_name(self):
        """Return live views of parameters and state by name."""
        return {**self.parameters.views, **self.state.views}

    def random_word(self, index):
        """Return the address of the random word of layer number `index`."""
        return address(self.random[1 + index:])

    def copies_by_name(self):
        """Return copies of the views by name, for `set_arrays`."""
        return {name: view.copy() for name, view in self.by_name.items()}

    def set_arrays(self, arrays):
        """Copy arrays to all parameters and state, by name."""
        for name, view in self.by_name.items():
            view[...] = arrays[name]

    def copies(self):
        """Return copies of parameters, random words and state, for `set_copies`; a pickle of a network contains them."""
        return self.parameters.flat.copy(), self.random.copy(), self.state.flat.copy()

    def set_copies(self, parameters, random, state):
        """Copy the result of `copies` of a network of the same architecture, of any dtype."""
        self.parameters.flat[:], self.random[:], self.state.flat[:] = parameters, random, state
