"""Small files of each kind, with headers that can be changed, and how they must be refused."""

import io
import json
from functools import partial

import numpy as np
import pytest
from fuzz_files import originals, written
from hostile_files import parts

from fastnn import Adam, BatchNorm, Dense, Dropout, ModelFormatError, Network
from fastnn.files import checkpoint
from fastnn.files import networks as files

X = np.linspace(-1, 1, 12).reshape(6, 2)
MEMORY = 64 * 2**20


def of_4_kb():
    """Return files of about 4 KB of each kind: {name: (bytes, reader)}."""
    net = Network([Dense(16, "tanh"), BatchNorm(), Dense(16, "relu"), Dropout(0.5), Dense(3, "softmax")], inputs=24)
    small = Network([Dense(4, "tanh"), Dense(2, "softmax")], inputs=2)
    small.fit(X, np.arange(6) % 2, optimizer=Adam(), epochs=2)
    found = {"network": (written(net.save), partial(files.read, Network)),
             "checkpoint": (written(small.save_checkpoint), partial(checkpoint.read, Network))}
    return found | {name: (whole, reader) for name, (whole, reader, _) in originals().items() if name == "table"}


FILES = of_4_kb()
every_file = pytest.mark.parametrize("kind", FILES)


def read(payload, reader):
    return files.read_open(io.BytesIO(payload), len(payload), reader, "cannot load it")


def refused(payload, reader):
    with pytest.raises(ModelFormatError, match="cannot load it") as caught:
        read(payload, reader)
    str(caught.value).encode()  # it can be printed
    return str(caught.value)


NET = Network([Dense(1)], inputs=1)
WHOLE, READER = written(NET.save), partial(files.read, Network)
TEXT, PAYLOAD = parts(WHOLE)


def changed(change):
    """Return the header of NET after `change(header)`."""
    header = json.loads(TEXT)
    change(header)
    return json.dumps(header).encode()


def metadata(**texts):
    return lambda header: header["__metadata__"].update(texts)
