"""Streams: sequences that a network is fed step by step."""

import os

import numpy as np

from ..checks import an_instance, path_name, shown, whole_number
from ..files import streams as files
from ..layers import row_shape
from ..program.step import StreamProgram
from ..runtime.memory import Views
from ..samples.arrays import any_array, check_finite, real_array
from . import predicting


class Stream:
    """Sequences that a network is fed step by step, with the state that it keeps of them; see `Network.stream`.

    The outputs after each step are those of the network for the sequence so far, to the bit. The weights are those of the
    network: it sees later training, while the state remains as earlier steps left it.

    One stream is for one Python thread at a time; any number of streams may run at the same time.

    Parameters
    ----------
    network : Network
    streams : int, optional
        The number of sequences that are fed together. By default there is one, and arrays have no axis for it.

    Attributes
    ----------
    state : mapping of str to array
        Live, writable views by the name of the layer: "0.h", the state of a recurrent layer, "1.c", the cells of an LSTM,
        "2.past", the steps that the next window of a Conv1D needs. Of shape (numbers,), or (streams, numbers).

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import GRU, Dense, Network
    >>> net = Network([GRU(8), Dense(2, "softmax")], inputs=(None, 3))
    >>> x = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    >>> stream = net.stream()
    >>> for step in x:
    ...     out = stream.step(step)
    >>> np.array_equal(out, net.forward([x])[0])
    True
    >>> stream.state
    stream.state: 0.h (8,)
    """

    def __init__(self, network, streams=None):
        self.streams = None if streams is None else whole_number("streams", streams)
        self.network, self.program = network, StreamProgram(network, streams or 1, axis_of_streams=streams is not None)
        self._step, self._steps = self.program.step, self.program.steps
        self._shape = row_shape(network.shapes[-1])
        self._is_plain = len(self._shape) == 1
        arrays = self.program.views_of_state()
        self.state = Views("stream.state", arrays if streams is not None else {name: a[0] for name, a in arrays.items()})
        self.reset()

    def step(self, x):
        """Feed one step; return the outputs (outputs,), or (streams, outputs), in the network's dtype.

        Parameters
        ----------
        x : array (features,), or (streams, features)
            Of tokens a whole number, or an array (streams,).

        Raises
        ------
        ValueError
            If x does not fit. The state is as before then.
        """
        out = self._step(x)
        if out is None:
            out = self._step(self._checked(x, 0))
        return out if self._is_plain else out.reshape(*out.shape[:-1], *self._shape)

    def steps(self, x):
        """Feed several steps; return the outputs after each, (steps, outputs), or (streams, steps, outputs).

        Parameters
        ----------
        x : array (steps, features), or (streams, steps, features)
            Of tokens (steps,), or (streams, steps).
        """
        x = self._checked(x, 1)
        if self.streams is not None:
            x = np.ascontiguousarray(x.swapaxes(0, 1))
        most = self.program.most
        found = [self._steps(x[first:first + most]) for first in range(0, len(x), most)]
        if not found:
            found = [np.empty((0, *[self.streams] * (self.streams is not None), *self._shape), self.network.dtype)]
        out = found[0] if len(found) == 1 else np.concatenate(found)
        if self.streams is not None:
            out = np.ascontiguousarray(out.swapaxes(0, 1))
        return out if self._is_plain else out.reshape(*out.shape[:1 + (self.streams is not None)], *self._shape)

    def predict(self, x):
        """Feed one step; return what `Network.predict` would for the sequence so far: a label or values.

        Of several streams, one for each.
        """
        out = self.step(x)
        predicted = predicting.predictions(self.network, out if self.streams is not None else out[None])
        return predicted if self.streams is not None else predicted[0]

    def reset(self, which=None):
        """Begin new sequences: set the state to what it is before the first step.

        Parameters
        ----------
        which : int, array of int or of bool, optional
            The numbers of the streams, or a mask; by default all.
        """
        if which is not None and self.streams is None:
            raise ValueError(f"reset(which) is {shown(which)}; there is one stream here: call reset() without it")
        begin, state = 0, self.program.first_state()
        for array in self.program.views_of_state().values():
            first = state[begin:begin + array.shape[1]]
            begin += array.shape[1]
            if which is None:
                array[:] = first
                continue
            try:
                array[which] = first
            except IndexError:
                raise ValueError(f"reset(which) is {shown(which)}; it must be numbers from 0 to {self.streams - 1}, or a "
                                 f"mask of {self.streams}") from None

    def copy(self):
        """Return another stream of the same network, in the same state; what either is fed leaves the other as it is."""
        twin = type(self)(self.network, self.streams)
        twin.program.whole_state()[:] = self.program.whole_state()
        return twin

    __copy__ = copy

    def save(self, path):
        """Write the state to a safetensors file, atomically; the network is saved apart from it."""
        files.save(self, path_name("path", path))

    @classmethod
    def load(cls, path: str | os.PathLike, network) -> "Stream":
        """Read the state that `save` wrote, for a network of the same architecture.

        Raises
        ------
        ModelFormatError
            If the file is not one of `save`, or its state is not that of the network.
        """
        from .network import Network

        return files.load(cls, path_name("path", path), an_instance("network", network, Network))

    def __reduce__(self):
        return restore, (self.network, self.streams, self.program.whole_state().copy())

    def __repr__(self):
        of = "one" if self.streams is None else str(self.streams)
        return f"<Stream: {of} of {self.network!r}>"

    def _checked(self, x, leading):
        """Return x as the array that compiled code takes; leading: 1 with an axis of steps, else 0."""
        step, tokens, streams = row_shape(self.network.shapes[0]), self.network.tokens, self.streams
        axes = ("streams",) * (streams is not None) + ("steps",) * leading
        array = any_array("x", x)
        if step == (1,) and array.ndim == len(axes):
            array = array[..., None]
        sizes = array.shape[:len(axes)]
        if array.ndim != len(axes) + len(step) or array.shape[len(axes):] != step or (
                streams is not None and sizes[0] != streams):
            one = " × ".join(map(str, step)) or "one token"
            wanted = ", ".join([*(str(streams) if axis == "streams" else axis for axis in axes), *map(str, step)])
            hint = "; several steps are fed by steps(x)" if not leading and array.ndim == len(axes) + len(step) + 1 else ""
            if leading and array.ndim == len(axes) + len(step) - 1:
                hint = "; one step is fed by step(x)"
            elif leading and len(step) == 1 and array.shape[-2:-1] == step and array.ndim == len(axes) + 1:
                hint = "; if the steps run along the last axis, give x.swapaxes(-1, -2)"
            raise ValueError(f"x has shape {array.shape}; it must be ({wanted}), a step of this network has {one}{hint}")
        if tokens:
            array = np.asarray(array)
            if array.dtype.kind not in "iu" and array.size:
                raise ValueError(f"x holds {array.dtype}; tokens are whole numbers from 0 to {tokens - 1}")
            wrong = array[(array < 0) | (array >= tokens)] if array.size else array
            if wrong.size:
                raise ValueError(f"x holds token {int(wrong.flat[0])}; with a vocabulary of {tokens} tokens they run from 0 "
                                 f"to {tokens - 1}")
            array = np.require(array, np.int32, ["C", "A"])
            return array.reshape(1) if array.ndim == 0 else array
        array = real_array("x", array, self.network.dtype)
        check_finite("x", array)
        return array if type(array) is np.ndarray else np.asarray(array)


def restore(network, streams, state):
    """Make a stream again from the result of `Stream.__reduce__`."""
    stream = Stream(network, streams)
    stream.program.whole_state()[:] = state
    return stream
