"""A network that is trained as in scikit-learn: with its penalty on the weights, its loss and its order of the samples."""

import numpy as np

from ..fitting.trainer import Trainer
from ..network.network import Network
from ..program import TrainingProgram
from ..samples.series.sequences import Sequences
from ..samples.several import Inputs


class PenalizedProgram(TrainingProgram):
    """Training with the penalty ½ α ‖W‖² / Σᵢ wᵢ of the network's `alpha`, where wᵢ are the sample weights of the batch."""

    @classmethod
    def kind(cls, network, *given):
        return *super().kind(network, *given), network.alpha[0]

    def lower_steps(self, wiring, inputs):
        network = self.network
        self.penalties.shared = True
        for name in network.weight_names:
            self.emit_penalty(self.offsets[name], network.parameters[name].size, 0.0, network.alpha[0] / 2)
        return super().lower_steps(wiring, inputs)


class EstimatorTrainer(Trainer):
    """Epochs in scikit-learn's order: each shuffles the order of the one before."""

    program_type = PenalizedProgram

    def reorder(self, word):
        indices = np.arange(len(self.order))
        self.network.generator.shuffle(indices)
        self.order[:] = self.order[indices]
        return word


class EstimatorNetwork(Network):
    """A network with a penalty of strength `alpha[0]`, whose samples are shuffled by the RandomState `generator`."""

    trainer_type = EstimatorTrainer

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.alpha, self.generator = np.zeros(1), None

    @property
    def weight_names(self):
        return [name for name in self.parameters if name.endswith(".weight")]

    @property
    def weights(self):
        """Live views of the weights; those of a dense layer are (in_features, out_features)."""
        return [self.parameters[name] for name in self.weight_names]

    @property
    def biases(self):
        """Live views of the biases, (out_features,) each."""
        return [view for name, view in self.parameters.items() if name.endswith(".bias")]

    def shaped(self, X):
        """Return samples (samples, features) in the shape of the network's inputs; sequences and Inputs as they are."""
        if isinstance(X, Inputs):
            return X if self.has_several else X.arrays[0]
        if isinstance(X, Sequences):
            return X
        return X.reshape(len(X), *self.shapes[0])

    def targets(self, y):
        """Return targets as `fit` takes them: those of several outputs, one in each column, by name."""
        return dict(zip(self.graph.outputs, y.T, strict=True)) if self.several_outputs else y

    def snapshot(self):
        """Return a copy of everything that training changes in the layers, for `restore`."""
        return [view.copy() for view in self.layer_arrays()]

    def restore(self, snapshot):
        for view, copy in zip(self.layer_arrays(), snapshot, strict=True):
            view[...] = copy

    def layer_arrays(self):
        """Live views of the parameters and of the state of the layers."""
        return [*self.parameters.values(), *self.state.values()]
