"""Registries: mappings of name to record, the only lists of the activations, losses and other records.

Each record of the package is a file in a folder (`activations/tanh.py` holds `tanh`), and all modules of the folder are
imported, so adding a record is adding a file. Tests, benchmarks and documentation iterate over the registries.
"""

import importlib
import pkgutil
import re
import sys
from collections.abc import Mapping

from ...checks.hyperparameters import shown
from ...checks.other_names import did_you_mean, known_name

NUMBERED = re.compile(r"([a-z][a-z_]*)_(\d{0,4}\.?\d{1,6})")


class Registry(Mapping):
    """Records by name; `resolve` converts a user's argument to a record or lists the known names."""

    def __init__(self, kind, record_type):
        self.kind, self.record_type = kind, record_type
        self.records = {}
        self.families = {}  # functions that make the record of a name with a number, such as "quantile_0.9"

    def register(self, record):
        """Add `record` under its name and return it. A user's record may be replaced, as when a notebook cell runs again."""
        if getattr(self.records.get(record.name), "builtin", record.name in self.records):
            article = "an" if self.kind[0] in "aeiou" else "a"
            raise ValueError(f"there is already {article} {self.kind} named {record.name!r}; give yours another name")
        self.records[record.name] = record
        return record

    def discover(self, package, path):
        """Import every module of the folder; each registers its own records.

        A module that is already imported is left over from an import of the package that an exception, such as Ctrl-C,
        interrupted. It registered its records in the registry of that import, so it is imported again.
        """
        names = [f"{package}.{module.name}" for module in sorted(pkgutil.iter_modules(path), key=lambda m: m.name)]
        for name in names:
            sys.modules.pop(name, None)
        for name in names:
            importlib.import_module(name)

    def resolve(self, given):
        """Return the record for `given`, a name, one of its other names, or a record."""
        if isinstance(given, self.record_type):
            return given
        if isinstance(given, str):
            if (record := self.find(given)) is not None:
                return record
        similar = did_you_mean(self.kind, given, self.records) if isinstance(given, str) else ""
        if isinstance(given, (int, float)) and self.kind == "activation":
            similar = " (a layer works out the number of its inputs: Dense(64, 'relu'), Conv2D(16, 3, 'relu'))"
        own = (f"; one of your own is registered first: fastnn.register_{self.kind}"
               if callable(given) and self.kind in ("activation", "loss") else "")
        raise ValueError(f"unknown {self.kind} {shown(given)}{similar}; the known ones are "
                         f"{', '.join(sorted(self.records))}{own}")

    def find(self, name):
        """Return the record of a name, of one of its other names, or of a name with a number; None if there is none."""
        if name in self.records:
            return self.records[name]
        if (known := known_name(self.kind, name, self.records)) is not None:
            return self.records[known]
        if (parts := NUMBERED.fullmatch(name)) and parts[1] in self.families:
            number = float(parts[2])
            own = f"{parts[1]}_{number:g}"
            return self.records.get(own) or self.register(self.families[parts[1]](own, number))
        return None

    def __getitem__(self, name):
        return self.records[name]

    def __iter__(self):
        return iter(self.records)

    def __len__(self):
        return len(self.records)
