"""Values of every kind, to be passed as options."""

import math
from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np

from fastnn import Dense

ZOO = {
    "None": None, "text": "no", "empty text": "", "bytes": b"x", "nan": math.nan, "inf": math.inf, "-inf": -math.inf,
    "-1": -1,
    "0": 0, "-0.5": -0.5, "a half": 0.5, "1.5": 1.5, "True": True, "NumPy's True": np.True_, "2⁷⁰": 2**70, "10⁴⁰⁰": 10**400,
    "10⁹⁹⁹⁹": 10**9999, "-10⁴⁰⁰": -(10**400), "complex": 1j, "complex64": np.complex64(1), "list": [], "list of 1": [1],
    "tuple of text": ("x",), "dict": {}, "set": {1}, "object": object(), "array": np.array([1.0, 2.0]),
    "0-d array": np.array(0.5),
    "array of objects": np.array([None, 1]), "Decimal": Decimal("0.5"), "Fraction": Fraction(1, 2), "type": int,
    "Ellipsis": ...,
    "date": date(2020, 1, 1), "datetime64": np.datetime64("2020"),
    "timedelta64": np.timedelta64(1, "s"),
    "NumPy text": np.str_("no"),
    "long double": np.longdouble("0.5"), "huge long double": np.longdouble("1e300") ** 2, "float16": np.float16(0.5),
    "float32 nan": np.float32("nan"), "masked": np.ma.masked, "generator": (i for i in [1]), "module": math,
    "layer": Dense(1),
}
