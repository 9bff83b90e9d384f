"""Recognition of activations in foreign graphs by their values, not by their operators.

Exporters write gelu as one operator or as five, softplus with a threshold, silu as a product. So the operators between two
products are evaluated on fixed numbers, and the result is compared with α g(z) + β for every registered activation g.
"""

import numpy as np

from ..kernels.activations import activations
from ..runtime.quiet import quiet
from .library import library

# rows of three (softmax works on rows); dense where activations bend, and up to where e^z is still finite in float64
LINE = np.concatenate([np.linspace(-8, 8, 161), np.linspace(-60, 60, 49), [-700.0, -350.0, 350.0, 700.0]])
# up to the largest float32: a bound, such as that of Clip(0, 65504), may be anywhere
BEYOND = np.concatenate([10.0 ** np.arange(3, 39), -(10.0 ** np.arange(3, 39))])
NEAR, FAR = slice(len(LINE)), slice(len(LINE), None)
PROBE = np.concatenate([np.stack([line, line[::-1] * 0.7, np.roll(line, 40) * 0.9 + 0.1], axis=1)
                        for line in (LINE, BEYOND)])
PROBE.setflags(write=False)
TOLERANCE = {"rtol": 1e-5, "atol": 1e-6}  # attributes and constants are float32; gelu by tanh differs from gelu by 5e-4


def recognize(values):
    """Return (activation record, α, β) such that values = α g(PROBE) + β, or None if no activation fits."""
    found = recognize_near(values)
    return found if found is not None and departure(values, *found) is None else None


def departure(values, record, scale, shift):
    """Return the far z of smallest size where `values` differ from scale · g(z) + shift, or None if they agree everywhere.

    Numbers that are not finite are ignored: e^z overflows in some forms of an activation and not in others.
    """
    expected = quiet(lambda: scale * record.vectorized(PROBE[FAR]) + shift, all="ignore")
    finite = np.isfinite(values[FAR]) & np.isfinite(expected)
    z, values, expected = PROBE[FAR][finite], values[FAR][finite], expected[finite]
    return min(z[~np.isclose(values, expected, **TOLERANCE)], key=abs, default=None)


def recognize_near(values):
    """Return (activation record, α, β) in the same way, from the rows of moderate numbers only."""
    if values.shape != PROBE.shape or values.dtype.kind != "f" or not np.isfinite(values[NEAR]).all():
        return None
    values = values[NEAR]
    candidates = [(record, record.vectorized(PROBE[NEAR])) for record in activations.values() if record.builtin]
    for record, a in candidates:
        if np.allclose(values, a, **TOLERANCE):
            return record, 1.0, 0.0
    for record, a in candidates:
        # fit a line through the points (a, value) by least squares
        centered = a - a.mean()
        scale = float((centered * values).sum() / (centered * centered).sum())
        shift = float(values.mean() - scale * a.mean())
        if abs(scale) > TOLERANCE["atol"] and np.allclose(values, scale * a + shift, **TOLERANCE):
            return record, scale, shift
    return None


def evaluate(node, operands, opsets):
    """Return the first output of one node for arrays, by onnx's NumPy reference; only for operators known to be safe."""
    onnx = library()
    inputs = [onnx.ValueInfoProto(name=name) for name in dict.fromkeys(node.input) if name]
    graph = onnx.helper.make_graph([node], "node", inputs, [onnx.ValueInfoProto(name=node.output[0])])
    model = onnx.helper.make_model(graph, opset_imports=opsets)
    feeds = {name: array for name, array in zip(node.input, operands, strict=True) if name}
    return np.asarray(quiet(onnx.reference.ReferenceEvaluator(model).run, None, feeds, all="ignore")[0])
