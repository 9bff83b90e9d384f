# The public names and the modules they come from: read by editors and type checkers, and by __init__.py at run time.

from .architecture.registration import register_activation, register_loss
from .callbacks import (
    Callback,
    CSVLogger,
    EarlyStopping,
    EpochLog,
    LambdaCallback,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TerminateOnNaN,
    WeightAverage,
)
from .files.networks import ModelFormatError
from .fitting.divergence import DivergenceError
from .fitting.history import History
from .fitting.lbfgs import LBFGS
from .fitting.schedules import CosineDecay, ExponentialDecay, OneCycle, StepDecay, WarmUp
from .gradient_check import check_gradients
from .keras import load_keras
from .kernels.activations import activations
from .kernels.losses import losses
from .kernels.optimizers import optimizers
from .kernels.optimizers.adagrad import Adagrad
from .kernels.optimizers.adam import Adam
from .kernels.optimizers.adamw import AdamW
from .kernels.optimizers.lion import Lion
from .kernels.optimizers.nadam import Nadam
from .kernels.optimizers.rmsprop import RMSprop
from .kernels.optimizers.sgd import SGD
from .layer_check import check_layer
from .layers import (
    GRU,
    LSTM,
    Activation,
    Add,
    Attention,
    AttentionPool,
    Average,
    AveragePool1D,
    AveragePool2D,
    BatchNorm,
    Bidirectional,
    Chain,
    Concatenate,
    Conv1D,
    Conv2D,
    ConvTranspose2D,
    CustomLayer,
    Dense,
    DepthwiseConv2D,
    Dot,
    Dropout,
    Embedding,
    Flatten,
    GaussianNoise,
    GlobalAveragePool,
    GlobalMaxPool,
    GroupNorm,
    Input,
    LastStep,
    LayerNorm,
    Maximum,
    MaxPool1D,
    MaxPool2D,
    MultiHeadAttention,
    Multiply,
    Normalize,
    Pad2D,
    Parallel,
    PositionalEncoding,
    RandomCrop,
    RandomFlip,
    RandomShift,
    Rescale,
    Reshape,
    Residual,
    Shared,
    SimpleRNN,
    Slice,
    Subtract,
    TransformerDecoder,
    TransformerEncoder,
    UpSample2D,
    ZeroPad2D,
    register_layer,
)
from .layers.initializers import initializers
from .network.network import Network
from .network.stream import Stream
from .plot.live import LivePlot
from .population import Population, Sweep, k_folds, sweep
from .pytorch import from_torch_state_dict
from .runtime.warm_up import warmup
from .samples.metrics import Metric
from .samples.sequences import Sequences
from .samples.windows import windows

__version__: str
__all__ = [
    "GRU", "LBFGS", "LSTM", "SGD", "Activation", "Adagrad", "Adam", "AdamW", "Add", "Attention", "AttentionPool", "Average",
    "AveragePool1D", "AveragePool2D", "BatchNorm", "Bidirectional", "CSVLogger", "Callback", "Chain", "Concatenate",
    "Conv1D", "Conv2D", "ConvTranspose2D", "CosineDecay", "CustomLayer", "Dense", "DepthwiseConv2D", "DivergenceError",
    "Dot", "Dropout", "EarlyStopping", "Embedding", "EpochLog", "ExponentialDecay", "Flatten", "GaussianNoise",
    "GlobalAveragePool", "GlobalMaxPool", "GroupNorm", "History", "Input", "LambdaCallback", "LastStep", "LayerNorm",
    "Lion", "LivePlot", "MaxPool1D", "MaxPool2D", "Maximum", "Metric", "ModelCheckpoint", "ModelFormatError",
    "MultiHeadAttention", "Multiply", "Nadam", "Network", "Normalize", "OneCycle", "Pad2D", "Parallel", "Population",
    "PositionalEncoding", "RMSprop", "RandomCrop", "RandomFlip", "RandomShift", "ReduceLROnPlateau", "Rescale", "Reshape",
    "Residual", "Sequences", "Shared", "SimpleRNN", "Slice", "StepDecay", "Stream", "Subtract", "Sweep", "TerminateOnNaN",
    "TransformerDecoder", "TransformerEncoder", "UpSample2D", "WarmUp", "WeightAverage", "ZeroPad2D", "activations",
    "check_gradients", "check_layer", "from_torch_state_dict", "initializers", "k_folds", "load_keras", "losses",
    "optimizers", "register_activation", "register_layer", "register_loss", "sweep", "warmup", "windows",
]
