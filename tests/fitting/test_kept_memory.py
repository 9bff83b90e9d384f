"""The arena of a large fit is kept for the next one: at most one of a process, of at most 64 MB, and nobody else has it."""

import copy
import pickle
import threading

import numpy as np
import pytest
from trained_nets import digest

from fastnn import Adam, Conv2D, Dense, Flatten, Network
from fastnn.fitting.callback import Callback
from fastnn.runtime import memory

X = np.random.default_rng(0).normal(size=(96, 40, 40, 2)).astype("float32")
y = np.arange(96) % 3


@pytest.fixture(autouse=True)
def nothing_kept():
    memory.kept.clear()
    yield
    memory.kept.clear()


def network(channels=8, seed=0):
    return Network([Conv2D(channels, 3, "relu"), Flatten(), Dense(3, "softmax")], inputs=(40, 40, 2), seed=seed)


def fitted(batch=48, channels=8, callbacks=()):
    net = network(channels)
    net.fit(X, y, batch_size=batch, epochs=1, optimizer=Adam(), callbacks=list(callbacks))
    return digest(net)


def test_the_next_fit_of_any_network_has_it_and_no_bit_depends_on_that():
    first = fitted()
    held, = memory.kept
    assert memory.LEAST_KEPT <= held.nbytes <= memory.MOST_KEPT
    held.view(np.uint8)[...] = 0xFF  # not a number
    assert fitted() == first
    again, = memory.kept
    assert np.shares_memory(held, again)
    fitted(channels=7)  # needs less, and takes a part of it
    assert np.shares_memory(held, memory.kept[0])


def test_what_does_not_fit_is_freed():
    fitted(48)
    small, = memory.kept
    del small
    fitted(96)
    large, = memory.kept
    assert large.nbytes > 2 * memory.LEAST_KEPT
    net = Network([Dense(3)], inputs=4)
    net.fit(np.zeros((4, 4)), np.zeros((4, 3)))  # a small one leaves it alone
    assert memory.kept[0] is large


def test_too_large_an_arena_is_not_kept(monkeypatch):
    monkeypatch.setattr(memory, "MOST_KEPT", memory.LEAST_KEPT)
    fitted()
    assert not memory.kept


def test_a_fit_within_a_fit_has_memory_of_its_own():
    inner = []

    class FitsAnother(Callback):
        def on_train_batch_end(self, batch, logs):
            inner.append(fitted())

    alone = fitted()
    assert fitted(callbacks=[FitsAnother()]) == alone
    assert set(inner) == {alone}


def test_fits_in_several_threads_have_memory_of_their_own():
    alone, found = fitted(), []
    threads = [threading.Thread(target=lambda: found.extend(fitted() for _ in range(3))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [alone] * 9
    assert len(memory.kept) == 1


def test_an_interrupted_fit_keeps_nothing():
    class Interrupts(Callback):
        def on_train_batch_end(self, batch, logs):
            raise KeyboardInterrupt

    net = network()
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, y, batch_size=48, callbacks=[Interrupts()])
    assert not memory.kept
    net.fit(X, y, batch_size=48, resume=True)
    assert memory.kept


def test_neither_copies_nor_pickles_nor_files_contain_it(tmp_path):
    net = network()
    before = len(pickle.dumps(net))
    net.fit(X, y, batch_size=48)
    assert len(pickle.dumps(net)) < before + (1 << 20) < memory.kept[0].nbytes
    copy.deepcopy(net)
    assert len(memory.kept) == 1
