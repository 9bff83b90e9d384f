"""Single convolutions against other libraries: `taskset -c 0 python asv_bench/convolution_peers.py`.

The time of a call, forward alone and with the gradients of input, weight and bias, in µs of processor time: medians of
rounds in which the libraries have their turns, each with one thread. Libraries that are not installed are left out. Arrays
are in each library's own order, and PyTorch in both.
"""

import argparse
import os
import statistics
import time
from importlib.util import find_spec

os.environ.update(XLA_FLAGS="--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1", OMP_NUM_THREADS="1")

import numpy as np
from convolution import DIRECTIONS, LAYERS, Layer  # the file beside this one

SHOWN = {"3x3 stride 2, 1 to 16": 100, "3x3, each of 64": 100, "1x51, 15 to 15": 32}  # with so many samples
ROUNDS, LEAST = 9, 0.02  # seconds of a measurement


def fastnn_calls(layer, stride, padding, groups):
    def both():
        for direction in DIRECTIONS:
            layer.run_direction(direction)

    return {"forward": lambda: layer.run_direction("forward"), "with gradients": both}, lambda: layer.z


def torch_calls(layer, stride, padding, groups, channels_last):
    import torch

    torch.set_num_threads(1)
    memory = torch.channels_last if channels_last else torch.contiguous_format
    given = [channels_first(layer.layer.x), channels_first(layer.dz), weight_of(layer).transpose(3, 2, 0, 1)]
    x, dz, weight = (torch.tensor(each.copy()).contiguous(memory_format=memory) for each in given)
    bias = torch.zeros(len(weight))
    for each in (x, weight, bias):
        each.requires_grad_()
    sides = [axis.before for axis in layer.layer.axes]

    def z():
        return torch.nn.functional.conv2d(x, weight, bias, stride, sides, groups=groups)

    def forward():
        with torch.inference_mode():
            return z()

    return {"forward": forward, "with gradients": lambda: torch.autograd.grad(z(), (x, weight, bias), dz)}, lambda: (
        forward().numpy().transpose(0, 2, 3, 1))


def jax_calls(layer, stride, padding, groups):
    import jax

    jax.config.update("jax_cpu_enable_async_dispatch", False)
    x, dz, weight = map(jax.numpy.asarray, (layer.layer.x, layer.dz, weight_of(layer)))
    bias = jax.numpy.zeros(weight.shape[3])

    def z(x, weight, bias):
        return bias + jax.lax.conv_general_dilated(x, weight, (stride, stride), padding.upper(), feature_group_count=groups,
                                                   dimension_numbers=("NHWC", "HWIO", "NHWC"))

    alone = jax.jit(z)
    both = jax.jit(lambda *given: (z(*given), jax.vjp(z, *given)[1](dz)))

    def forward():
        return jax.block_until_ready(alone(x, weight, bias))

    return {"forward": forward, "with gradients": lambda: jax.block_until_ready(both(x, weight, bias))}, lambda: (
        np.asarray(forward()))


def onnxruntime_calls(layer, stride, padding, groups):
    import onnxruntime
    from onnx import helper, numpy_helper

    weight = np.ascontiguousarray(weight_of(layer).transpose(3, 2, 0, 1))
    x, sides = channels_first(layer.layer.x), [axis.before for axis in layer.layer.axes]
    node = helper.make_node("Conv", ["x", "weight", "bias"], ["z"], strides=[stride, stride], pads=sides * 2, group=groups)
    tensors = [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(np.zeros(len(weight), "f4"), "bias")]
    graph = helper.make_graph([node], "convolution", [helper.make_tensor_value_info("x", 1, x.shape)],
                              [helper.make_tensor_value_info("z", 1, None)], tensors)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def forward():
        return session.run(None, {"x": x})[0]

    return {"forward": forward}, lambda: forward().transpose(0, 2, 3, 1)


def channels_first(images):
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))


def weight_of(layer):
    """Return the weight (kernel height, kernel width, channels / groups, features)."""
    rows, columns = layer.layer.axes
    return layer.layer.parameters[:-layer.z.shape[3]].reshape(rows.kernel, columns.kernel, -1, layer.z.shape[3])


LIBRARIES = {
    "fastnn": (fastnn_calls, "numpy"), "PyTorch": (lambda *given: torch_calls(*given, False), "torch"),
    "PyTorch, channels last": (lambda *given: torch_calls(*given, True), "torch"), "JAX": (jax_calls, "jax"),
    "ONNX Runtime": (onnxruntime_calls, "onnxruntime"),
}


def seconds_of(call):
    """Return the processor time of a call, averaged over LEAST seconds."""
    count, start = 0, time.process_time()
    while (taken := time.process_time() - start) < LEAST:
        call()
        count += 1
    return taken / count


def measure(name, rounds):
    """Return {library: {what: median µs}}."""
    shape, kernel, stride, padding, out_channels, groups = LAYERS[name]
    layer = Layer(shape, kernel, stride, padding, out_channels, groups, SHOWN[name])
    layer.layer.parameters[-out_channels:] = 0
    calls, times = {}, {}
    for library, (make, module) in LIBRARIES.items():
        if find_spec(module):
            calls[library], result = make(layer, stride, padding, groups)
            calls[library]["forward"]()
            np.testing.assert_allclose(result(), layer.z, rtol=0, atol=1e-3)
    for _ in range(rounds):
        for library, each in calls.items():
            for what, call in each.items():
                times.setdefault((library, what), []).append(seconds_of(call))
    return {library: {what: 1e6 * statistics.median(times[library, what]) for what in each}
            for library, each in calls.items()}


def main(argv=None):
    parser = argparse.ArgumentParser(prog="convolution_peers.py", description="Single convolutions against other libraries.")
    parser.add_argument("--layers", nargs="+", choices=SHOWN, default=list(SHOWN), metavar="LAYER")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args(argv)
    print("| layer, batch | library | forward, µs | with gradients, µs |\n| --- | --- | ---: | ---: |")
    for name in options.layers:
        found = measure(name, options.rounds)
        for library, each in found.items():
            cells = [f"{each[what]:.0f} ({each[what] / found['fastnn'][what]:.1f}×)" if what in each else "" for what in (
                "forward", "with gradients")]
            print(f"| {name}, {SHOWN[name]} | {library} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
