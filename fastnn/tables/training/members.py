"""The members of a model: networks of one architecture, each trained on other rows, and averaged into one network.

The rows that are not held out for the test are dealt into as many parts as there are members, with the same share of each
class. A member is trained on all parts but its own, which determines its best epoch. So every row serves both purposes, and
the outputs of each row by the member that did not see it (`unseen`) are an honest sample of the errors on new rows.

A feature may vary in the whole table and be constant in the rows of one member, such as a category that occurs once. Its
weights in that member mean nothing: they are replaced by what they add to the bias for that constant. So are the vectors of
embedded categories that are in none of these rows (`embedded`).

The average is taken before the last activation: of the values in regression, of the logarithms of the probabilities, up to
a constant, in classification. Linear members (`linear`) are added to it with weights from the rows held out (`mixing`): one
of the features without the bins of numbers, and one of all features.
"""

import math
import time

import numpy as np

from ...callbacks import EarlyStopping
from ...checks.caller_warning import collected, warn_caller
from ...fitting.schedules import CosineDecay
from ...kernels.optimizers.adamw import AdamW
from ...layers import Activation, Average, Dense, Parallel
from ...network.network import Network
from ...population.population import Population
from ...population.recipe import k_folds
from .embedded import first_layers, without_unlearned
from .mixing import Mixture
from .networks import as_chain, new_network, targets_of


class Members:
    """Trained networks.

    Attributes
    ----------
    network : Network
        The average of the members; the member itself if there is one.
    histories : list of History
    best_epochs : list of int
        The epoch of each member, from 0, whose weights it has.
    unseen : array (rows, outputs)
        The outputs for the rows of `validated`, by members that were not trained on them.
    validated : array of int
        Rows that a member held out.
    weights : dict of str to float
        The weight of the mean of the networks and of each linear member; empty without linear members.
    seconds : float
        Duration of training, without compilation.
    """

    def __init__(self, network, histories, best_epochs, unseen, validated, weights, seconds):
        self.network, self.histories, self.best_epochs = network, histories, best_epochs
        self.unseen, self.validated, self.weights, self.seconds = unseen, validated, weights, seconds


def deal(labels, training, validation, count, seed):
    """Return (training rows, validation rows) for each member. training, validation: the parts for a single one."""
    if count == 1:
        return [(training, validation)]
    held_in = np.sort(np.concatenate([training, validation]))
    folds = k_folds(len(held_in), min(count, len(held_in)), seed, labels=None if labels is None else labels[held_in])
    return [(held_in[learned], held_in[held]) for learned, held in folds]


def train_members(matrix, y, target, folds, recipe, sizes, progress, linear=None, weights=None, tokens=None):
    """Train one network for each of `folds`, and the linear members; return Members.

    y: the encoded target. linear: {name of a linear member: numbers of the features that it may use}; default one with all.
    weights: (rows,) of at least 0, with the mean 1. tokens: the features that hold numbers of categories, see
    `Preprocessing.tokens`.
    """
    tokens = tokens or {}
    linear = {"linear": np.arange(matrix.shape[1])} if linear is None else linear
    epochs, batch_size, learning_rate = sizes
    wanted, layers = targets_of(target, y), [*first_layers(matrix.shape[1], tokens), *recipe.layers]

    def new(count):
        return [new_network(layers, target, matrix.shape[1], recipe.seed + k) for k in range(count)]

    def fit(networks, folds, epochs):
        steps = epochs * math.ceil(min(len(learned) for learned, _ in folds) / batch_size)
        rate = CosineDecay(learning_rate, steps=steps)
        population = Population(networks)
        best = EarlyStopping("val_loss", patience=epochs, mode="min", restore_best=True)  # it never stops the fit
        _, messages = collected(
            population.fit, matrix, wanted, epochs=epochs, batch_size=batch_size,
            optimizer=AdamW(rate, weight_decay=recipe.weight_decay), rows=[learned for learned, _ in folds],
            validation_rows=[held for _, held in folds], sample_weight=weights, callbacks=[best], threads=recipe.threads,
            progress=progress)
        if population.errors:
            raise next(iter(population.errors.values()))
        for message in messages:
            warn_caller(message)
        return population

    few = folds[0][0][:batch_size], folds[0][1][:batch_size]
    fit(new(1), [few], 1)  # kernels are compiled or loaded before the time is measured
    start = time.perf_counter()
    population = fit(new(len(folds)), folds, epochs)
    seconds = time.perf_counter() - start
    best = [callbacks[0] for callbacks in population.callbacks]
    if not all(each.best is not None and math.isfinite(each.best) for each in best):
        raise ValueError("the loss on the validation rows is not finite in any epoch, so that none is the best: a number of "
                         f"{target.name!r} or of a feature there is far beyond those of the training rows; mend it, or say "
                         "that it means missing (--missing)")
    if len(folds) > 1:
        for network, (learned, _) in zip(population, folds, strict=True):
            without_unlearned(network, matrix, learned, tokens)
    networks = [as_chain(network, layers, target) for network in population]
    unseen = [network.forward(matrix[held], threads=recipe.threads)
              for network, (_, held) in zip(networks, folds, strict=True)]
    validated, mixture = [held for _, held in folds], Mixture()
    if linear and recipe.has_linear(len(folds)) and any(part.linear for part in target.parts):
        start = time.perf_counter()
        mixture = Mixture.of_target(matrix, y, target, folds, unseen, linear, recipe.seed, weights)
        validated, unseen = validated[:len(mixture.unseen)], mixture.unseen
        seconds += time.perf_counter() - start
    network = combined(networks, layers, target, mixture)
    return Members(network, population.histories, [each.best_epoch for each in best], np.concatenate(unseen),
                   np.concatenate(validated), mixture.weights, seconds)


def combined(networks, layers, target, mixture):
    """Return the network whose output is that of the mixture: a Parallel of all members, averaged, and its activation."""
    if len(networks) == 1 and mixture.weight is None:
        return networks[0]
    branches = [[*layers, Dense(target.outputs)] for _ in networks]
    if mixture.weight is not None:
        branches.append([Dense(mixture.weight.shape[1])])
    whole = Network([Parallel(Average(), *branches), Activation(target.activation)], inputs=networks[0].inputs)
    factor = mixture.factor * len(branches) / len(networks)  # the average divides by the number of branches
    arrays = []
    for network in networks:
        *inner, weight, bias = network.parameters.values()
        arrays += [*inner, factor * weight, factor * bias]
    if mixture.weight is not None:
        arrays += [len(branches) * mixture.weight, len(branches) * mixture.bias]
    for own, array in zip(whole.parameters.values(), arrays, strict=True):
        own[...] = array
    state = [array for network in networks for array in network.state.values()]
    for own, array in zip(whole.state.values(), state, strict=True):
        own[...] = array
    return whole
