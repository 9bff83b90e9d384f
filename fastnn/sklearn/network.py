"""A network as scikit-learn trains one: with its penalty on the weights, its loss with it, and its order of the samples."""

import numpy as np

from ..kernels.alpha_penalty import penalty_gradient_row, penalty_loss_row
from ..layers import Dense
from ..network import Network
from ..program import TrainingProgram
from ..threads import FLOPS_PER_PART
from ..training import Trainer


class PenalizedProgram(TrainingProgram):
    """Training with the penalty of the network's `alpha` (`kernels/alpha_penalty.py`) in loss and gradients."""

    def alpha_penalties(self):
        """What the rows of the penalty need to know of each weight, or nothing for none."""
        network = self.network
        for name in network.weight_names if network.alpha[0] > 0 else ():
            rows, columns = network._parameters.shapes[name]
            yield {"start": self.offsets[name], "rows": rows, "columns": columns, "alpha": network.alpha.ctypes.data}

    def input_tensor(self):
        for weight in self.alpha_penalties():  # before the layers, so after their gradients
            parts = self.parts(2 * self.batch * weight["rows"] * weight["columns"], FLOPS_PER_PART)
            self.emit(penalty_gradient_row(self.dtype, min(parts, weight["rows"]), **weight))
        return super().input_tensor()

    def table(self):
        for weight in self.alpha_penalties():  # after the loss
            self.emit(penalty_loss_row(self.dtype, **weight))
        return super().table()


class EstimatorTrainer(Trainer):
    """Epochs in the order that scikit-learn draws: each shuffles the order of the one before."""

    program_type = PenalizedProgram

    def reorder(self, word):
        indices = np.arange(len(self.order))
        self.network.generator.shuffle(indices)
        self.order[:] = self.order[indices]
        return word


class EstimatorNetwork(Network):
    """A network with a penalty of strength `alpha[0]` whose samples are shuffled by the RandomState `generator`."""

    _trainer_type = EstimatorTrainer

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.alpha, self.generator = np.zeros(1), None

    @property
    def dense_indices(self):
        """Which of the layers are dense."""
        return [index for index, layer in enumerate(self.layers) if isinstance(layer, Dense)]

    @property
    def weight_names(self):
        return [f"{index}.weight" for index in self.dense_indices]

    @property
    def weights(self):
        """Live views of the weights, (in_features, out_features) each."""
        return [self.parameters[name] for name in self.weight_names]

    @property
    def biases(self):
        """Live views of the biases, (out_features,) each."""
        return [self.parameters[f"{index}.bias"] for index in self.dense_indices]

    def snapshot(self):
        """A copy of all that training changes in the layers, for `restore`."""
        return [view.copy() for view in self.layer_arrays()]

    def restore(self, snapshot):
        for view, copy in zip(self.layer_arrays(), snapshot, strict=True):
            view[...] = copy

    def layer_arrays(self):
        """Live views of the parameters, and of what layers remember beside them."""
        return [*self.parameters.values(), *self.state.values()]
