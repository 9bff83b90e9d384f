"""One fit of a network at a time: a second one would move the same weights."""

import functools
import os
from contextlib import contextmanager


@contextmanager
def alone(network):
    """The time of a fit of the network; a RuntimeError while another one lasts."""
    own = os.getpid(), object()  # the process: a fit that ran where this one was forked from is not one of ours
    try:
        holder = vars(network).setdefault("_fitting", own)  # in one step, whatever other threads do
        if holder is not own and holder[0] == own[0]:
            raise RuntimeError("this network is in a fit already, in another thread or in the fit that has called a "
                               "callback; wait for its end, or fit a copy (copy.deepcopy(network))")
        network._fitting = own
        yield
    finally:  # also after a Ctrl-C that came before the fit began
        try:
            give_back(network, own)
        except BaseException:  # another one
            give_back(network, own)
            raise


def give_back(network, own):
    if vars(network).get("_fitting") is own:
        del network._fitting


def one_at_a_time(fit):
    """Function decorator: fit(network, …) is refused while another one of the same network runs."""

    @functools.wraps(fit)
    def exclusive(network, *arguments, **options):
        with alone(network):
            return fit(network, *arguments, **options)

    return exclusive
