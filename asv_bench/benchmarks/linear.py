"""x @ weight + bias in place, as in training, compared with two kinds of pure Python loops at 64×784×128."""

import statistics
import timeit

import numpy as np

from fastnn import naive
from fastnn.kernels.products.linear import forward_product, linear_forward
from fastnn.kernels.products.product import chain_length

BATCH, IN_FEATURES, OUT_FEATURES = 64, 784, 128


def loops_over_arrays(z, x, weight, bias):
    """The loops of the notes, over the elements of NumPy arrays."""
    for i in range(len(x)):
        for j in range(len(bias)):
            total = bias[j]
            for k in range(len(weight)):
                total += x[i, k] * weight[k, j]
            z[i, j] = total


class LinearInPlace:
    """Ratios to loops over lists, which are `fastnn.naive`, and to loops over the elements of arrays."""

    timeout = 300

    def setup(self):
        random = np.random.default_rng(0)
        self.x, self.weight, self.bias = (
            random.normal(size=shape).astype(np.float32)
            for shape in ((BATCH, IN_FEATURES), (IN_FEATURES, OUT_FEATURES), OUT_FEATURES)
        )
        self.z = np.empty((BATCH, OUT_FEATURES), np.float32)
        self.kernel = forward_product("float32", OUT_FEATURES)
        self.time_compiled()

    def time_compiled(self):
        linear_forward(self.z, self.x, self.weight, self.bias.ctypes.data, chain_length(IN_FEATURES), self.kernel)

    def seconds_compiled(self):
        return statistics.median(timeit.repeat(self.time_compiled, number=50, repeat=9)) / 50

    def track_speedup_over_loops_over_lists(self):
        lists = self.x.tolist(), self.weight.tolist(), self.bias.tolist()
        return timeit.timeit(lambda: naive.linear_forward(*lists), number=1) / self.seconds_compiled()

    def track_speedup_over_loops_over_arrays(self):
        given = self.z, self.x, self.weight, self.bias
        return timeit.timeit(lambda: loops_over_arrays(*given), number=1) / self.seconds_compiled()

    track_speedup_over_loops_over_lists.unit = track_speedup_over_loops_over_arrays.unit = "times"
