"""The networks: dense, with relu inside and softmax at the end, on generated data of the right shape."""

import math
from dataclasses import dataclass

EPOCH = 0.3  # seconds that an epoch should take a slow library, so that a round is neither noise nor a wait
SLOW_STEP, SLOW_RATE = 0.6e-3, 20e9  # of such a library: seconds a step whatever its size, and flops a second on top
FEWEST_STEPS, MOST_STEPS = 64, 512


@dataclass(frozen=True)
class Net:
    """Features, units of each layer, samples in a step, and the optimizer: "adam" or "sgd"."""

    sizes: tuple[int, ...]
    batch: int
    optimizer: str = "adam"

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
        return "-".join(map(str, self.sizes))

    def __str__(self):
        return f"{self.shape}:{self.batch}"

    @property
    def flops(self):
        """Return the flops of a step's products: x·W, xᵀ·dz and dz·Wᵀ of every layer, without the first layer's dz·Wᵀ."""
        products = [rows * columns for rows, columns in zip(self.sizes, self.sizes[1:], strict=False)]
        return 2 * self.batch * (3 * sum(products) - products[0])

    @property
    def steps(self):
        """Return the number of steps of an epoch."""
        return min(max(math.ceil(EPOCH / (SLOW_STEP + self.flops / SLOW_RATE)), FEWEST_STEPS), MOST_STEPS)

    def data(self, rows):
        """Return X (rows, features) float32 and labels (rows,) from a linear function of X, so that they can be learned."""
        import numpy as np

        rng = np.random.default_rng(0)
        X = rng.normal(size=(rows, self.sizes[0])).astype(np.float32)
        return X, (X @ rng.normal(size=(self.sizes[0], self.sizes[-1]))).argmax(axis=1)


NETS = tuple(map(Net.parse, ("4-16-16-2:8", "2-64-64-3:32", "784-128-10:64", "784-128-64-10:32", "784-512-512-10:128")))
