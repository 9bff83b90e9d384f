"""The numbers that a network was fitted on: bytes from 0 to 255, or floats. Others at prediction draw a warning.

Images come as bytes (uint8) and as floats from 0 to 1. A network that was fitted on one of them predicts nonsense from the
other, without any error, because both are valid numbers.
"""

from dataclasses import dataclass

import numpy as np

from ..checks.caller_warning import warn_caller

LOOKED_AT = 1000  # samples, evenly spaced, whose numbers are looked at


@dataclass(frozen=True)
class Scale:
    """The numbers of the images that a network was fitted on.

    Attributes
    ----------
    kind : {"uint8", "float"}
    largest : float
        The largest magnitude among them.
    """

    kind: str
    largest: float

    def __post_init__(self):
        if self.kind not in ("uint8", "float") or not 0 <= self.largest < np.inf:
            raise ValueError(f"{self!r} is no scale of images")

    @classmethod
    def of(cls, X):
        """Return the scale of checked samples; None for those that are no images."""
        if not isinstance(X, np.ndarray) or X.ndim < 3 or len(X) == 0:
            return None
        low, high = extent(X)
        return cls("uint8" if X.dtype == np.uint8 else "float", max(-low, high))

    def warn_of(self, X, name="X"):
        """Warn if checked samples are of the other kind and of another scale."""
        if not isinstance(X, np.ndarray) or X.ndim < 3 or len(X) == 0 or (X.dtype == np.uint8) == (self.kind == "uint8"):
            return
        low, high = extent(X)
        if self.kind == "float" and high > 2 * self.largest:
            warn_caller(f"{name} holds bytes (uint8) up to {high:g}; this network was fitted on floats up to "
                        f"{self.largest:.3g}: convert {name} as the images of the fit, such as {name} / 255")
        elif self.kind == "uint8" and (low < 0 or 0 < high <= 1 < self.largest / 2):
            warn_caller(f"{name} holds floats from {low:.3g} to {high:.3g}; this network was fitted on bytes (uint8) up to "
                        f"{self.largest:g}: give the bytes themselves, such as (255 * {name}).round().astype(np.uint8)")


@dataclass(frozen=True)
class Scales:
    """The numbers that a network with several inputs or outputs was fitted on.

    Attributes
    ----------
    each : dict of str to Scale or None
        Of each input by its name, in the order of the inputs; None for those that are no images.
    """

    each: dict

    def warn_of(self, X, name="X"):
        """Warn of each input whose samples are of the other kind and of another scale."""
        for (own, scale), array in zip(self.each.items(), X.arrays, strict=True):
            if scale is not None:
                scale.warn_of(array, name.replace("X", f"X[{own!r}]", 1))


def scale_of(network, X):
    """Return the Scale of checked samples of a network, or its Scales; None if no samples are images."""
    if not network.has_several:
        return Scale.of(X)
    each = dict(zip(network.graph.inputs, map(Scale.of, X.arrays), strict=True))
    return Scales(each) if any(each.values()) else None


def extent(X):
    """Return the least and the largest number of the samples that are looked at."""
    seen = X[::-(-len(X) // LOOKED_AT)]
    return float(seen.min()), float(seen.max())
