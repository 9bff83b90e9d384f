"""Members trained by an executor: parts of a population in other processes, or on other machines.

An executor is anything with `submit(function, *arguments)` that returns futures: those of `concurrent.futures`, or a Dask
`Client`. A part is sent as bytes, a pickle of its networks with the states of their optimizers and of their last fits, and
comes back in the same way, so that each member, its optimizer and its history are as if it had been trained here, to the
bit, and a fit can be resumed here or elsewhere. The data are sent once to each worker by Dask, and with each part by others.

There are PARTS parts for each worker, of members that are spread over the population, so that none waits long for another.
"""

import os
import pickle
from dataclasses import fields

from ..checks import shown
from ..checks.caller_warning import collected, warn_caller
from ..fitting.history import History

PARTS = 4
DIVERGED = "members diverged and stopped"  # in a warning that the whole population repeats


def checked_executor(where, value):
    """Return an executor, or None."""
    if value is not None and not callable(getattr(value, "submit", None)):
        raise ValueError(f"{where} is {shown(value)}; it must be an executor of concurrent.futures, such as "
                         "ProcessPoolExecutor(), or a Dask Client")
    return value


def workers_of(executor):
    """Return about the number of tasks that an executor runs at a time."""
    if is_dask(executor):
        return max(1, sum(executor.nthreads().values()))
    return os.cpu_count() or 1


def is_dask(executor):
    """Return whether an executor is a Dask Client, which can keep data at the workers."""
    return callable(getattr(executor, "scatter", None)) and callable(getattr(executor, "nthreads", None))


def to_bytes(value):
    """Return a value as bytes, by cloudpickle if pickle cannot, as for a lambda."""
    try:
        return pickle.dumps(value)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        try:
            import cloudpickle
        except ImportError:
            raise error from None
        return cloudpickle.dumps(value)


def submit_all(executor, function, data, parts):
    """Yield the results of function(data, part) for each part, in order; data and parts are bytes."""
    options = {"pure": False} if is_dask(executor) else {}
    if is_dask(executor):
        data = executor.scatter(data, broadcast=True, hash=False)
    futures = [executor.submit(function, data, part, **options) for part in parts]
    try:
        for future in futures:
            yield future.result()
    finally:
        for future in futures:
            future.cancel()


class Traveler:
    """A network with everything that its fits need, as it is sent: pickle keeps neither optimizers nor fits.

    optimizers: [(optimizer, its slots, its step), …], all that have a state for the network. given: the optimizer of the
    fit, one of them, or an LBFGS.
    """

    def __init__(self, network, given=None):
        fits = network.fits
        self.network, self.given, self.last, self.by_name = network, given, fits.last, dict(fits.by_name)
        self.optimizers = [(optimizer, state.slots.copy(), state.step.copy())
                           for optimizer, state in fits.optimizer_states.items()]

    def arrive(self):
        """Give the network, which pickle has made again, its optimizers and its last fit."""
        fits = self.network.fits
        for optimizer, slots, step in self.optimizers:
            state = fits.optimizer_state(optimizer)
            state.slots[...], state.step[...] = slots, step
        fits.last, fits.by_name = self.last, dict(self.by_name)

    def return_to(self, network, optimizers):
        """Copy everything to the network here. optimizers: those here, in the order of those that were sent."""
        network.vectors.set_copies(*self.network.vectors.copies())
        network.fitted_on, network.class_names = self.network.fitted_on, self.network.class_names
        here = dict(zip((id(each) for each, _, _ in self.optimizers), optimizers, strict=False))
        for there, slots, step in self.optimizers:
            own = here.setdefault(id(there), there)
            for field in fields(own):
                value = getattr(there, field.name)
                if not same(getattr(own, field.name), value):
                    setattr(own, field.name, value)
            state = network.fits.optimizer_state(own)
            state.slots[...], state.step[...] = slots, step
        if self.last is not None:
            self.last.optimizer = here.get(id(self.last.optimizer), self.last.optimizer)
        network.fits.last = self.last
        network.fits.by_name = {name: here.get(id(each), each) for name, each in self.by_name.items()}


def same(one, other):
    """Return whether two hyperparameters are the same, such as two schedules of the same kind."""
    return one is other or (type(one) is type(other) and one == other)


def fit_part(data, part):
    """Train the members of a part; return (travelers, histories, errors, callbacks, metrics, warnings) as bytes.

    It runs where the executor runs it.
    """
    X, y, shared = pickle.loads(data)
    population, travelers, options, callbacks = pickle.loads(part)
    for number, traveler in enumerate(travelers):
        traveler.arrive()
        population.own_optimizers.adopt(number, traveler.given)
    given = [traveler.given for traveler in travelers]
    _, messages = collected(population.fit, X, y, optimizer=given, callbacks=callbacks.__getitem__, progress=False, **shared,
                            **options)
    travelers = [Traveler(network) for network in population]
    return to_bytes((travelers, population.histories, population.errors, population.callbacks, dict(population.reported),
                     [str(message) for message in messages if DIVERGED not in str(message)]))


def fit_elsewhere(executor, population, X, y, given, callbacks, members, shared, bar):
    """Train a population by an executor; return (histories, errors, callbacks, metrics by name).

    given: the optimizer of each member. callbacks: its callbacks. members: {option: values, one for each member}. shared:
    other options of `Population.fit`. bar: shows the number of finished epochs.
    """
    count = len(population)
    parts = min(count, PARTS * workers_of(executor))
    numbers = [range(first, count, parts) for first in range(parts)]
    sent, optimizers = [], {}
    for own in numbers:
        for number in own:
            optimizers[number] = [*population[number].fits.optimizer_states.keys()]
        options = {name: [values[number] for number in own] for name, values in members.items()}
        travelers = [Traveler(population[number], given[number]) for number in own]
        sent.append(to_bytes((population[list(own)], travelers, options, [callbacks[number] for number in own])))
    histories, errors, returned = [History() for _ in range(count)], {}, list(callbacks)
    reported, said = {}, {}
    for own, result in zip(numbers, submit_all(executor, fit_part, to_bytes((X, y, shared)), sent), strict=True):
        travelers, found, wrong, own_callbacks, metrics, messages = pickle.loads(result)
        for place, number in enumerate(own):
            travelers[place].return_to(population[number], optimizers[number])
            histories[number], returned[number] = found[place], own_callbacks[place]
            if place in wrong:
                errors[number] = wrong[place]
        reported |= metrics
        said |= dict.fromkeys(messages)
        if bar.bar is not None:
            bar.advance(sum(members["epochs"][number] for number in own), dict)
    for message in said:
        warn_caller(message)
    return histories, errors, returned, reported

