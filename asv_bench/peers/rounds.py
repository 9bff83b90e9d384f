"""The measurement: in every round each library has its turn, so that other load on the machine affects all of them."""

import math
import statistics
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field

from .libraries import LIBRARIES, NUMPY
from .nets import Net
from .process import PeerError, Process

MEASURES = ("step", "one_row", "bulk")  # seconds each: of a training step, of a row alone, of a row among many


@dataclass(frozen=True)
class Effort:
    """How much time to spend."""

    rounds: int = 5
    seconds: float = 0.1  # of training in a library's turn; half of it for each of the two kinds of prediction
    rest: float = 0.05  # seconds between turns on several threads: until those of the one before have stopped spinning
    most_steps: int | None = None  # of an epoch
    bulk_rows: int = 8192


QUICK = Effort(rounds=1, seconds=0.005, rest=0.0, most_steps=8, bulk_rows=64)


@dataclass
class Figures:
    """One library on one net: medians over the rounds, and the figure of each round."""

    step: float  # not a number for a library that does not train
    one_row: float
    bulk: float
    cores: float  # kept busy by training, spinning included
    accuracy: float  # after the first epoch
    samples: dict[str, list[float]]


@dataclass
class Result:
    """All libraries on one net with one number of threads."""

    net: Net
    threads: int
    steps: int
    figures: dict[str, Figures] = field(default_factory=dict)  # by the library's name
    products: dict[str, float] = field(default_factory=dict)  # flops a second, likewise

    @property
    def peak(self):
        """The practical peak: the best rate at which a library multiplies large matrices."""
        return max(self.products.values(), default=float("nan"))

    def of_peak(self, name):
        """Return the rate of the products in a library's training step, as a fraction of the practical peak."""
        return self.net.flops / self.figures[name].step / self.peak

    def ratio(self, measure, name):
        """Return the ratio of a library's time to fastnn's; None if either was not measured."""
        if name not in self.figures or "fastnn" not in self.figures or math.isnan(getattr(self.figures[name], measure)):
            return None
        return getattr(self.figures[name], measure) / getattr(self.figures["fastnn"], measure)

    def best_peer(self, measure):
        """Return the name of the fastest library other than fastnn, or None."""
        peers = [name for name in self.figures if name != "fastnn" and not math.isnan(getattr(self.figures[name], measure))]
        return min(peers, key=lambda name: getattr(self.figures[name], measure), default=None)


def run(nets, threads, libraries, effort, say, advance=lambda: None):
    """Measure all nets with these numbers of threads; yield a Result for each.

    Parameters
    ----------
    libraries : list of Library
        NumPy is added, for its products alone.
    say : function of a str
        Called with errors. A library that fails is left out for that net.
    advance : function
        Called after each round.
    """
    results = []
    for count in threads:
        with ExitStack() as stack:
            processes = {library.name: stack.enter_context(Process(library, count)) for library in (*libraries, NUMPY)}
            for net in nets:
                results.append(compare(net, count, processes, effort, say, advance))
    return results


def compare(net, threads, processes, effort, say, advance):
    """Run all rounds of one net."""
    result = Result(net, threads, min(net.steps, effort.most_steps or net.steps))
    accuracies, samples, rates = {}, {}, {}

    def turn(name, task, answers, **arguments):
        """Request one thing; return the answer, or None after a failure, after which such requests are skipped."""
        time.sleep(effort.rest if threads > 1 else 0)
        try:
            return processes[name].ask(task, **arguments)
        except PeerError as error:
            say(f"{LIBRARIES[name].title} on {net}, {threads} thread{'s' * (threads > 1)}: {error}")
            answers.pop(name, None)

    for name in processes:
        if LIBRARIES[name].work:
            accuracy = turn(name, "prepare", samples, net=asdict(net), steps=result.steps,
                            bulk_rows=net.bulk_rows(effort.bulk_rows))
            if accuracy is not None:
                accuracies[name], samples[name] = accuracy, []
        if LIBRARIES[name].product:
            rates[name] = []
    for _ in range(effort.rounds):
        for name in list(samples):
            if figures := turn(name, "measure", samples, seconds=effort.seconds):
                samples[name].append(figures)
        for name in list(rates):
            if rate := turn(name, "product", rates, seconds=effort.seconds / 2):
                rates[name].append(rate)
        advance()
    result.products = {name: statistics.median(values) for name, values in rates.items()}
    for name, rounds in samples.items():
        columns = {key: [figures[key] for figures in rounds] for key in rounds[0]}
        medians = {key: statistics.median(values) for key, values in columns.items()}
        result.figures[name] = Figures(**medians, accuracy=accuracies[name], samples=columns)
    return result
