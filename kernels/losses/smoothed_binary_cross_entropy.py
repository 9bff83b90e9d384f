"""The cross entropy of one probability with label smoothing, of two classes: the target y becomes (1 − ε) y + ε / 2.

"smoothed_binary_cross_entropy_0.1" has ε = 0.1, as Keras' `BinaryCrossentropy(label_smoothing=0.1)`.
"""

from . import binary_cross_entropy, families, register
from .smoothed_cross_entropy import family

families["smoothed_binary_cross_entropy"] = of_rate = family(binary_cross_entropy.record, 2)
register(of_rate("smoothed_binary_cross_entropy_0.1", 0.1))
