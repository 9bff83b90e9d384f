"""At most one fit of a network at a time, because two would change the same weights.

A fit makes a claim for the call that runs it. Python knows whether the frame of that call is still running. So a claim ends
with the call, however it ends, and needs no release, which an exception at the wrong moment could prevent.
"""

import os
import sys
import weakref

claims = weakref.WeakKeyDictionary()  # the last claim on each object, which may have ended


class Claim:
    """A claim on an object that one fit at a time may change, valid while the call of this frame runs, or until `end`.

    The frame is that of a function, not of a generator.
    """

    def __init__(self, frame):
        self.process, self.frame, self.next = os.getpid(), frame, {}

    def lasts(self):
        if self.process != os.getpid():  # the claim of a parent process, before a fork
            return False
        try:
            if self.frame is not None:
                self.frame.clear()
        except RuntimeError:  # raised by Python while the call runs
            return True
        return False

    def take(self, holder):
        """Claim `holder`, the fits of a network or an estimator; raise RuntimeError while another claim on it is valid."""
        last = claims.setdefault(holder, self)
        while last is not self:
            if last.lasts():
                raise RuntimeError("this network is in a fit already, in another thread or in the fit that has called a "
                                   "callback; wait for its end, or fit a copy (copy.deepcopy(network))")
            last = last.next.setdefault("claim", self)  # atomic: only one of several threads succeeds
        claims[holder] = self

    def end(self):
        self.frame = None  # releases the frame and the arguments of the call


def run_exclusively(holder, fit, *given, **options):
    """Return fit(*given, **options), with a claim on `holder` during the call."""
    claim = Claim(sys._getframe())
    try:
        claim.take(holder)
        return fit(*given, **options)
    finally:
        claim.frame = None
