"""A process with concurrent computations: `python side_by_side.py predictions seed` prints the errors.

Each result is compared with the same work done alone. predictions: the number that each of eight threads makes.
"""

import json
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numba
import numpy as np
from numba import njit, prange
from patience import PATIENCE
from trained_nets import digest

import fastnn
from fastnn import Adam, BatchNorm, Dense, Dropout, Network, Population
from fastnn.runtime import threads

THREADS = 8


def network(seed, width=65):
    """Return a network large enough for a step in several parts."""
    return Network([Dense(width, "relu"), BatchNorm(), Dropout(0.1), Dense(17, "tanh"), Dense(3, "softmax")], inputs=33,
                   seed=seed)


def data(seed, samples=600):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(samples, 33)).astype(np.float32), rng.integers(3, size=samples)


def fitted(seed, many=2):
    net = network(seed)
    net.fit(*data(seed), epochs=2, batch_size=128, optimizer=Adam(), threads=many)
    return digest(net)


def predictions_at_once(count, seed):
    """Eight threads that predict with one network: few rows and many, on one thread and on several."""
    net, (X, _), rng = network(seed), data(seed, 5000), np.random.default_rng(seed)
    sizes = [1, 2, 7, 16, 17, 64, 300, 5000]
    pieces = [[(int(first), size) for size in rng.choice(sizes, count, p=[0.3, 0.1, 0.1, 0.1, 0.1, 0.1, 0.15, 0.05])
               for first in [rng.integers(len(X) - size + 1)]] for _ in range(THREADS)]
    alone = net.forward(X, threads=1)
    labels = net.predict(X, threads=1)
    start = threading.Barrier(THREADS)

    def wrong(mine):
        start.wait()
        return sum(not (np.array_equal(net.forward(X[first:first + size]), alone[first:first + size])
                        and np.array_equal(net.predict(X[first:first + size], threads=2), labels[first:first + size]))
                   for first, size in mine)

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(wrong, pieces)) == 0


def fits_at_once(seed):
    """Eight threads that fit a network each."""
    alone = [fitted(seed + k) for k in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(fitted, range(seed, seed + THREADS))) == alone


def fits_beside_predictions(seed):
    """One network predicts while another is trained."""
    net, (X, _) = network(seed), data(seed, 2000)
    alone, expected = net.forward(X, threads=1), fitted(seed + 1)
    with ThreadPoolExecutor(4) as pool:
        fits = [pool.submit(fitted, seed + 1) for _ in range(2)]
        outputs = [pool.submit(net.forward, X) for _ in range(50)]
        return (all(np.array_equal(each.result(), alone) for each in outputs)
                and {each.result() for each in fits} == {expected})


@njit(parallel=True, nogil=True)
def loop(numbers):
    """A parallel loop of the user."""
    total = 0.0
    for i in prange(len(numbers)):
        total += np.sin(numbers[i])
    return total


@njit(nogil=True)
def outputs_of(model, X, out):
    fastnn.jit.forward(model, X, out)


def population_of(seed):
    population = Population([network(seed + k, 33) for k in range(4)])
    population.fit(*data(seed), epochs=3, batch_size=64, progress=False)
    return [digest(net) for net in population]


def outputs_in_compiled_code(seed):
    net, (X, _) = network(seed), data(seed, 2000)
    out = np.empty((len(X), 3), np.float32)
    outputs_of(net.compiled(gradients=False), X, out)
    return out.tobytes()


def beside_a_loop_of_the_user(seed):
    """All kinds of computation, while the user's loop runs in another thread."""
    numbers, over, sums = np.linspace(0, 1, 100_000), threading.Event(), set()
    works = [fitted, population_of, outputs_in_compiled_code, lambda seed: network(seed).evaluate(*data(seed, 3000)),
             lambda seed: network(seed).forward(data(seed, 5000)[0]).tobytes()]
    alone, expected = [work(seed) for work in works], loop(numbers)

    def go_on():
        while not over.is_set():
            sums.add(loop(numbers))

    with ThreadPoolExecutor(len(works) + 1) as pool:
        going_on = pool.submit(go_on)
        try:
            found = [[each.result() for each in [pool.submit(work, seed) for work in works]] for _ in range(5)]
        finally:
            over.set()
        going_on.result()
    return found == [alone] * 5 and np.allclose(list(sums), expected)


def in_a_child(work):
    """Return whether work() is true in a forked child, within a minute."""
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        try:
            os._exit(0 if work() else 1)
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(2)
    return os.waitpid(child, 0)[1] == 0


def forked_children(seed):
    """After the threads have worked, a child predicts and fits, and so do a child's child, and one of a running fit."""
    net, (X, _), expected = network(seed), data(seed, 3000), fitted(seed)
    alone = net.forward(X)

    def work():
        return np.array_equal(net.forward(X), alone) and fitted(seed) == expected

    def from_within():
        outcome = []
        other = network(seed)
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(other.fit, *data(seed), epochs=200, batch_size=128)
            outcome.append(in_a_child(work))
            other.stop_training = True
            running.result()
        return all(outcome)

    return in_a_child(work) and in_a_child(lambda: in_a_child(work)) and from_within() and work()


def pool_of_forked_workers(seed):
    fitted(seed)
    with multiprocessing.get_context("fork").Pool(3) as pool:
        found = pool.map_async(fitted, range(seed, seed + 6)).get(timeout=PATIENCE)
    return found == [fitted(seed + k) for k in range(6)]


def saving_beside_training(seed):
    """Every file that is written meanwhile can be read, and training gives the same bits."""
    net = network(seed)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as pool:
        running = pool.submit(net.fit, *data(seed), epochs=60, batch_size=128, optimizer=Adam())
        count = 0
        while not running.done() or count == 0:
            path = Path(folder) / "net.safetensors"
            net.save(path)
            loaded = Network.load(path)
            if not all(np.isfinite(view).all() for view in loaded.parameters.values()):
                return False
            count += 1
    alone = network(seed)
    alone.fit(*data(seed), epochs=60, batch_size=128, optimizer=Adam())
    return digest(net) == digest(alone)


def main(count, seed):
    threads.WAKING = 0  # however little there is to do
    works = [fits_at_once, fits_beside_predictions, saving_beside_training, beside_a_loop_of_the_user]
    if hasattr(os, "fork"):
        works += [forked_children, pool_of_forked_workers]
    found = {"predictions_at_once": predictions_at_once(count, seed)} | {work.__name__: work(seed) for work in works}
    print(json.dumps(found | {"layer": numba.threading_layer()}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
