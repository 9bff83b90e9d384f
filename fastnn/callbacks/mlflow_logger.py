"""Metrics and settings for MLflow."""

from ..checks import an_instance
from .experiment_logger import ExperimentLogger, imported


class MLflowLogger(ExperimentLogger):
    """Log a fit to MLflow: its settings as parameters, the metrics of each epoch, counted from 1.

    It needs mlflow: ``pip install "fastnn-numba[mlflow]"``. Where a run is active (`with mlflow.start_run():`), it logs to
    that and leaves it open; otherwise it begins one and ends it with the fit. Experiment and address are those that mlflow
    is set to (`mlflow.set_experiment`, `mlflow.set_tracking_uri`). A resumed fit continues its run.

    Parameters
    ----------
    name : str, optional
        The name of a run that it begins.

    Examples
    --------
    >>> from fastnn import MLflowLogger
    >>> logger = MLflowLogger("first")
    >>> # net.fit(X, y, epochs=10, callbacks=[logger])
    """

    def __init__(self, name=None):
        self.name = None if name is None else an_instance("MLflowLogger(name=...)", name, str)
        self.run_id, self.own = None, False

    def open(self, settings):
        self.run = mlflow = imported("mlflow", "mlflow", "mlflow")
        active, before = mlflow.active_run(), (self.resumed or {}).get("run_id")
        self.own = active is None
        if self.own:
            active = mlflow.start_run(run_id=before) if before else mlflow.start_run(run_name=self.name)
        self.run_id = active.info.run_id
        if self.run_id != before:  # parameters of a run are written once
            mlflow.log_params(settings)

    def log(self, epoch, values):
        self.run.log_metrics(values, step=epoch)

    def close(self):
        if self.own:
            self.run.end_run()

    def state(self):
        return {"run_id": self.run_id}
