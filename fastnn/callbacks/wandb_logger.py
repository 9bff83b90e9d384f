"""Metrics and settings for Weights & Biases."""

from ..checks import an_instance
from .experiment_logger import ExperimentLogger, imported


class WandbLogger(ExperimentLogger):
    """Log a fit to Weights & Biases: its settings as the configuration, the metrics of each epoch, counted from 1.

    It needs wandb: ``pip install "fastnn-numba[wandb]"``. Where a run is active (`wandb.init(...)`), it logs to that and
    leaves it open; otherwise it begins one and finishes it with the fit. Without an account, `mode="offline"` writes to a
    folder. A resumed fit continues its run.

    Parameters
    ----------
    project, name : str, optional
        Of a run that it begins.
    mode : {"online", "offline", "disabled"}, optional
    options : dict, optional
        Further arguments of `wandb.init`, such as {"dir": "logs", "tags": ["first"]}.

    Examples
    --------
    >>> from fastnn import WandbLogger
    >>> logger = WandbLogger(project="digits", mode="offline")
    >>> # net.fit(X, y, epochs=10, callbacks=[logger])
    """

    def __init__(self, project=None, name=None, mode=None, options=None):
        given = {key: value for key, value in {"project": project, "name": name, "mode": mode}.items() if value is not None}
        self.options = {key: an_instance(f"WandbLogger({key}=...)", value, str) for key, value in given.items()}
        self.options |= {} if options is None else an_instance("WandbLogger(options=...)", options, dict)
        self.run_id, self.own = None, False

    def open(self, settings):
        wandb = imported("wandb", "wandb", "wandb")
        before = (self.resumed or {}).get("run_id")
        self.own = wandb.run is None
        again = {"id": before, "resume": "allow"} if before else {}
        self.run = wandb.init(**{**self.options, **again}) if self.own else wandb.run
        self.run_id = self.run.id
        self.run.config.update(settings, allow_val_change=True)

    def log(self, epoch, values):
        self.run.log({"epoch": epoch, **values})

    def close(self):
        if self.own:
            self.run.finish()

    def state(self):
        return {"run_id": self.run_id}
