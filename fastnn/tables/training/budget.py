"""A budget in seconds: the number of members and of epochs that fit into it, by the measured time of an epoch.

Less time than the defaults take shortens the schedule, then leaves members out. More time than they take is not spent: 24
members in the place of 8 had 1.00 times their error on four tables, for three times their time. The same command may choose
other numbers on another machine, or beside other work; the note names them, so that they can be given.
"""

import math
import time

import numpy as np

from ...runtime.threads import resolve_threads
from .embedded import first_layers
from .networks import new_network, target_rows, targets_of

SPENT = 0.8  # of the budget: linear members, evaluation and files take the rest
FEWEST_EPOCHS, FEWEST_MEMBERS = 8, 2
ROWS = 4096  # for the measurement
LEAST = 0.05  # seconds of the measurement


def within(seconds, matrix, y, target, rows, recipe, tries=1, tokens=None):
    """Return (members, epochs) for a budget in seconds. rows: those of a member. tries: the number of trainings.

    tokens: the features that hold numbers of categories, see `Preprocessing.tokens`.
    """
    epochs, batch_size, _ = recipe.sized(len(rows))
    members, threads = recipe.members or recipe.count(len(matrix)), resolve_threads(recipe.threads)
    epoch = seconds_of_epoch(matrix, y, target, rows, recipe, batch_size, tokens)
    rounds = SPENT * seconds / (tries * epoch)  # epochs that one member after another may have, for each thread
    if recipe.epochs is None:
        epochs = int(np.clip(rounds / math.ceil(members / threads), FEWEST_EPOCHS, epochs))
    if recipe.members is None and members > 1:
        members = int(np.clip(threads * int(rounds / epochs), min(FEWEST_MEMBERS, members), members))
    return members, epochs


def seconds_of_epoch(matrix, y, target, rows, recipe, batch_size, tokens=None):
    """Return the duration of an epoch of one member, from a part of its rows; kernels are compiled before."""
    part = rows[:ROWS]
    layers = [*first_layers(matrix.shape[1], tokens or {}), *recipe.layers]
    network = new_network(layers, target, matrix.shape[1], recipe.seed)
    options = {"batch_size": batch_size, "optimizer": "adamw", "threads": 1, "progress": False}
    X, y = matrix[part], targets_of(target, target_rows(y, part))
    network.fit(X, y, epochs=1, **options)
    epochs = 1
    while True:
        start = time.perf_counter()
        network.fit(X, y, epochs=epochs, **options)
        taken = time.perf_counter() - start
        if taken > LEAST:
            return taken / epochs * len(rows) / len(part)
        epochs *= 4
