"""Callbacks, one a file: objects whose hooks are called during a fit, with the names of Keras. `Callback` is the base class.

    net.fit(X, y, epochs=100, validation_data=(X_val, y_val), callbacks=[EarlyStopping(patience=5), CSVLogger("log.csv")])
"""

from ..fitting.callback import Callback
from .csv_logger import CSVLogger
from .early_stopping import EarlyStopping
from .epoch_log import EpochLog
from .lambda_callback import LambdaCallback
from .mlflow_logger import MLflowLogger
from .model_checkpoint import ModelCheckpoint
from .reduce_lr_on_plateau import ReduceLROnPlateau
from .tensorboard_logger import TensorBoardLogger
from .terminate_on_nan import TerminateOnNaN
from .wandb_logger import WandbLogger
from .weight_average import WeightAverage

__all__ = [
    "CSVLogger", "Callback", "EarlyStopping", "EpochLog", "LambdaCallback", "MLflowLogger", "ModelCheckpoint",
    "ReduceLROnPlateau", "TensorBoardLogger", "TerminateOnNaN", "WandbLogger", "WeightAverage",
]


def __dir__():
    return __all__
