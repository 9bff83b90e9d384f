"""Kernels that contain something from a user's modules: the next process sees an edit of anything that affects them.

Each program prints a number that compiled code computes. A helper module of the user, on which it depends, is edited between
two processes that share a cache.
"""

import shutil
import textwrap

import child
import pytest

from fastnn.kernels import activations, losses, optimizers
from fastnn.kernels.compiling.cache import cache_directory
from fastnn.kernels.compiling.jit import Kernel
from fastnn.kernels.compiling.provenance import objects_digest

PROGRAMS = {
    "a record as those of the package": """
        from fastnn.kernels.activations import Activation, register
        register(Activation("mine", "", "", lambda z: value(z), lambda z, a: 1.0))
        print(Network([Dense(1), Layer("mine")], inputs=1).forward([[0.0]]).item())
    """,
    "a number from another module": """
        from fastnn.kernels.activations import Activation, register
        SLOPE = NUMBER
        register(Activation("mine", "", "", lambda z: z + SLOPE, lambda z, a: 1.0))
        print(Network([Dense(1), Layer("mine")], inputs=1).forward([[0.0]]).item())
    """,
    "functions of the package, chosen by the user": """
        from fastnn.kernels.activations import Activation, activations, register
        chosen = activations["softplus" if NUMBER == 1.0 else "sigmoid"]
        register(Activation("mine", "", "", chosen.value, chosen.prime))
        print(Network([Dense(1), Layer("mine")], inputs=1).forward([[0.0]]).item())
    """,
    "registered": """
        import fastnn
        fastnn.register_activation("mine", lambda z: value(z), lambda z, a: 1.0)
        print(Network([Dense(1), Layer("mine")], inputs=1).forward([[0.0]]).item())
    """,
    "a loss": """
        from fastnn.kernels.losses import Loss, register
        register(Loss("mine", "", "", lambda a, y: value(a - y), lambda a, y: 1.0))
        print(Network([Dense(1)], inputs=1, loss="mine").evaluate([[0.0]], [0.0])["loss"])
    """,
    "an optimizer": """
        from fastnn.kernels.optimizers import Optimizer, register
        from fastnn.checks.hyperparameters import rate_or_schedule
        @register
        class Mine(Optimizer):
            learning_rate: float = rate_or_schedule(1.0)
            name, formula = "mine", ""
            @staticmethod
            def coefficients(step, learning_rate):
                return (learning_rate,)
            @staticmethod
            def update(parameters, gradients, c):
                for i in range(len(parameters)):
                    parameters[i] = value(0.0)
        net = Network([Dense(1)], inputs=1)
        net.fit([[1.0]], [1.0], optimizer="mine", progress=False)
        print(net.parameters["0.bias"].item())
    """,
    "coefficients of an optimizer": """
        from fastnn.kernels.optimizers import Optimizer, register
        from fastnn.checks.hyperparameters import rate_or_schedule
        @register
        class Mine(Optimizer):
            learning_rate: float = rate_or_schedule(1.0)
            name, formula = "mine", ""
            @staticmethod
            def coefficients(step, learning_rate):
                return (NUMBER,)
            @staticmethod
            def update(parameters, gradients, c):
                for i in range(len(parameters)):
                    parameters[i] = c[0]
        net = Network([Dense(1)], inputs=1)
        net.fit([[1.0]], [1.0], optimizer="mine", progress=False)
        print(net.parameters["0.bias"].item())
    """,
    "a kernel": """
        import numpy as np
        from numba import njit, types
        from fastnn.kernels.compiling.jit import Kernel, pointer, view
        compiled = njit(value)
        def build(dtype):
            def kernel(out):
                view(out, 0, 1)[0] = compiled(0.0)
            return kernel
        out = np.zeros(1)
        Kernel("mine", build, lambda dtype: (pointer(dtype),))("float64", out)
        print(out.item())
    """,
    "a function compiled as ours are": """
        from fastnn.kernels.compiling.jit import jit
        inner = jit(value)
        @jit(cached=True)
        def forward(x):
            return inner(x)
        print(forward(0.0))
    """,
}
HEAD = "from helper import NUMBER, value\nfrom fastnn import Activation as Layer, Dense, Network\n"
HELPER = """
NUMBER = {0}
def value(z):
    return z + {0}
"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """Return a cache with the kernels of this process, so that only the user's kernels are compiled."""
    mine, copy = cache_directory(), tmp_path_factory.mktemp("cache")
    if mine.is_dir():
        shutil.copytree(mine, copy / mine.name)
    return copy


def test_an_edit_of_a_module_of_the_user_is_seen(directory, tmp_path):
    """Each program is a module with its own kernels; one process imports all, to start fewer processes."""
    for number, program in enumerate(PROGRAMS.values()):
        text = HEAD + textwrap.dedent(program).replace("mine", f"mine_{number}")
        (tmp_path / f"program_{number}.py").write_text(text)
    (tmp_path / "main.py").write_text("\n".join(f"import program_{number}" for number in range(len(PROGRAMS))))

    def run(value):
        (tmp_path / "helper.py").write_text(HELPER.format(value))
        printed = child.python("main.py", cwd=tmp_path, FASTNN_CACHE_DIR=directory, PYTHONDONTWRITEBYTECODE=1).stdout.split()
        return dict(zip(PROGRAMS, map(float, printed), strict=True))

    first = run(1.0)
    assert run(1.0) == first
    second = run(2.0)
    assert not [name for name in PROGRAMS if second[name] == first[name]]


KEYS = """
from fastnn.kernels.compiling.parallel_compile import every_kernel
from fastnn.kernels.compiling.provenance import objects_digest
for kernel in every_kernel():
    for dtype in ["any"] if kernel.moves_addresses else ["float32", "float64"]:
        print(kernel.name, dtype, objects_digest(kernel.build(dtype)))
"""


def test_every_kernel_of_the_package_is_kept():
    """Everything in such a kernel is from the package, and each process computes the same digest."""
    runs = [child.python("-c", KEYS, PYTHONHASHSEED=seed).stdout for seed in (1, 2)]
    assert runs[0] == runs[1]
    assert runs[0].count("\n") > 100
    assert "None" not in runs[0]


def adding(number):
    return lambda z: z + number


def test_numbers_and_functions_are_told_apart():
    """Two kernels of one name from a factory of the package."""
    tanh, relu = activations.activations["tanh"], activations.activations["relu"]
    records = tanh, relu, activations.Activation("tanh", "", "", relu.value, relu.prime)
    keys = [objects_digest(activations.elementwise_forward(record).build("float32")) for record in (*records, tanh)]
    assert None not in keys
    assert len({*keys}) == 3
    assert keys[0] == keys[3]


def test_what_is_not_known_is_not_kept():
    class Odd:
        pass

    def holding(thing):
        def function(z):
            return thing
        function.__module__ = activations.__name__  # as if it came with the package
        return function

    for thing in (Odd(), Odd, adding(1.0), object(), [adding(1.0)], {"a": (Odd(),)}, memoryview(b""), iter([]),
                  type("Later", (optimizers.Optimizer,), {"__module__": "types"})):
        assert objects_digest(holding(thing)) is None, thing
    assert objects_digest(adding(1.0)) is None
    for thing in (1.0, "a", (1, [2, {"b": None}]), losses.losses["huber"], Kernel("one", None, None, cached=False)):
        assert objects_digest(holding(thing)) is not None, thing
