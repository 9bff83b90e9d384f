"""One fit of a network at a time: a second one would move the same weights.

A fit makes its claim in the name of the call that runs it, of whose frame Python knows whether it goes on. A claim ends with
the call, however that ends; there is nothing to give back, which an exception at the wrong moment could prevent.
"""

import os
import sys
import weakref

claims = weakref.WeakKeyDictionary()  # the last claim on each, which may have ended long ago


class Claim:
    """A claim on what only one fit at a time may change, for as long as the call of this frame lasts, or until `end`.

    The frame is of a function, not of a generator.
    """

    def __init__(self, frame):
        self.process, self.frame, self.next = os.getpid(), frame, {}

    def lasts(self):
        if self.process != os.getpid():  # it is that of a fit where this process was forked from
            return False
        try:
            if self.frame is not None:
                self.frame.clear()
        except RuntimeError:  # Python refuses it while the call goes on
            return True
        return False

    def take(self, holder):
        """Claim `holder`, the fits of a network or an estimator; RuntimeError while another claim on it lasts."""
        last = claims.setdefault(holder, self)
        while last is not self:
            if last.lasts():
                raise RuntimeError("this network is in a fit already, in another thread or in the fit that has called a "
                                   "callback; wait for its end, or fit a copy (copy.deepcopy(network))")
            last = last.next.setdefault("claim", self)  # in one step: of several threads one comes next
        claims[holder] = self

    def end(self):
        self.frame = None  # and with it what the call was given


def alone(holder, fit, *given, **options):
    """What fit(*given, **options) returns, with a claim on `holder` meanwhile."""
    claim = Claim(sys._getframe())
    try:
        claim.take(holder)
        return fit(*given, **options)
    finally:
        claim.frame = None
