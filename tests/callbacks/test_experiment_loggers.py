"""Callbacks on TensorBoard, MLflow and Weights & Biases, offline.

TensorBoard's files are read again. MLflow and Weights & Biases are large: where they are not installed, a stand-in with the
calls that the callbacks make takes their place.
"""

import copy
import importlib.util
import pickle
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from nets import LABELS, X, classifier

from fastnn import LambdaCallback, MLflowLogger, TensorBoardLogger, WandbLogger
from fastnn.callbacks import experiment_logger

OPTIONS = {"validation_data": (X, LABELS), "progress": False}


def scalars(folder):
    """Return {tag: {step: value}} of a folder of TensorBoard's files."""
    pytest.importorskip("tensorboardX", reason='TensorBoard needs the extra: pip install "fastnn-numba[tensorboard]"')
    from tensorboardX.proto.event_pb2 import Event

    found = {}
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        while data:
            size = int.from_bytes(data[:8], "little")
            for value in Event.FromString(data[12:12 + size]).summary.value:
                if value.HasField("simple_value"):
                    found.setdefault(value.tag, {})[Event.FromString(data[12:12 + size]).step] = value.simple_value
            data = data[16 + size:]
    return found


def test_tensorboard_shows_the_history(tmp_path):
    pytest.importorskip("tensorboardX", reason='TensorBoard needs the extra: pip install "fastnn-numba[tensorboard]"')
    net = classifier()
    net.fit(X, LABELS, epochs=2, callbacks=[TensorBoardLogger(tmp_path, histograms=True)], **OPTIONS)
    history = net.fit(X, LABELS, epochs=4, resume=True, callbacks=[TensorBoardLogger(tmp_path)], **OPTIONS)
    found = scalars(tmp_path)
    assert {*found} == {"loss/train", "accuracy/train", "loss/validation", "accuracy/validation"}
    for tag, name in (("loss/train", "loss"), ("accuracy/validation", "val_accuracy")):
        assert [*found[tag]] == [1, 2, 3, 4]
        np.testing.assert_allclose([*found[tag].values()], history[name], rtol=1e-6)


class Stand(ModuleType):
    """A module with the calls of mlflow and wandb that the callbacks make, which records what it is told."""

    def __init__(self, name):
        super().__init__(name)
        self.run, self.active, self.runs, self.told = None, None, {}, []

    # mlflow

    def active_run(self):
        return self.active

    def start_run(self, run_id=None, run_name=None):
        name = run_id or f"run{len(self.runs)}"
        self.active = SimpleNamespace(info=SimpleNamespace(run_id=name, run_name=run_name))
        self.runs.setdefault(name, {"params": {}, "metrics": {}})
        return self.active

    def end_run(self):
        self.active = None

    def log_params(self, settings):
        assert not self.runs[self.active.info.run_id]["params"]
        self.runs[self.active.info.run_id]["params"] = settings

    def log_metrics(self, values, step):
        self.runs[self.active.info.run_id]["metrics"][step] = values

    # wandb

    def init(self, id=None, resume=None, **options):
        self.active = self.start_run(id)
        kept = self.runs[self.active.info.run_id]

        def finish():
            self.active = self.run = None

        self.run = SimpleNamespace(
            id=self.active.info.run_id, finish=finish,
            config=SimpleNamespace(update=lambda settings, allow_val_change: kept.update(params=settings)),
            log=lambda values: kept["metrics"].update({values["epoch"]: {k: v for k, v in values.items() if k != "epoch"}}))
        return self.run


@pytest.fixture
def stand(request, monkeypatch):
    module = Stand(request.param)
    monkeypatch.setitem(sys.modules, request.param, module)
    return module


@pytest.mark.parametrize(("stand", "make"), [("mlflow", MLflowLogger), ("wandb", WandbLogger)], indirect=["stand"])
def test_runs_have_settings_and_metrics(stand, make):
    net = classifier()
    net.fit(X, LABELS, epochs=2, callbacks=[make()], **OPTIONS)
    assert stand.active is None
    history = net.fit(X, LABELS, epochs=3, resume=True, callbacks=[make()], **OPTIONS)
    assert [*stand.runs] == ["run0"]  # a resumed fit continues its run
    run = stand.runs["run0"]
    assert run["params"]["optimizer"] == "Adam"
    assert run["params"]["learning_rate"] == 0.001
    assert run["metrics"] == {epoch + 1: {name: values[epoch] for name, values in history.items()} for epoch in range(3)}
    (stand.init if stand.__name__ == "wandb" else stand.start_run)()
    classifier().fit(X, LABELS, callbacks=[make()], **OPTIONS)
    assert stand.active is not None  # a run of the caller's stays open
    assert len(stand.runs) == 2


@pytest.mark.skipif(importlib.util.find_spec("mlflow") is None, reason="mlflow is not installed")
def test_mlflow_itself(tmp_path, monkeypatch):
    import mlflow

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri(f"file:{tmp_path / 'runs'}")
    logger = MLflowLogger("first")
    history = classifier().fit(X, LABELS, epochs=2, callbacks=[logger], **OPTIONS)
    found = mlflow.tracking.MlflowClient().get_metric_history(logger.run_id, "loss")
    assert [(each.step, each.value) for each in found] == [*enumerate(history["loss"], 1)]
    assert mlflow.get_run(logger.run_id).data.params["optimizer"] == "Adam"
    assert mlflow.active_run() is None


@pytest.mark.skipif(importlib.util.find_spec("wandb") is None, reason="wandb is not installed")
def test_wandb_itself(tmp_path, monkeypatch):
    import wandb

    monkeypatch.setenv("WANDB_SILENT", "true")
    logger = WandbLogger("test", mode="offline", options={"dir": tmp_path})
    classifier().fit(X, LABELS, epochs=2, callbacks=[logger], **OPTIONS)
    assert wandb.run is None
    assert list(tmp_path.rglob("*.wandb"))


@pytest.mark.parametrize(("make", "extra"), [(TensorBoardLogger, "tensorboard"), (MLflowLogger, "mlflow"),
                                             (WandbLogger, "wandb")])
def test_what_is_missing_is_named(make, extra, monkeypatch, tmp_path):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(experiment_logger.importlib, "import_module", missing)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ImportError, match=rf'pip install "fastnn-numba\[{extra}\]"'):
        classifier().fit(X, LABELS, callbacks=[make()], **OPTIONS)


@pytest.mark.parametrize("stand", ["mlflow"], indirect=True)
def test_an_open_run_is_not_copied(stand):
    logger, copies = MLflowLogger(), []
    take = LambdaCallback(on_epoch_end=lambda *_: copies.extend([copy.deepcopy(logger), pickle.loads(pickle.dumps(logger))]))
    classifier().fit(X, LABELS, callbacks=[logger, take], **OPTIONS)
    assert [each.run for each in copies] == [None, None]
    assert copies[0].run_id == "run0"
