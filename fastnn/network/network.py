"""Network: the Python class that checks arguments, plans, and calls compiled code."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Self

import numpy as np
from numba.core.typing.typeof import typeof_impl
from numpy.typing import ArrayLike, NDArray

from .. import onnx
from .. import pytorch as torch_weights
from ..architecture.objective import objectives_of
from ..checks import float_dtype, path_name, true_or_false, whole_number
from ..checks.other_arguments import takes_others
from ..checks.other_attributes import METHODS, NotSet, advice_on
from ..files import checkpoint
from ..files import networks as files
from ..fitting import one_batch
from ..fitting.fits import Fits
from ..fitting.history import History
from ..fitting.lbfgs import LBFGS
from ..fitting.trainer import Trainer
from ..kernels.activations import activations
from ..kernels.embedded.model import Model
from ..kernels.optimizers import Optimizer
from ..layers import Node, is_ragged, numbers_of
from ..program import embedded_model, small_prediction
from ..program.vectors import Vectors
from ..runtime.quiet import new_generator, quiet
from ..runtime.threads import resolve_threads
from ..samples.class_names import checked_names, checked_names_of_each
from ..samples.columns import check_columns
from ..samples.data import check_data
from ..samples.metrics import choose
from ..samples.scale import Scale, Scales
from . import describing, differentiating, predicting, training, transfer
from .making import arguments_of, check_objectives, checked_mean, ends_of, structure
from .stream import Stream

INITIAL_WEIGHTS, SHUFFLING = (0,), (1,)  # the random numbers of a seed, as keys of NumPy's SeedSequence


class Network:
    """A neural network of layers, trained and run on the CPU by compiled kernels.

    Parameters
    ----------
    layers : list of layers
        First to last, such as `[Dense(64, "relu"), Dense(3, "softmax")]`. A graph has `inputs` and `outputs` instead.
    inputs : int or tuple of int
        The number of features of a sample, or its shape, such as (height, width, channels). X is then `(samples, *shape)`.
        For sequences of any length, (None, features), or (None,) for whole-number tokens; X is then a list of arrays or a
        `Sequences`.
        Of a graph: the node that `fastnn.Input` gave, or several as a list or a dict by name.
    loss : str or dict, optional
        One of `fastnn.losses`. Default: "cross_entropy" after softmax, "binary_cross_entropy" after sigmoid, else
        "squared_error". "output" is the output itself, without targets. Or "ctc", for outputs at each step of sequences
        whose targets are shorter sequences of labels.
        Of several outputs: a dict with a loss for each by name, or a list in their order, of losses or tuples
        (loss, factor); the loss of the network is the sum of theirs, each times its factor.
    dtype : {"float32", "float64"}
        Of parameters, activations and outputs.
    seed : int or None
        Determines the initial weights and the shuffling: the same seed gives the same bits on the same type of machine, for
        any number of threads. None draws a new seed.
    outputs : Node, list or dict of str to Node, optional
        Of a graph: the node that layers gave when they were called on nodes, or several by name. X and y, predictions and
        metrics then go by these names. Layers without a name are called by their number in the order of the graph: depth
        first from the outputs, through what each layer reads in the order given, a layer after all that it reads. Initial
        weights and random numbers follow that order.
    mean : {"steps", "sequences"}, default "steps"
        What the loss of outputs at each step is the mean of: all steps that count, so that long sequences count more, or
        sequences, each the mean of its steps. Weights of sequences multiply the latter; weights of steps weigh within a
        sequence.

    Attributes
    ----------
    parameters : mapping of str to array
        Live, writable views by name: "0.weight" (in_features, out_features), "0.bias" (out_features,), "1.weight", … Of
        layers with names: "encoder.weight", …
    state : mapping of str to array
        Views of the state of the layers: "1.running_mean" of a `BatchNorm`, …
    widths : list of int
        The number of elements of a sample before the first layer and after each layer. `inputs` and `outputs` are the first
        and the last.
    columns : list or None
        The columns of the data frame of the last fit, of a network with one input; otherwise None. Files and copies do not
        keep them.
    fitted_on : fastnn.samples.scale.Scale, Scales or None
        Whether the images of the last fit were bytes or floats, and the largest number among them; of several inputs, for
        each. Prediction warns of the other kind on another scale. None before the first fit, and for samples that are no
        images.
    shapes : list of tuple
        The shape of a sample before the first layer and after each layer; of a graph, in its order.
    input_shapes, output_shapes : dict of str to tuple
        The shapes of a sample of the inputs and outputs, by name.
    vectors
        For code that extends the network: the flat memory of parameters and state.
    objective
        Likewise, the loss and the meaning of the outputs.
    graph
        Likewise, the layers, their names and shapes.
    wiring
        Likewise, the tensors that each layer reads.
    fits
        Likewise, the state shared by fits.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Dense, Network
    >>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> y = np.array([0, 1, 1, 0])
    >>> net = Network([Dense(8, "tanh"), Dense(2, "softmax")], inputs=2, seed=0)
    >>> history = net.fit(X, y, epochs=500, batch_size=4, optimizer="adam")
    >>> net.predict(X)
    array([0, 1, 1, 0])

    A graph, whose layers are called on nodes:

    >>> from fastnn import Input
    >>> x = Input(2)
    >>> h = Dense(8, "tanh")(x, name="hidden")
    >>> net = Network(inputs=x, outputs=Dense(2, "softmax")(h + Dense(8)(h)))
    >>> list(net.parameters)[:3]
    ['hidden.weight', 'hidden.bias', '1.weight']
    """

    trainer_type = Trainer  # trains its epochs
    trainable, learning_rate, metrics = NotSet(), NotSet(), NotSet()
    columns = None

    @takes_others("Network")
    def __init__(self, layers: Sequence | None = None, inputs: int | Sequence | Node | Mapping | None = None,
                 loss: str | Mapping | list | None = None, dtype: str = "float32", seed: int | None = 0, *,
                 outputs: Node | Sequence | Mapping | None = None, mean: str = "steps") -> None:
        self._make(layers, inputs, loss, dtype, seed, outputs, mean)
        self._initialize()

    def _make(self, layers, inputs, loss, dtype, seed, outputs=None, mean="steps"):
        """Make a network with weights and state of zeros."""
        self.graph = graph = structure(layers, inputs, outputs)
        for layer, shape in zip(graph.layers, graph.taken, strict=True):
            layer.check_functions(shape)
        self.layers, self.shapes, self.wiring = graph.layers, graph.shapes, graph.wiring
        self.dtype = float_dtype("dtype", dtype)
        self.widths = [numbers_of(shape) for shape in self.shapes]
        self.several_outputs = len(graph.outputs) * (len(graph.outputs) > 1)
        self.has_several = len(graph.inputs) > 1 or self.several_outputs > 0
        self.is_ragged = is_ragged(self.shapes[0]) and not self.has_several
        self.gives_steps = is_ragged(self.shapes[self.wiring.outputs[0]]) and len(graph.outputs) == 1
        self.objective = objectives_of(*ends_of(graph), loss)
        check_objectives(graph, self.objectives, self.gives_steps and not self.has_several)
        self.mean = checked_mean(self, mean)
        if seed is not None:
            seed = whole_number("seed", seed, least=0, most=math.inf)
        random = quiet(np.random.SeedSequence(seed, spawn_key=SHUFFLING).generate_state, 1 + len(self.layers), np.uint64)
        self.seed, self.vectors = seed, Vectors(graph, self.dtype, random)
        self.fits, self.stop_training = Fits(self.vectors.parameters.size, self.dtype), False
        self.idle_programs = {}  # {plan: programs of predictions and searches that may be used again}
        self.fitted_on, self._class_names, self._vocabularies = None, None, {}

    def _initialize(self):
        generator = new_generator(np.random.SeedSequence(self.seed, spawn_key=INITIAL_WEIGHTS))
        parameters, state, begun = self.vectors.parameters.numbered, self.vectors.state.numbered, set()
        for index, layer, _, activation in self.wiring.steps:
            if index in begun:
                continue
            begun.add(index)
            first = layer.initial_parameters(self.graph.taken[index], generator, activations[activation])
            for name, values in first.items():
                parameters[f"{index}.{name}"][...] = values
            for name, values in layer.initial_state().items():
                state[f"{index}.{name}"][...] = values

    @property
    def parameters(self) -> Mapping[str, np.ndarray]:
        return self.vectors.parameters.views

    @property
    def state(self) -> Mapping[str, np.ndarray]:
        return self.vectors.state.views

    @property
    def inputs(self) -> int:
        """The number of elements of a sample, or of a step of a sequence."""
        if len(self.graph.inputs) > 1:
            raise AttributeError("this network has several inputs; their shapes are in input_shapes")
        return self.widths[0]

    @property
    def outputs(self) -> int:
        """The number of outputs of a sample: of all its positions, if they have several axes."""
        if self.several_outputs:
            raise AttributeError("this network has several outputs; their shapes are in output_shapes")
        return self.widths[self.wiring.outputs[0]]

    @property
    def step_outputs(self) -> tuple[bool, ...]:
        """Whether each output has a row for each step of sequences of any length."""
        return tuple(is_ragged(self.shapes[tensor]) for tensor in self.wiring.outputs)

    @property
    def objectives(self) -> tuple:
        """The objective of each output."""
        return self.objective.each

    @property
    def loss(self) -> str | dict:
        """The name of the loss; of several outputs, a dict by name."""
        return self.objective.given

    @loss.setter
    def loss(self, given):
        raise AttributeError(f"the loss of a network stays; make another, Network(..., loss={given!r}), and take the "
                             "weights with copy_weights(net)")

    @property
    def loss_factors(self) -> tuple[float, ...]:
        """The factor of the loss of each output in the loss of the network."""
        return self.objective.factors

    @property
    def heads(self) -> tuple:
        """The meaning of each output."""
        return tuple(objective.head for objective in self.objectives)

    @property
    def multiply_adds(self) -> int:
        """The approximate number of multiply-adds of a sample, or of a step."""
        return self.graph.multiply_adds

    @property
    def least_steps(self) -> int:
        """The least number of steps of a sequence that all layers can take."""
        return self.graph.least_steps(0)

    @property
    def tokens(self) -> int | None:
        """The size of the vocabulary, where samples are sequences of tokens; otherwise None."""
        return self.graph.tokens(0)

    @property
    def input_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of a sample of each input, by name; "input" if it has none."""
        return dict(zip(self.graph.inputs, self.shapes, strict=False))

    @property
    def output_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of a sample of each output, by name; "output" if it has none."""
        return {name: self.shapes[tensor] for name, tensor in zip(self.graph.outputs, self.wiring.outputs, strict=True)}

    def steps_of_outputs(self, lengths: NDArray | list, number: int = 0) -> NDArray:
        """Return the numbers of steps of the outputs for sequences of these numbers of steps, where outputs have steps.

        Of several inputs, a list with those of each; None for one without steps. number: of one of several outputs.
        """
        return self.graph.steps_of_outputs(lengths, number)

    @property
    def vocabularies(self) -> dict:
        """What the tokens of its inputs mean: a dict of `fastnn.text.Vocabulary` or `fastnn.text.BytePairs` by the names of
        inputs; saved with it.

        That of the input which is given the tokens written so far is the vocabulary of the output too. Its tokens are
        followed by one that stands before the first and behind the last, so `Embedding` and output need
        `len(vocabulary) + 1`. Assign a dict; an empty one removes them.
        """
        return dict(self._vocabularies)

    @vocabularies.setter
    def vocabularies(self, given):
        from ..decoding import check_vocabularies

        self._vocabularies = check_vocabularies(self, given)

    def translate(self, texts: str | Sequence[str], *, width: int = 1, most: int = 100,
                  length_power: float = 0.0) -> str | list[str]:
        """Return the likeliest outputs for texts as texts, token by token; it needs `vocabularies` of both inputs.

        Parameters
        ----------
        texts : str or list of str
        width : int, default 1
            How many hypotheses stay after each step. 1 takes the likeliest token at each step (greedy); more find likelier
            texts, see `fastnn.decoding.beam_search`.
        most : int, default 100
            The largest number of tokens of an output.
        length_power : float, default 0
            Results of several lengths are compared by their log-likelihood divided by length ** length_power.

        Returns
        -------
        str for one text, or list of str

        Raises
        ------
        ValueError
            If the network has no vocabularies, or no output of probabilities at each step beside a second input.
        """
        from ..decoding import translate

        return translate(self, texts, width=width, most=most, length_power=length_power)

    def attention_weights(self, X: ArrayLike, layer: str | int | None = None) -> list[NDArray]:
        """Return the weights with which a layer of attention averages the steps of its source, as in prediction.

        Parameters
        ----------
        X : samples, as for `predict`
        layer : str or int, optional
            Its name, or its number as in `summary`; by default the only layer of attention.

        Returns
        -------
        list of arrays (heads, queries, steps)
            One for each sample; the weights of each query sum to 1, over the steps of the source. `Attention` has one head,
            `AttentionPool` one head and one query. A row of zeros belongs to a query that has no steps to attend to.

        Raises
        ------
        ValueError
            If there is no such layer, or several and `layer` is None.

        Examples
        --------
        >>> import numpy as np
        >>> from fastnn import AttentionPool, Dense, Network
        >>> net = Network([AttentionPool(), Dense(2, "softmax")], inputs=(None, 3))
        >>> net.attention_weights([np.ones((4, 3)), np.ones((2, 3))])[0]
        array([[[0.25, 0.25, 0.25, 0.25]]], dtype=float32)
        """
        from .attention_weights import attention_weights

        return attention_weights(self, X, layer)

    @property
    def is_classifier(self) -> bool:
        """Whether outputs are probabilities: the last activation is softmax or sigmoid, or the loss requires them."""
        return self.objective.head.probabilities

    @takes_others("fit")
    def fit(self, X: ArrayLike, y: ArrayLike, *, epochs: int = 1, batch_size: int = 32,
            optimizer: Optimizer | LBFGS | str | None = None, validation_data: tuple | None = None,
            validation_split: float | None = None, sample_weight: ArrayLike | None = None,
            class_weight: Mapping | str | None = None, shuffle: bool = True, metrics: Sequence = (),
            callbacks: Iterable = (), threads: int | None = None, progress: bool | None = None,
            resume: bool = False, frozen: Sequence[str] | str | None = None,
            learning_rate_factors: Mapping[str, float] | None = None,
            weight_decays: Mapping[str, float] | None = None,
            backprop_steps: int | None = None, accumulate: int = 1) -> History:
        """Train on the samples, starting from the current weights.

        Parameters
        ----------
        X : array (samples, inputs), or `(samples, *shape)` where `inputs` is a shape
            For sequences, a list of arrays (steps, features), or a `Sequences`; for several inputs, a dict by name. y
            likewise, for outputs at every step and for several outputs. Later data frames with the columns of this one in
            another order are refused.
        y : array, or None where all losses are "output", which have no targets (others than zeros then draw a warning)
            Integer or text labels (samples,), one-hot or probabilities (samples, outputs), or values (samples,) or
            (samples, outputs). For outputs with several axes, such as (height, width, channels), there are targets at each
            position: labels (samples, height, width), of which those that are -1 do not count, or probabilities or values
            (samples, height, width, channels). With loss="ctc", a list with a sequence of labels from 1 on for each sample.
        epochs : int
            The number of passes over all samples.
        batch_size : int
            The number of samples in a step; the last batch of an epoch may have fewer.
        optimizer : Optimizer, str or LBFGS, default "adam"
            Another fit with the same optimizer object (or the same name) continues with its state: 5 epochs and 5 more give
            the same bits as 10.
        validation_data : tuple (X, y) or (X, y, sample_weight), optional
            Evaluated after each epoch.
        validation_split : float, optional
            The share of the samples to hold out for validation, instead of `validation_data`. They are drawn at random by
            the network's seed, of each class the same share, and are the same in each fit with as many samples.
        sample_weight : array (samples,), optional
            The loss is the mean over the samples with these weights; at positions, the mean over all positions of all
            samples. It may then have a weight for each position, (samples, height, width), and those of 0 do not count.
        class_weight : "balanced" or dict of class to weight, optional
            Multiplies the sample weights of each class.
        shuffle : bool
            Whether each epoch uses a new random order of the samples.
        metrics : list of str, function or Metric
            Metrics to report in addition to the loss, such as ["f1", "auc"]: names from `fastnn.samples.metrics`, functions
            of targets and predictions (such as those of scikit-learn), or `fastnn.Metric`. They are computed after each
            epoch over all samples, without sample weights; those of the validation data have the prefix `val_`. This takes a
            forward pass over the training data, and one over the validation data.
        callbacks : list of Callback
        threads : int, optional
            The largest number of threads; default all. The number does not change the result.
        progress : bool, optional
            Whether to show a progress bar; by default in a terminal or notebook, for fits longer than a second.
        resume : bool
            Whether to resume the last fit of this network, until `epochs` epochs are done in total. That fit may have
            stopped during an epoch (Ctrl-C, an exception, a callback) or at its end, in this process or in a checkpoint.
            With the same data and options, the weights and the history are the same, to the bit, as without the
            interruption. The fit continues with its optimizer; pass the validation data, metrics and callbacks again. If
            there was no fit, a new one begins.
        frozen : list of str or str, optional
            Patterns of names of parameters and state that stay as they are, such as ["encoder.*"]; `*` stands for any
            characters. A layer of which everything is frozen, or all state, computes as in prediction: a `BatchNorm` by its
            running statistics. A resumed fit keeps those of the fit.
        learning_rate_factors : dict of str to float, optional
            Factors of the optimizer's learning rate for parameters by patterns of their names, such as {"encoder.*": 0.1}. A
            schedule is multiplied too. A factor of 0 leaves them to the weight decay; `frozen` leaves them as they are.
        weight_decays : dict of str to float, optional
            Weight decays of parameters by patterns of their names, instead of that of the optimizer, such as
            ``{"*.bias": 0.0}``.
        backprop_steps : int, optional
            Truncated backpropagation through time, for long sequences with a target at each step: sequences are cut into
            windows of so many steps, a batch has a window of each of `batch_size` sequences, and the next batch continues
            them. The states of recurrent layers carry over, and the gradient ends where the window begins. There is a step
            of the optimizer for each batch of windows. The states of the first window are those of any sequence.
        accumulate : int, default 1
            The number of batches whose gradients a step of the optimizer adds up, for batches that do not fit into memory:
            the step is that of a batch of `accumulate * batch_size` samples, up to rounding. Layers that look at the whole
            batch, such as `BatchNorm`, see `batch_size` samples.

        Returns
        -------
        History

        Raises
        ------
        ValueError
            If the data do not fit the network; nothing has changed then.
        RuntimeError
            If this network is already being trained. Different networks may be trained at the same time, each in its own
            thread, and any number of threads may predict with one network.
        DivergenceError
            If a step would produce numbers that are not finite. The error names the layer, epoch and batch, and everything
            is as it was before that step.
        """
        return training.fit(self, X, y, epochs=epochs, batch_size=batch_size, optimizer=optimizer,
                            validation_data=validation_data, validation_split=validation_split,
                            sample_weight=sample_weight, class_weight=class_weight,
                            shuffle=shuffle, metrics=metrics, callbacks=callbacks, threads=threads, progress=progress,
                            resume=resume, frozen=frozen, learning_rate_factors=learning_rate_factors,
                            weight_decays=weight_decays, backprop_steps=backprop_steps, accumulate=accumulate)

    def train_on_batch(self, X: ArrayLike, y: ArrayLike, *, optimizer: Optimizer | str | None = None,
                       sample_weight: ArrayLike | None = None, threads: int | None = None) -> float:
        """Take one step of training on these samples, for loops of your own; return their loss before the step.

        Weights, optimizer and random layers are afterwards, to the bit, as after `fit` of one epoch on these samples as one
        batch, without shuffling, with the same optimizer. A step is no fit: history, callbacks and `resume` are those of
        `fit`. For batches of a form (shapes and dtypes of X and y) that it knows, it takes a few microseconds beside
        the step itself.

        Parameters
        ----------
        X, y : array
            As for `fit`: all samples are one batch.
        optimizer : Optimizer or str, optional
            By default that of the last call, otherwise that of the last fit, otherwise "adam". Its state stays with the
            network: a checkpoint (`save_checkpoint`) of a network without a fit has it; a file of `save`, a copy and a
            pickle have none.
        sample_weight : array (samples,), optional
        threads : int, optional

        Returns
        -------
        float
            The mean loss, with the penalty of the weights.

        Raises
        ------
        DivergenceError
            If the step would produce numbers that are not finite; nothing has changed then.

        Examples
        --------
        >>> import numpy as np
        >>> from fastnn import SGD, Dense, Network
        >>> net, generator = Network([Dense(1)], inputs=2, seed=0), np.random.default_rng(0)
        >>> for _ in range(200):
        ...     X = generator.normal(size=(8, 2))
        ...     loss = net.train_on_batch(X, X[:, 0] - X[:, 1], optimizer=SGD(0.1) if net.optimizer is None else None)
        >>> loss < 1e-6
        True
        """
        return one_batch.train_on_batch(self, X, y, optimizer, sample_weight, threads)

    @property
    def optimizer(self) -> Optimizer | None:
        """The optimizer of the last or current fit; None before the first."""
        return None if self.fits.last is None else self.fits.last.optimizer

    @optimizer.setter
    def optimizer(self, given):
        raise AttributeError("the optimizer is an argument of fit: net.fit(X, y, optimizer=Adam(0.01))")

    @property
    def history(self) -> History | None:
        """The history of the last fit, complete or interrupted; None before the first."""
        return None if self.fits.last is None else self.fits.last.history

    def forward(self, X: ArrayLike, *, threads: int | None = None) -> NDArray:
        """Return the outputs (samples, outputs), or `(samples, *shapes[-1])`, in the network's dtype; of several, a dict.

        Row i depends only on X[i], to the bit.
        """
        if (threads is None or is_one(threads)) and self._may_be_few and (out := self._forward_few(X)) is not None:
            return out
        return predicting.forward(self, X, threads, self.idle_programs)

    def __call__(self, X: ArrayLike, *, threads: int | None = None) -> NDArray:
        """Return the outputs, as `forward` does."""
        if isinstance(X, Node):
            raise ValueError("a network is no layer of a graph; call its layers on the node, or a Chain of them, and take "
                             "its weights with copy_weights")
        return self.forward(X, threads=threads)

    def __getattr__(self, name):
        # called for names that are not there, and by Python for properties that raised an AttributeError
        if isinstance(own := getattr(type(self), name, None), property):
            return own.fget(self)
        raise AttributeError(advice_on(METHODS, name, "a network") or f"{type(self).__name__!r} object has no attribute "
                             f"{name!r}", name=name, obj=self)

    def predict(self, X: ArrayLike, *, threads: int | None = None, verbose: object = None,
                batch_size: object = None) -> NDArray:
        """Return labels (samples,) int64 of a classifier, 0 or 1 for each of several sigmoid outputs, or values.

        A classifier that was fitted on text returns text, one of `class_names` for each sample or step.
        Values have the shape (samples,) for one output, otherwise (samples, outputs). Outputs with several axes have a
        prediction at each position: labels (samples, height, width), values (samples, height, width, channels). With
        loss="ctc", predictions are the labels of the likeliest path, as `Sequences`. If a classifier's outputs are NaN, a
        DivergenceError is raised. `verbose` and `batch_size` are for code written for Keras and change nothing.

        Every sequence begins with the first state of its recurrent layers. To go on from another state, feed a `stream`.
        """
        if self._class_names is not None:
            return predicting.names_of(self._class_names, predicting.label_numbers(self, X, threads))
        if (threads is None or is_one(threads)) and self._may_be_few and (predicted := self._predict_few(X)) is not None:
            return predicted
        return predicting.predictions(self, self.forward(X, threads=threads))

    @property
    def class_names(self) -> tuple[str, ...] | dict[str, tuple[str, ...]] | None:
        """The names of the classes, 0 first, of a network fitted on text labels; None if labels are numbers.

        They are learned from y in the first fit, in alphabetical order. Set them before it if y lacks some, or for another
        order. A network with several outputs has a dict of the names of those whose labels are text.
        """
        return self._class_names

    @class_names.setter
    def class_names(self, names):
        if self.several_outputs:
            self._class_names = checked_names_of_each(self.graph.outputs, self.heads, names)
        else:
            self._class_names = checked_names(self.objective.head, names)

    @property
    def fitted_on(self) -> Scale | Scales | None:
        return self._fitted_on

    @fitted_on.setter
    def fitted_on(self, scale):
        self._fitted_on = scale
        # whether a few samples may be predicted without checks; floats for a network of bytes get one
        self._may_be_few = not (self.is_ragged or self.has_several) and (scale is None or scale.kind == "float")

    @cached_property
    def _forward_few(self):
        return small_prediction(self, predict=False)

    @cached_property
    def _predict_few(self):
        head = self.objective.head
        return small_prediction(self, predict=True) if head.taken == head.outputs else lambda X: None

    def predict_proba(self, X: ArrayLike, *, threads: int | None = None, verbose: object = None,
                      batch_size: object = None) -> NDArray:
        """Return probabilities (samples, classes), or (samples, 1) for one sigmoid output; at positions, the outputs.

        `verbose` and `batch_size` are as in `predict`.
        """
        predicting.check_probabilities(self.objective.head)
        return self.forward(X, threads=threads)

    @takes_others("evaluate")
    def evaluate(self, X: ArrayLike, y: ArrayLike, *, sample_weight: ArrayLike | None = None, metrics: Sequence = (),
                 threads: int | None = None) -> dict[str, float]:
        """Return {"loss": float}, with "accuracy" for a classifier: the fraction of correct predictions, without weights.

        At positions, those whose label is -1, or whose weight is 0, do not count. With loss="ctc" there is a
        "label_error_rate" instead: edits from the targets to the predictions, over the number of labels in the targets.

        metrics: additional metrics to report, as for `fit`.

        Examples
        --------
        >>> import numpy as np
        >>> from fastnn import Dense, Network
        >>> net, X = Network([Dense(1, "sigmoid")], inputs=1), np.array([[-2.0], [-1.0], [1.0], [2.0]])
        >>> net.parameters["0.weight"][:] = 1
        >>> net.evaluate(X, [0, 1, 1, 1], metrics=["recall", "auc"])["auc"]
        1.0
        """
        metrics, threads = choose(metrics, self.objective.head), resolve_threads(threads)
        check_columns(self.columns, X)
        return predicting.evaluate(self, check_data(self, X, y, sample_weight), metrics, threads)

    def loss_and_gradients(self, X: ArrayLike, y: ArrayLike, *, sample_weight: ArrayLike | None = None,
                           training: bool = False, threads: int | None = None) -> tuple[float, dict[str, NDArray]]:
        """Return the loss over all samples, and its gradients by the names of the parameters; nothing is updated.

        training: whether layers behave as in training: `Dropout` drops what the next step of `fit` would drop, `BatchNorm`
        normalizes by the given samples, which then form one batch. By default both behave as in prediction. A loss that is
        not finite raises DivergenceError.

        Examples
        --------
        >>> import numpy as np
        >>> from fastnn import Dense, Network
        >>> net = Network([Dense(1)], inputs=1, dtype="float64")
        >>> net.parameters["0.weight"][:] = 2
        >>> loss, gradients = net.loss_and_gradients(np.array([[3.0]]), np.array([5.0]))  # ½ (2·3 − 5)²
        >>> loss, float(gradients["0.weight"][0, 0])
        (0.5, 3.0)
        """
        data = check_data(self, X, y, sample_weight)
        return differentiating.loss_and_gradients(self, data, true_or_false("training", training), resolve_threads(threads))

    def loss_function(self, X: ArrayLike, y: ArrayLike, *, sample_weight: ArrayLike | None = None,
                      training: bool = False) -> Callable[[], float]:
        """Return a function without arguments that returns the loss over these samples for the current parameters.

        training: as for `loss_and_gradients`. A loss that is not finite is returned as NaN or infinity.
        """
        data = check_data(self, X, y, sample_weight)
        return differentiating.loss_function(self, data, true_or_false("training", training))

    def copy_weights(self, source: Network | Mapping, names: Sequence[str] = ("*",)) -> list[str]:
        """Copy parameters and state by name from another network, such as one that has learned from more data.

        Parameters
        ----------
        source : Network, or mapping of str to array
        names : list of str
            Patterns of names, such as ["encoder.*"]; by default all that both have.

        Returns
        -------
        list of str
            The names of what has been copied.

        Raises
        ------
        ValueError
            If a pattern matches nothing that both have, or shapes differ. Nothing has changed then.

        Examples
        --------
        >>> from fastnn import Dense, Input, Network
        >>> x = Input(4)
        >>> h = Dense(8, "tanh")(x, name="encoder")
        >>> large, small = Network(inputs=x, outputs=Dense(99, "softmax")(h)), Network(inputs=x, outputs=Dense(1)(h))
        >>> small.copy_weights(large, ["encoder.*"])
        ['encoder.weight', 'encoder.bias']
        """
        return transfer.copy_weights(self, source, names)

    def astype(self, dtype: str) -> Network:
        """Return a copy in another dtype, with the same architecture, parameters and state, without optimizer states."""
        twin = Network.with_zeros({**self.config(), "dtype": dtype}, self.seed)
        twin.vectors.set_copies(*self.vectors.copies())
        twin.fitted_on, twin.class_names = self.fitted_on, self.class_names
        if self._vocabularies:
            twin.vocabularies = self._vocabularies
        return twin

    def compiled(self, *, copy: bool = False, gradients: bool = True, steps: int | None = None) -> Model:
        """Return the network as a small tuple of arrays for use in `@njit` code, see `fastnn.jit`.

        Parameters
        ----------
        copy : bool
            Whether to copy the weights. By default the model shares the weights of the network: it sees later training, and
            changes of `model.parameters` in compiled code change the network.
        gradients : bool
            Whether gradients will be computed; if not, no kernel of the backward pass is compiled.
        steps : int, optional
            For networks of which an input has any number of steps: the largest number of steps of a sequence, for which
            `fastnn.jit.forward_sequence` reserves memory in each call. It then takes arrays in tuples, and any layers.
            Without it, networks of one input and output are fed step by step.

        Examples
        --------
        >>> import numpy as np, fastnn
        >>> from fastnn import Dense, Network
        >>> net, out = Network([Dense(1)], inputs=1), np.empty(1, np.float32)
        >>> live, frozen = net.compiled(), net.compiled(copy=True)
        >>> net.parameters["0.weight"][:] = net.parameters["0.bias"][:] = 4
        >>> fastnn.jit.forward_row(live, np.ones(1, np.float32), out)
        >>> out
        array([8.], dtype=float32)
        >>> bool(frozen.parameters[1] == 4)
        False
        """
        gradients = true_or_false("gradients", gradients)
        steps = None if steps is None else whole_number("steps", steps)
        return embedded_model.compiled(self.astype(self.dtype) if true_or_false("copy", copy) else self, gradients, steps)

    def stream(self, streams: int | None = None) -> Stream:
        """Return a stream, which feeds the network step by step and keeps its state; see `fastnn.Stream`.

        It is for networks whose inputs have any number of steps, inputs=(None, ...). After each step, its outputs are those
        of `forward` for the sequence so far, to the bit: those of the last step where outputs have steps, otherwise those of
        the sequence.

        Parameters
        ----------
        streams : int, optional
            The number of sequences that are fed together; by default one, for which arrays have no axis.

        Raises
        ------
        ValueError
            If an output depends on later steps, as that of a layer with reverse=True does. The error names the layer.

        Examples
        --------
        >>> import numpy as np
        >>> from fastnn import GRU, Network
        >>> stream = Network([GRU(4, return_sequences=True)], inputs=(None, 2)).stream(streams=3)
        >>> stream.step(np.zeros((3, 2))).shape
        (3, 4)
        >>> stream.reset(which=[1])
        """
        return Stream(self, streams)

    def config(self) -> dict:
        """Return the architecture as plain data, for `Network.from_config`."""
        return {**self.graph.config(), "loss": self.loss, "dtype": self.dtype,
                **({} if self.mean == "steps" else {"mean": self.mean})}

    @classmethod
    def from_config(cls, config: Mapping, seed: int | None = 0) -> Network:
        """Make a network with the architecture of `config` and new weights."""
        layers, inputs, options = arguments_of(config)
        return cls(layers, inputs, **options, seed=seed)

    @classmethod
    def with_zeros(cls, config: Mapping, seed: int | None = 0) -> Network:
        """As `from_config`, with zeros for all weights and state, which is faster if the caller sets them anyway."""
        if cls.__init__ is not Network.__init__:  # a subclass may do more
            return cls.from_config(config, seed)
        network, (layers, inputs, options) = cls.__new__(cls), arguments_of(config)
        cls._make(network, layers, inputs, **options, seed=seed)
        return network

    def save(self, path: str | os.PathLike) -> None:
        """Write the network to a safetensors file, atomically.

        While another thread trains the network, the file may mix numbers from before and after a step. A callback saves
        those of one step.
        """
        path = path_name("path", path)
        files.save(self, path)
        files.warn_of_suffix(path)

    @classmethod
    def load(cls, path: str | os.PathLike) -> Self:
        """Read a network that `save` wrote; raise ModelFormatError if the file is not one."""
        return files.load(cls, path_name("path", path))

    def to_onnx(self, path: str | os.PathLike) -> None:
        """Write the network to an ONNX file that other runtimes can run; see `fastnn.onnx.export`."""
        onnx.export(self, path_name("path", path))

    def load_torch(self, source: str | os.PathLike | Mapping, layers: Sequence[str] | None = None) -> None:
        """Load the weights of a PyTorch `state_dict`; see `fastnn.pytorch.load_torch`."""
        torch_weights.load_torch(self, source, layers)

    def save_checkpoint(self, path: str | os.PathLike) -> None:
        """Write the network and the state of its last fit, atomically, so that the fit can be resumed.

        In addition to the weights, the file contains the optimizer's hyperparameters, state and number of steps, the epoch
        and the batch, the random state, the history, and the states of the callbacks. Call it after a fit, complete or
        interrupted, or from a callback, best one with `runs_last`; `ModelCheckpoint(path, full=True)` is such a callback.
        The file does not contain the data. (A pickle or a copy of a network has only its weights and random state.)

        Examples
        --------
        >>> import os, tempfile
        >>> import numpy as np
        >>> from fastnn import Adam, Dense, LambdaCallback, Network
        >>> X, y = np.linspace(0, 1, 100)[:, None], np.linspace(0, 2, 100)
        >>> def stop(batch, logs):
        ...     net.stop_training = batch == 5
        >>> net = Network([Dense(8, "tanh"), Dense(1)], inputs=1)
        >>> history = net.fit(X, y, epochs=9, batch_size=10, optimizer=Adam(0.01),
        ...                   callbacks=[LambdaCallback(on_train_batch_end=stop)])
        >>> path = os.path.join(tempfile.mkdtemp(), "run.safetensors")
        >>> net.save_checkpoint(path)
        >>> resumed = Network.load_checkpoint(path)
        >>> history = resumed.fit(X, y, epochs=9, batch_size=10, resume=True)
        >>> never_stopped = Network([Dense(8, "tanh"), Dense(1)], inputs=1)
        >>> history["loss"] == never_stopped.fit(X, y, epochs=9, batch_size=10, optimizer=Adam(0.01))["loss"]
        True
        """
        checkpoint.save(self, path_name("path", path))

    @classmethod
    def load_checkpoint(cls, path: str | os.PathLike) -> Self:
        """Read a file of `save_checkpoint`, to continue with `fit(..., resume=True)`; raise ModelFormatError if invalid."""
        return checkpoint.load(cls, path_name("path", path))

    def summary(self) -> str:
        """Return a table of layer, output shape and parameters, with totals; a prompt and a notebook show it as printed."""
        return describing.summary_text(self)

    def _repr_html_(self):
        return describing.summary_html(self)

    def __reduce__(self):
        """Support pickle and copy: architecture, parameters, state and random numbers, but no optimizer states."""
        return restore, (type(self), self.config(), self.seed, *self.vectors.copies(), self.fitted_on, self.class_names,
                         self._vocabularies)

    def __repr__(self):
        return describing.represented(self)


def is_one(threads):
    """Return whether a valid number of threads is 1, so that a few samples may be predicted by one."""
    return type(threads) is int and threads == 1


typeof_impl.register(Network, embedded_model.typeof_network)


def restore(network_type, config, seed, parameters, random, state, fitted_on=None, class_names=None, vocabularies=None):
    """Make the network again from the result of `Network.__reduce__`."""
    network = network_type.with_zeros(config, seed)
    network.vectors.set_copies(parameters, random, state)
    network.fitted_on, network.class_names = fitted_on, class_names
    if vocabularies:
        network.vocabularies = vocabularies
    return network
