"""Export to and import from ONNX. Needs onnx: pip install "fastnn-numba[onnx]".

`export` writes any network, also for sequences of any length; `load` reads files of `export`, and networks of PyTorch, Keras
(by tf2onnx) and scikit-learn (by skl2onnx) that consist of layers which fastnn has, in a chain or in a graph that branches.

Examples
--------
>>> import tempfile
>>> import fastnn
>>> net = fastnn.Network([fastnn.Dense(8, "gelu"), fastnn.Dense(3, "softmax")], inputs=4)
>>> with tempfile.TemporaryDirectory() as folder:
...     fastnn.onnx.export(net, f"{folder}/model.onnx")
...     fastnn.onnx.load(f"{folder}/model.onnx")
Network([Dense(8, 'gelu'), Dense(3, 'softmax')], inputs=4, loss='cross_entropy', dtype='float32')
"""

from .reading import load
from .writing import export

__all__ = ["export", "load"]


def __dir__():
    return __all__
