"""Single steps on batches that the caller makes: `Network.train_on_batch`.

A step of a small network takes a microsecond or two, so everything else is prepared at the first batch of a form (the shapes
and dtypes of X and y): its program, and memory that later batches are copied to. Such a batch is checked by one compiled
call, and the hyperparameters are read again only if they have changed; of a schedule, many rates at a time. Anything
unusual takes the way of a fit.
"""

import sys
from dataclasses import replace
from operator import attrgetter

import numpy as np

from ..kernels.compiling.jit import ANY
from ..kernels.compiling.objects import address
from ..kernels.interpreter.interpreter import DIVERGED, LOSS_SUM, WEIGHT_SUM, train_kernel
from ..kernels.training.check_batch import check_batch_kernel
from ..program import new_totals
from ..runtime.exclusive import Claim
from ..runtime.threads import resolve_threads
from ..samples.data import check_data
from .divergence import step_error
from .learning_from_data import learn_from_data
from .schedules import AHEAD, steps_ahead
from .state import Epoch, FitState

MOST_FORMS = 16  # of batches that are kept


def train_on_batch(network, X, y, optimizer, sample_weight, threads):
    """Take one step; return the loss before it."""
    claim = Claim(sys._getframe())
    try:
        claim.take(network.fits)
        stepper = network.fits.stepper
        if sample_weight is None and stepper is not None and stepper.is_for(optimizer):
            loss = stepper.step(X, y, threads)
            if loss is not None:
                return loss
        return first_step(network, X, y, optimizer, sample_weight, threads)
    finally:
        claim.end()


def first_step(network, X, y, optimizer, sample_weight, threads):
    """Take a step as a fit does, and prepare for more batches of the same form."""
    fits = network.fits
    if optimizer is None:
        optimizer = network.optimizer if fits.stepper is None else fits.stepper.optimizer
    optimizer = fits.optimizer("adam" if optimizer is None else optimizer)
    data = check_data(network, X, y, sample_weight, learns_names=True)
    data = data.without_shared_memory(network.vectors.parameters.flat, network.vectors.state.flat)
    samples, totals = len(data.X), new_totals(network.several_outputs)
    state = FitState(optimizer, samples, samples, False, Epoch(0, int(network.vectors.random[0]), totals))
    learn_from_data(network, data)
    trainer = network.trainer_type(network, data, state, resolve_threads(threads))
    diverged = trainer.steps.take_steps(0, 1)
    if diverged is not None:
        raise step_error(network, trainer.program, 0, 0, trainer.steps.overflowed)
    loss = trainer.program.means()[0]
    state.epoch.totals = np.zeros_like(totals)
    if fits.last is None:
        fits.last = state
    if fits.stepper is None or fits.stepper.optimizer is not optimizer:
        fits.stepper = Stepper(network, optimizer)
    if sample_weight is None:
        fits.stepper.prepare(X, y, data, trainer, threads)
    return loss


