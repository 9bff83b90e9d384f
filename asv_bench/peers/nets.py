"""The networks: dense or convolutional, with relu inside and softmax at the end, on generated data of the right shape."""

import math
from dataclasses import dataclass

EPOCH = 0.3  # seconds that an epoch should take a slow library, so that a round is neither noise nor a wait
SLOW_STEP, SLOW_RATE = 0.6e-3, 20e9  # of such a library: seconds a step whatever its size, and flops a second on top
FEWEST_STEPS, MOST_STEPS = 64, 512


@dataclass(frozen=True)
class Net:
    """A dense network, or convolutions and pools followed by one.

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
        The shape (height, width, channels) of a sample, or () for a dense network.
    blocks : tuple of tuple
        The layers before the dense ones: ("conv", channels, kernel), with relu and without padding, and ("pool", size), a
        maximum.
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
        """Return the flops of a step's products: x·W, xᵀ·dz and dz·Wᵀ of every layer, without the first layer's dz·Wᵀ."""
        products = [*self.convolutions, *(rows * columns for rows, columns in zip(self.sizes, self.sizes[1:], strict=False))]
        return 2 * self.batch * (3 * sum(products) - products[0])

    @property
    def convolutions(self):
        """Return the number of multiply-adds that each convolution takes for a sample."""
        counts, (height, width, channels) = [], self.image or (0, 0, 0)
        for kind, *numbers in self.blocks:
            if kind == "pool":
                height, width = height // numbers[0], width // numbers[0]
            else:
                features, kernel = numbers
                height, width = height - kernel + 1, width - kernel + 1
                counts.append(height * width * features * kernel**2 * channels)
                channels = features
        return counts

    @property
    def steps(self):
        """Return the number of steps of an epoch."""
        return min(max(math.ceil(EPOCH / (SLOW_STEP + self.flops / SLOW_RATE)), FEWEST_STEPS), MOST_STEPS)

    def data(self, rows):
        """Return X (rows, *shape) float32 and labels (rows,) from a linear function of X, so that they can be learned."""
        import numpy as np

        rng, shape = np.random.default_rng(0), self.image or self.sizes[:1]
        X = rng.normal(size=(rows, math.prod(shape))).astype(np.float32)
        y = (X @ rng.normal(size=(X.shape[1], self.sizes[-1]))).argmax(axis=1)
        return X.reshape(rows, *shape), y


LENET = Net((256, 120, 84, 10), 128, name="lenet-5", image=(28, 28, 1),  # LeCun et al. 1998, with relu and maxima
            blocks=(("conv", 6, 5), ("pool", 2), ("conv", 16, 5), ("pool", 2)))
IMAGE_NETS = (LENET,)
NETS = tuple(map(Net.parse, ("4-16-16-2:8", "2-64-64-3:32", "784-128-10:64", "784-128-64-10:32", "784-512-512-10:128")))
