"""The calls of callbacks at the end of an epoch."""

from dataclasses import dataclass


@dataclass
class EpochEnd:
    """A finished epoch, its logs, and the callbacks that have not been called for it yet."""

    epoch: int
    logs: dict
    untold: list

    def tell(self, callbacks):
        """Call on_epoch_end of the remaining callbacks, then on_callbacks_end of all.

        If a callback raises an exception, its call counts as done, unless it may be repeated or has not reported its
        metrics.
        """
        while self.untold:
            callback = self.untold[0]
            try:
                callback.on_epoch_end(self.epoch, self.logs)
            except BaseException as error:
                begun = error.__traceback__.tb_next is not None
                if begun and not callback.may_be_repeated and all(name in self.logs for name in callback.reports):
                    del self.untold[0]
                raise
            del self.untold[0]
        for callback in callbacks:
            callback.on_callbacks_end()
