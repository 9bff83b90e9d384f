"""The networks: dense, convolutional or recurrent, with relu inside and softmax at the end, on generated data of the right
shape."""

import math
from dataclasses import dataclass

from .windows import KINDS, windows

EPOCH = 0.3  # seconds that an epoch should take a slow library, so that a round is neither noise nor a wait
SLOW_STEP, SLOW_RATE = 0.6e-3, 20e9  # of such a library: seconds a step whatever its size, and flops a second on top
FEWEST_STEPS, MOST_STEPS = 64, 512
FEWEST_STEPS_OF_IMAGES, MOST_NUMBERS = 16, 1 << 24  # convolutions take long, and many images much memory
GATES = {"gru": 3, "lstm": 4, "bigru": 3, "bilstm": 4}  # of recurrent layers, in one direction and in both


@dataclass(frozen=True)
class Net:
    """A dense network, or convolutions and pools, or a recurrent layer, followed by one.

    Attributes
    ----------
    sizes : tuple of int
        Features and units of each dense layer.
    batch : int
        Samples in a step.
    optimizer : {"adam", "sgd"}
    name : str
        For a network that its sizes do not describe.
    image : tuple of int
        The shape of a sample: (height, width, channels), (steps, features) of a series, or (steps,) of tokens; () for a
        dense network.
    blocks : tuple of tuple
        The layers before the dense ones: convolutions, see `windows.KINDS`; ("pool", size), a maximum; ("mean",), over each
        channel; ("dropout", rate). Of series, ("gru", units) or ("lstm", units), its last state, or with "bi" before it
        those of both directions; ("transformer", heads, hidden features), an encoder's block; ("norm",), of each step. Of
        tokens, first ("embedding", vocabulary, features).
    """

    sizes: tuple[int, ...]
    batch: int
    optimizer: str = "adam"
    name: str = ""
    image: tuple[int, ...] = ()
    blocks: tuple[tuple, ...] = ()

    @classmethod
    def parse(cls, text):
        """Return a net from "784-128-10:64"."""
        try:
            sizes, batch = text.split(":")
            net = cls(tuple(map(int, sizes.split("-"))), int(batch))
        except ValueError:
            raise ValueError(f"{text!r} is no net; write its sizes and its batch like 784-128-10:64") from None
        if len(net.sizes) < 2 or min(*net.sizes, net.batch) < 1 or net.sizes[-1] < 2:
            raise ValueError(f"{text!r}: a net has a feature or more, two classes or more, and a batch of one or more")
        return net

    @property
    def shape(self):
        return self.name or "-".join(map(str, self.sizes))

    def __str__(self):
        return f"{self.shape}:{self.batch}"

    @property
    def flops(self):
        """Return the flops of a step's products: x·W, xᵀ·dz and dz·Wᵀ of every layer, without the dz·Wᵀ that leads to X."""
        dense = (rows * columns for rows, columns in zip(self.sizes, self.sizes[1:], strict=False))
        products = [*self.recurrences, *self.attentions, *self.convolutions, *dense]
        return 2 * self.batch * (3 * sum(products) - (0 if self.vocabulary else products[0] * self.directions))

    @property
    def windows(self):
        """Return the `Windows` of each block that is a convolution, else None."""
        found, shape = [], tuple(self.image)
        for kind, *numbers in self.blocks:
            found.append(windows(kind, *numbers, shape=shape) if kind in KINDS else None)
            if found[-1]:
                shape = found[-1].out_shape
            elif kind == "pool":
                shape = shape[0] // numbers[0], shape[1] // numbers[0], shape[2]
        return found

    @property
    def convolutions(self):
        """Return the number of multiply-adds that each convolution takes for a sample."""
        return [each.multiply_adds for each in self.windows if each]

    @property
    def vocabulary(self):
        """Return the number of tokens that an embedding has vectors for; 0 without one."""
        return next((numbers[0] for kind, *numbers in self.blocks if kind == "embedding"), 0)

    @property
    def features(self):
        """Return the number of features of a step."""
        return next((numbers[1] for kind, *numbers in self.blocks if kind == "embedding"), 0) or self.image[1]

    @property
    def directions(self):
        return 2 if any(kind in GATES and kind.startswith("bi") for kind, *_ in self.blocks) else 1

    @property
    def recurrences(self):
        """Return the number of multiply-adds of the inputs and of the states of a recurrent layer, for a sample."""
        return [self.image[0] * GATES[kind] * units[0] * rows for kind, *units in self.blocks if kind in GATES
                for rows in [self.features] * self.directions + [*units] * self.directions]

    @property
    def attentions(self):
        """Return the number of multiply-adds of each Transformer block, for a sample."""
        steps, features = self.image if len(self.image) == 2 else (0, 0)
        return [steps * (4 * features**2 + 2 * features * hidden + 2 * steps * features)
                for kind, *numbers in self.blocks if kind == "transformer" for hidden in numbers[1:]]

    @property
    def steps(self):
        """Return the number of steps of an epoch."""
        fewest = FEWEST_STEPS_OF_IMAGES if self.image else FEWEST_STEPS
        return min(max(math.ceil(EPOCH / (SLOW_STEP + self.flops / SLOW_RATE)), fewest), MOST_STEPS)

    def bulk_rows(self, most):
        """Return the number of rows of a bulk prediction, at most `most`."""
        return min(most, max(1, MOST_NUMBERS // math.prod(self.image or self.sizes[:1])))

    def data(self, rows):
        """Return X (rows, *shape), float32 or tokens, and labels (rows,) from a linear function, to be learned."""
        import numpy as np

        rng, shape = np.random.default_rng(0), self.image or self.sizes[:1]
        if self.vocabulary:  # each token is for some classes and against others
            X = rng.integers(self.vocabulary, size=(rows, *shape), dtype=np.int32)
            return X, rng.normal(size=(self.vocabulary, self.sizes[-1]))[X].sum(axis=1).argmax(axis=1)
        X = rng.normal(size=(rows, math.prod(shape))).astype(np.float32)
        y = (X @ rng.normal(size=(X.shape[1], self.sizes[-1]))).argmax(axis=1)
        return X.reshape(rows, *shape), y


LENET = Net((256, 120, 84, 10), 128, name="lenet-5", image=(28, 28, 1),  # LeCun et al. 1998, with relu and maxima
            blocks=(("conv", 6, 5), ("pool", 2), ("conv", 16, 5), ("pool", 2)))
# The nets of MLPerf Tiny, ResNet-8 without its shortcuts
RESNET = Net((64, 10), 32, name="resnet-8", image=(32, 32, 3), blocks=(
    ("same", 16, 3, 1), ("same", 16, 3, 1), ("same", 16, 3, 1), ("same", 32, 3, 2), ("same", 32, 3, 1), ("same", 64, 3, 2),
    ("same", 64, 3, 1), ("mean",)))
DS_CNN = Net((64, 12), 100, name="ds-cnn", image=(49, 10, 1), blocks=(
    ("same", 64, (10, 4), 2), ("dropout", 0.2), *(("each", 3, 1), ("same", 64, 1, 1)) * 4, ("dropout", 0.4), ("mean",)))
MOBILENET = Net((256, 2), 32, name="mobilenet-0.25", image=(96, 96, 3), blocks=(("same", 8, 3, 2), *(
    block for features, stride in (
        (16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *((128, 1),) * 5, (256, 2), (256, 1))
    for block in (("each", 3, stride), ("same", features, 1, 1))), ("mean",)))
WAKE_WORD = Net((32, 3), 100, name="wake-word", image=(1, 30, 40), blocks=(*(
    block for features, kernel in ((128, 3), (64, 5), (64, 10), (32, 15))
    for block in (("each valid", (1, kernel)), ("valid", features, 1, 1))), ("mean",)))
SERIES_NETS = tuple(Net((64, 9), 32, name=f"{kind}-12-64", image=(29, 12), blocks=((kind, 64),)) for kind in ("gru", "lstm"))
BOTH_WAYS = tuple(Net((64, 9), 32, name=f"{kind}-{features}-32", image=(steps, features), blocks=((kind, 32),))
                  for kind in ("bigru", "bilstm") for steps, features in ((63, 24), (31, 48), (15, 96)))
TEXTS = Net((128, 2), 32, name="embedding-bilstm", image=(100,), blocks=(("embedding", 20_000, 128), ("bilstm", 64)))
TRANSFORMER = Net((64, 10), 32, name="transformer-64", image=(50, 64), blocks=(
    ("transformer", 4, 256), ("transformer", 4, 256), ("norm",), ("mean",)))
SERIES_NETS += (*BOTH_WAYS, TEXTS, TRANSFORMER)
IMAGE_NETS = (LENET, RESNET, DS_CNN, MOBILENET, WAKE_WORD)
NETS = tuple(map(Net.parse, ("4-16-16-2:8", "2-64-64-3:32", "784-128-10:64", "784-128-64-10:32", "784-512-512-10:128")))
