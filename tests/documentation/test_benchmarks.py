"""Each benchmark runs, and none is missing for a registered record."""

import importlib
import json
from pathlib import Path

import pytest

from fastnn.kernels.activations import activations
from fastnn.kernels.compiling.jit import Kernel
from fastnn.layers import Layer, layers
from fastnn.naive.rungs import all_losses

SUITE = Path(__file__).parents[2] / "asv_bench"


@pytest.fixture
def suite(monkeypatch):
    """Import a module of the suite with small sizes."""
    monkeypatch.syspath_prepend(SUITE)

    def load(name):
        return importlib.import_module(f"benchmarks.{name}")

    quick = importlib.import_module("fastnn.cli.compare").QUICK
    monkeypatch.setattr(load("kernels"), "SETTING", load("kernels").Setting(**quick, threads=1))
    monkeypatch.setattr(load("training"), "STEPS", 2)
    return load


def test_kernels(suite):
    kernels = suite("kernels")
    assert {record.forward.name for record in activations.values()} <= set(kernels.Kernels.params)
    for name in ("linear_backward", "tanh_forward"):
        benchmark = kernels.Kernels()
        benchmark.setup(name)
        benchmark.time_compiled(name)


def test_speedups(suite, monkeypatch):
    kernels = suite("kernels")
    monkeypatch.setattr(kernels, "CASES", {"relu_forward": kernels.CASES["relu_forward"]})
    speedups = kernels.Speedups()
    timings = speedups.setup_cache()
    assert speedups.track_speedup_over_loops(timings, "relu_forward") > 1
    assert speedups.track_speedup_over_numpy(timings, "relu_forward") > 0


def test_training(suite):
    module = suite("training")
    for net in module.NETS:
        training, prediction = module.Training(), module.Prediction()
        training.setup(net)
        assert training.track_step(net) > 0
        training.peakmem_fit(net)
        prediction.setup(net)
        prediction.time_one_row(net)


def test_populations(suite, monkeypatch):
    module = suite("population")
    monkeypatch.setattr(module, "MEMBERS", 2)
    monkeypatch.setattr(module, "EPOCHS", 1)
    for options in module.Populations.params:
        benchmark = module.Populations()
        benchmark.setup(options)
        assert benchmark.track_epoch(options) > 0
        assert benchmark.track_loop(options) > 0
        benchmark.peakmem_fit(options)


def test_embedded(suite, monkeypatch):
    module = suite("embedded")
    monkeypatch.setattr(module, "CALLS", 2)
    for net in module.NETS:
        benchmark = module.Embedded()
        benchmark.setup(net)
        for call in (benchmark.time_rows, benchmark.time_input_gradients, benchmark.time_gradients):
            call(net, 2)
    for cell in module.CELLS:
        module.EmbeddedSteps().setup(cell)


def test_a_row_beside_other_libraries(monkeypatch, capsys):
    monkeypatch.syspath_prepend(SUITE)
    module = importlib.import_module("embedded")
    monkeypatch.setattr(module, "NETS", {"4-16-16-2": (4, 16, 16, 2)})
    monkeypatch.setattr(module, "WAYS", {name: way for name, way in module.WAYS.items() if way[1] is None})
    module.main(["--rounds", "2", "--steps", "1000"])
    table, simulation, steps = capsys.readouterr().out.split("\n\n")
    assert "| 4-16-16-2 |" in table
    assert "1,000 steps" in simulation
    assert "| LSTM |" in steps


def test_shares_of_the_peak(monkeypatch, capsys):
    monkeypatch.syspath_prepend(SUITE)
    module = importlib.import_module("convolution")
    module.main(["--layers", "LeNet-5, second", "3x3, each of 64", "--batch", "2", "--rounds", "1", "--seconds", "1e-4"])
    assert "| LeNet-5, second | " in capsys.readouterr().out


def test_start(suite, monkeypatch):
    module = suite("start")
    monkeypatch.setattr(module, "FIRST_EPOCH", "import fastnn")
    start = module.Start()
    seconds = start.setup_cache()
    assert 0 < start.track_warm_start(seconds)
    assert 0 < start.track_cold_start(seconds)


def test_a_kernel_without_a_benchmark_is_refused(suite):
    names = list(suite("kernels").CASES)
    suite("coverage").require_all(names)
    for missing in ("linear_forward", "tanh_backward", "softmax_cross_entropy_loss", "adam_update"):
        with pytest.raises(NotImplementedError, match=f"no benchmark for {missing}"):
            suite("coverage").require_all([name for name in names if name != missing])


def test_every_kernel_that_a_record_holds_counts(suite):
    names = set(suite("coverage").registered_kernels())
    for record in (*activations.values(), *all_losses().values()):
        assert {value.name for value in vars(record).values() if isinstance(value, Kernel)} <= names


def test_a_layer_without_a_benchmark_is_refused(suite, monkeypatch):
    monkeypatch.setitem(layers.records, "Made up", type("MadeUp", (Layer,), {"functions": ("made_up_forward",)}))
    with pytest.raises(NotImplementedError, match="no benchmark for made_up_forward"):
        suite("coverage").require_all(suite("kernels").CASES)


def test_configuration():
    configuration = json.loads((SUITE / "asv.conf.json").read_text())
    assert (SUITE / configuration["repo"] / "pyproject.toml").is_file()
    assert (SUITE / configuration["benchmark_dir"]).is_dir()
