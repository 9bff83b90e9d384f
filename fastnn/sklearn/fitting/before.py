"""The state of an estimator before a fit, restored if the fit fails: a fit either succeeds or changes nothing.

Weights and curves are live views, so references to them may exist. So arrays that training changes in place are restored in
place. A fit from scratch makes a new network and new records, and does not change the old ones.
"""

import numpy as np


class Before:
    """The state that a fit of the estimator may change; `keep_weights` adds the arrays that its steps change."""

    def __init__(self, estimator):
        self.estimator, self.attributes = estimator, dict(vars(estimator))
        # records only grow and may be long, so their lengths are kept
        self.lengths = [(record, len(record)) for name, record in self.attributes.items()
                        if type(record) is list and name.endswith("_")]
        self.random = None
        if isinstance(estimator.random_state, np.random.RandomState):
            self.random = estimator.random_state, estimator.random_state.get_state()
        self.objects, self.arrays, self.step = [], [], None
        network, optimizer = self.attributes.get("network_"), self.attributes.get("_optimizer")
        if network is not None:
            self.objects.append((network, {name: vars(network)[name] for name in ("generator", "stop_training")}))
            self.objects.append((network.fits, {"last": network.fits.last}))
            self.keep(network.alpha, network.vectors.random)
        if optimizer is not None:
            self.objects.append((optimizer, dict(vars(optimizer))))

    def keep(self, *arrays):
        self.arrays += [(array, array.copy()) for array in arrays]

    def keep_weights(self, optimizer, single_step):
        """Copy the weights before the first step of a fit that continues.

        A single step either succeeds or changes nothing, and copying large weights would take longer than the step.
        """
        network = self.estimator.network_
        memory = None if optimizer is None else network.fits.optimizer_state(optimizer)
        if single_step:
            self.step = memory.step, memory.step.copy()
            return
        self.keep(network.vectors.parameters.flat, network.vectors.state.flat)
        if memory is not None and optimizer is self.attributes.get("_optimizer"):
            self.keep(memory.step, memory.slots)

    def restore(self):
        """Restore everything; repeat it if another Ctrl-C interrupts."""
        try:
            self.restore_in_place()
        except BaseException:
            self.restore_in_place()
            raise

    def restore_in_place(self):
        if self.step is not None and not np.array_equal(*self.step):
            return  # the single step is done, and so is the fit
        for array, numbers in self.arrays:
            array[...] = numbers
        for each, attributes in self.objects:
            vars(each).update(attributes)
        for record, length in self.lengths:
            del record[length:]
        if self.random is not None:
            generator, state = self.random
            generator.set_state(state)
        self.estimator.__dict__ = dict(self.attributes)
