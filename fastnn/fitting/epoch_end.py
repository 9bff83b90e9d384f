"""The end of an epoch, as callbacks are told of it."""

from dataclasses import dataclass


@dataclass
class EpochEnd:
    """An epoch that is over, its logs, and the callbacks that have yet to be told of it."""

    epoch: int
    logs: dict
    untold: list

    def tell(self, callbacks):
        """on_epoch_end of those that have yet to be told, then on_callbacks_end of all.

        Where an exception ends that, the callback that it came from has had its call, unless it may be repeated or has not
        reported what it reports.
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