class Stepper:
    """Steps of one network with one optimizer, on batches whose form is known."""

    def __init__(self, network, optimizer):
        self.optimizer, self.optimizer_state = optimizer, network.fits.optimizer_state(optimizer)
        self.name = optimizer.name if network.fits.by_name.get(optimizer.name) is optimizer else None
        self.current = attrgetter(*optimizer.hyperparameter_names(), "clip_value", "clip_norm")
        self.network, self.forms = network, {}
        self.rates_left = 0  # steps whose learning rates have been read

    def is_for(self, given):
        return given is None or given is self.optimizer or (given == self.name if isinstance(given, str) else False)

    def step(self, X, y, threads):
        """Take a step; return its loss, or None if it has to be taken the general way."""
        if type(X) is not np.ndarray or type(y) is not np.ndarray or (threads is not None and type(threads) is not int):
            return None
        form = self.forms.get((X.shape, X.dtype, y.shape, y.dtype, threads))
        if form is None:
            return None
        state, values = self.optimizer_state, self.current(self.optimizer)
        if state.read != values:
            if form.clips != self.optimizer.clips or not (self.read(values) and form.slots_are_bounded()):
                state.read = None
                return None
        elif self.rates_left == 0 and not self.read(values):
            return None
        self.rates_left -= 1
        return form.step(X, y)

    def read(self, values):
        """Read the hyperparameters, with the learning rates of the next steps; return whether all are bounded."""
        state, rate = self.optimizer_state, self.optimizer.learning_rate
        self.rates_left = steps_ahead(rate, int(state.step[0]) + 1) if callable(rate) else sys.maxsize
        try:
            bounded = state.refresh(min(self.rates_left, AHEAD))
        except ValueError:  # a later rate is none; the step at which it is due raises the error
            bounded = False
        state.read = values if bounded else None
        return bounded

    def prepare(self, X, y, data, trainer, threads):
        """Prepare for batches of this form, if they can be taken so."""
        network, program = self.network, trainer.program
        plain = not (network.has_several or network.is_ragged or network.gives_steps) and program.parts_used == 1
        labels, values = (data.targets.labels, data.targets.values) if plain else (None, None)
        alike = plain and type(X) is np.ndarray and type(y) is np.ndarray and data.X.dtype == network.dtype \
            and X.dtype.kind in "fiub" and data.weights is None and len(self.forms) < MOST_FORMS
        if labels is not None:
            alike = alike and y.dtype.kind in "iu" and not network.objective.head.positions
        elif values is not None:
            alike = (alike and y.dtype.kind in "fiub" and network.objective.head.targets != "classes"
                     and values.size == y.size)
        if alike:
            threads = threads if threads is None else int(threads)
            self.forms[X.shape, X.dtype, y.shape, y.dtype, threads] = Form(network, y, data, trainer)
        else:
            trainer.keep_program()


class Form:
    """Batches of one form: the program of a step, and memory for X and y."""

    def __init__(self, network, y, data, trainer):
        self.program, self.steps = trainer.program, trainer.steps
        self.clips = trainer.optimizer_state.optimizer().clips
        labels, values = data.targets.labels, data.targets.values
        self.X = data.X.copy()
        own = (values if labels is None else labels).copy()
        self.y = own.reshape(y.shape)
        targets = replace(data.targets, labels=None if labels is None else own, values=own if labels is None else None)
        program = self.program
        program.attach(network, replace(data, X=self.X, targets=targets), trainer.optimizer_state, None)
        program.totals = self.totals = new_totals(0)
        frame = program.frame
        frame["first_batch"], frame["last_batch"], frame["accumulate"], frame["team"] = 0, 1, 0, 0
        frame["totals"] = address(self.totals)
        self.run, self.frame_address = train_kernel.entry(ANY), address(frame)
        largest, within = np.finfo(network.dtype).max, network.objective.head.targets == "binary"
        self.limits = np.array([largest, 0 if within else -largest, 1 if within else largest], network.dtype)
        self.refused = np.zeros(1, np.int64)
        numbers, counted = (own.size, 0) if labels is None else (0, own.size)
        self.check = check_batch_kernel.entry(network.dtype)
        self.checked = (address(self.refused), address(self.limits), address(self.X), self.X.size, address(own), numbers,
                        address(own), counted, network.objective.head.outputs)

    def slots_are_bounded(self):
        self.steps = type(self.steps)(self.program)
        return self.steps.slots_are_bounded

    def step(self, X, y):
        """Take a step; return its loss, or None if nothing has changed."""
        self.X[...], self.y[...] = X, y
        self.check(*self.checked)
        if self.refused.item() != 0:
            return None
        totals = self.totals
        totals.fill(0)
        self.run(self.frame_address)
        if totals.item(DIVERGED) != 0:
            return None
        return totals.item(LOSS_SUM) / totals.item(WEIGHT_SUM)
