"""One fit of a network at a time: a second one would move the same weights."""

import os
from contextlib import contextmanager


@contextmanager
def alone(fits):
    """The time of one of the fits of a network; a RuntimeError while another one lasts."""
    own = os.getpid(), object()  # the process: a fit that ran where this one was forked from is not one of ours
    try:
        holder = vars(fits).setdefault("running", own)  # in one step, whatever other threads do
        if holder is not own and holder[0] == own[0]:
            raise RuntimeError("this network is in a fit already, in another thread or in the fit that has called a "
                               "callback; wait for its end, or fit a copy (copy.deepcopy(network))")
        fits.running = own
        yield
    finally:  # also after a Ctrl-C that came before the fit began
        try:
            give_back(fits, own)
        except BaseException:  # another one
            give_back(fits, own)
            raise


def give_back(fits, own):
    if vars(fits).get("running") is own:
        del fits.running
