"""An estimator as it was before a fit, to be put back where the fit fails: a fit is done as a whole, or nothing is.

Weights and curves are live views for whoever holds them. So what training changes in place is put back in place. A fit that
begins anew makes a network and records of its own, and leaves the old ones alone.
"""

import numpy as np


class Before:
    """What a fit of the estimator may change; `keep_weights` adds the arrays that its steps are to change."""

    def __init__(self, estimator):
        self.estimator, self.attributes = estimator, dict(vars(estimator))
        # records only grow, and may be long: their lengths say what they were
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
        """Called before the first step of a fit that goes on.

        A single step is whole by itself: to copy large weights for it would take longer than the step.
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
        """Put all back; once more, should another Ctrl-C come between."""
        try:
            self.put_back()
        except BaseException:
            self.put_back()
            raise

    def put_back(self):
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
