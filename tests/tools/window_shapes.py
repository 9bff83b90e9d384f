"""Make tests/data/windows/*.json: output sizes of convolutions and pools in PyTorch and ONNX, for tests without them.

    python tests/tools/window_shapes.py

It needs torch and onnx (the stored tables are from torch 2.13.0 and onnx 1.23.2). A case is one axis; each table names its
columns. Cases that the library refuses have null for their size.
"""

import json
import random
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "data" / "windows"
COLUMNS = "size", "kernel", "stride", "dilation", "before", "after", "out"


def cases(count, seed):
    """Return sizes of axes, many of them small, and (before, after) of padding."""
    draw = random.Random(seed)
    for _ in range(count):
        size = draw.choice([1, 2, 3, 4, 5, 6, 7, 8, 13, 28])
        kernel, stride, dilation = draw.choice([1, 2, 3, 4, 5, 7]), draw.choice([1, 1, 2, 3, 4]), draw.choice([1, 1, 2, 3])
        before, after = draw.choice([(0, 0), (0, 0), (1, 1), (2, 2), (0, 1), (2, 0), (3, 3)])
        yield size, kernel, stride, dilation, before, after


def from_torch():
    import torch
    from torch import nn

    def out(layer, size):
        try:
            return layer.to("meta")(torch.empty((1, 1, size), device="meta")).shape[-1]
        except RuntimeError:
            return None

    tables = {"convolution": [], "ceil_mode": [], "transposed": [], "same": []}
    for size, k, s, d, before, _after in cases(300, seed=0):
        options = {"stride": s, "dilation": d, "padding": before}
        tables["convolution"].append([size, k, s, d, before, before, out(nn.Conv1d(1, 1, k, **options), size)])
        if before <= (k - 1) * d // 2 and before <= k // 2:  # all that PyTorch's pools take
            found = out(nn.MaxPool1d(k, **options, ceil_mode=True), size)
            tables["ceil_mode"].append([size, k, s, d, before, before, found])
        more = random.Random(size).randrange(max(s, d))
        layer = nn.ConvTranspose1d(1, 1, k, output_padding=more, **options)
        tables["transposed"].append([size, k, s, d, before, more, out(layer, size)])
        if s == 1:
            tables["same"].append([size, k, d, out(nn.Conv1d(1, 1, k, dilation=d, padding="same"), size)])
    return {"columns": {"convolution": COLUMNS, "ceil_mode": COLUMNS, "same": ["size", "kernel", "dilation", "out"],
                        "transposed": [*COLUMNS[:4], "padding", "output_padding", "out"]}, **tables}


def from_onnx():
    """Return sizes from shape inference; for auto_pad also the positions of the windows, from ones convolved with ones."""
    import numpy as np
    import onnx
    from onnx import helper
    from onnx.reference import ReferenceEvaluator

    def model(kind, size, k, **attributes):
        inputs = [helper.make_tensor_value_info("x", 1, [1, 1, size])]
        names = ["x"]
        if kind.startswith("Conv"):
            inputs.append(helper.make_tensor_value_info("w", 1, [1, 1, k]))
            names.append("w")
        node = helper.make_node(kind, names, ["y"], kernel_shape=[k], **attributes)
        graph = helper.make_graph([node], "one", inputs, [helper.make_tensor_value_info("y", 1, None)])
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)])

    def out(*arguments, **attributes):
        try:
            inferred = onnx.shape_inference.infer_shapes(model(*arguments, **attributes), strict_mode=True)
        except onnx.shape_inference.InferenceError:
            return None
        size = inferred.graph.output[0].type.tensor_type.shape.dim[0 - 1].dim_value
        return size if size > 0 else None

    tables = {"convolution": [], "ceil_mode": [], "transposed": [], "auto_pad": []}
    for size, k, s, d, before, after in cases(300, seed=1):
        options = {"strides": [s], "dilations": [d]}
        tables["convolution"].append([size, k, s, d, before, after, out("Conv", size, k, pads=[before, after], **options)])
        found = out("MaxPool", size, k, pads=[before, after], ceil_mode=1, **options)
        tables["ceil_mode"].append([size, k, s, d, before, after, found])
        more = random.Random(size).randrange(max(s, d))
        found = out("ConvTranspose", size, k, pads=[before, after], output_padding=[more], **options)
        tables["transposed"].append([size, k, s, d, before, after, more, found])
        for word in ("SAME_UPPER", "SAME_LOWER"):
            # a kernel of 1, 2, 4 … over ones shows which taps of a window are within the data
            run = ReferenceEvaluator(model("Conv", size, k, auto_pad=word, **options))
            weight = 2.0 ** np.arange(k, dtype=np.float32)
            y = run.run(None, {"x": np.ones((1, 1, size), np.float32), "w": weight[None, None]})
            tables["auto_pad"].append([size, k, s, d, word, [int(number) for number in y[0].ravel()]])
    return {"columns": {"convolution": COLUMNS, "ceil_mode": COLUMNS,
                        "auto_pad": ["size", "kernel", "stride", "dilation", "auto_pad", "sums of 2^tap a window"],
                        "transposed": [*COLUMNS[:-1], "output_padding", "out"]}, **tables}


def write(name, tables):
    lines = [f'  {json.dumps(table)}: [\n' + ",\n".join(f"    {json.dumps(row)}" for row in rows) + "\n  ]"
             for table, rows in tables.items() if table != "columns"]
    text = '{\n  "columns": ' + json.dumps(tables["columns"]) + ",\n" + ",\n".join(lines) + "\n}\n"
    json.loads(text)
    (FOLDER / name).write_text(text, encoding="utf-8")


def main():
    for name, make in (("torch.json", from_torch), ("onnx.json", from_onnx)):
        try:
            write(name, make())
        except ImportError as missing:
            print(f"{name} stays as it is: {missing}")


if __name__ == "__main__":
    main()
