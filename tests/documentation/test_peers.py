"""The peer benchmark: its measurements, options and output. The other libraries are not needed."""

import importlib
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

SUITE = Path(__file__).parents[2] / "asv_bench"
MACHINE = {"processor": "Abacus", "generation": "wood", "cores": 1, "system": "Table flat", "date": "1202-01-01",
           "versions": {"Python": "3.11.0"}}


@pytest.fixture
def peers(monkeypatch):
    """Import a module of the benchmark."""
    monkeypatch.syspath_prepend(SUITE)
    return lambda name: importlib.import_module(f"peers.{name}")


@pytest.fixture
def results(peers):
    """Return results as if two networks had been measured on one and two threads, with fastnn twice as fast on two."""
    rounds, nets = peers("rounds"), peers("nets").NETS[:2]

    def figures(seconds):
        return rounds.Figures(step=seconds, one_row=seconds / 10, bulk=seconds / 100, cores=1.0, accuracy=0.5, samples={})

    return [
        rounds.Result(net, threads, 10, {"fastnn": figures(1e-3 / threads), "torch": figures(7e-3), "jax": figures(3e-3)},
                      {"torch": 9e10, "numpy": 1e11})
        for threads in (1, 2) for net in nets
    ]


def test_fastnn_alone(peers, tmp_path, capsys):
    files = {kind: tmp_path / f"peers.{kind}" for kind in ("json", "markdown", "png")}
    assert peers("command").main([
        "--quick", "--threads", "1", "--peers", "--nets", "4-16-16-2", "--net", "3-5-2:4", "--optimizer", "sgd",
        "--json", str(files["json"]), "--markdown", str(files["markdown"]), "--chart", str(files["png"])]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "fastnn-numba" in lines[0]
    assert re.fullmatch(r"1 thread, fastnn \d+, NumPy \d+ GFLOP/s", lines[2])
    assert len({len(line) for line in (lines[4], lines[5], lines[6], lines[8])}) == 1
    assert re.fullmatch(r"4-16-16-2:8 +fastnn +\S+ [mµ]s +\S+ [nµ]s +\S+ [kM] +\d+ % +\d+\.\d +\d+ %", lines[6])

    report = json.loads(files["json"].read_text())
    assert [(result["net"], result["batch"], result["threads"]) for result in report["results"]] == [
        ("4-16-16-2", 8, 1), ("3-5-2", 4, 1)]
    for result in report["results"]:
        figures = result["libraries"]["fastnn"]
        assert figures["of_peak"] == pytest.approx(result["flops"] / figures["step"] / max(result["products"].values()))
        assert figures["times_fastnn"] == {"step": 1, "one_row": 1, "bulk": 1}
        assert {len(samples) for samples in figures["samples"].values()} == {report["effort"]["rounds"]}
    header, rule, *rows = (line for line in files["markdown"].read_text().splitlines() if line.startswith("|"))
    assert [row.split("|")[1].strip() for row in rows] == ["4-16-16-2, 8", "3-5-2, 4"]
    assert {line.count("|") for line in (header, rule, *rows)} == {10}
    assert files["png"].read_bytes().startswith(b"\x89PNG")


def test_a_convolutional_net(peers, capsys):
    command = peers("command")
    assert command.main(["--quick", "--threads", "1", "--peers", "--nets", "lenet-5"]) == 0
    assert re.search(r"^lenet-5:128 +fastnn ", capsys.readouterr().out, re.MULTILINE)


def test_a_recurrent_net(peers, capsys):
    command = peers("command")
    assert command.main(["--quick", "--threads", "1", "--peers", "--nets", "gru-12-64"]) == 0
    assert re.search(r"^gru-12-64:32 +fastnn ", capsys.readouterr().out, re.MULTILINE)
    net = peers("nets").SERIES_NETS[0]
    network = peers("libraries").fastnn_network(net)
    assert network.layers[0].multiply_adds((29, 12)) == sum(net.recurrences) == 29 * 3 * 64 * (12 + 64)


def test_a_net_of_tokens_in_both_directions(peers):
    net = peers("nets").TEXTS
    X, y = net.data(64)
    assert (X.dtype, X.shape, set(y)) == (np.int32, (64, 100), {0, 1})
    network = peers("libraries").fastnn_network(net)
    assert sum(layer.multiply_adds((100, 128)) for layer in network.layers[1:3]) == sum(net.recurrences)
    # three products in each layer, also the one that leads to the vectors of the tokens
    assert net.flops == 2 * 32 * 3 * (sum(net.recurrences) + 128 * 2)
    work = peers("libraries").fastnn_work(replace(net, batch=8), X[:8], y[:8], X[:4], 1)
    work.epoch()
    assert work.one_row().shape == (1, 2)
    np.testing.assert_allclose(work.bulk()[:1], work.one_row())


def test_the_nets_are_those_of_the_suite(peers):
    suite = importlib.import_module("benchmarks.training").NETS
    assert [(net.sizes, net.batch) for net in peers("nets").NETS] == list(suite.values())


def test_flops(peers):
    assert peers("nets").LENET.convolutions == [24 * 24 * 6 * 25, 8 * 8 * 16 * 25 * 6]  # 0.282 M with the dense layers
    # two products in the first layer, three in each other one, two flops for a multiplication and an addition
    assert peers("nets").Net((784, 128, 10), 64).flops == 2 * 64 * (2 * 784 * 128 + 3 * 128 * 10)


@pytest.mark.parametrize("name", ["lenet-5", "resnet-8", "ds-cnn", "mobilenet-0.25", "wake-word"])
def test_the_layers_of_an_image_net_are_those_that_are_counted(peers, name):
    net, = (each for each in peers("nets").IMAGE_NETS if each.shape == name)
    network = peers("libraries").fastnn_network(net)
    convolutions = [(layer, shape) for layer, shape in zip(network.layers, network.shapes[:-1], strict=True)
                    if "Conv" in type(layer).__name__]
    assert [layer.output_shape(shape) for layer, shape in convolutions] == [each.out_shape for each in net.windows if each]
    assert [layer.multiply_adds(shape) for layer, shape in convolutions] == net.convolutions


def test_a_library_that_does_not_train_has_no_figure_for_it(peers):
    rounds, error = peers("rounds"), peers("process").PeerError
    processes = {"fastnn": Pretended(error), "onnxruntime": Pretended(error), "numpy": Pretended(error)}
    processes["onnxruntime"].figures = {"step": float("nan"), "cores": float("nan")}
    result = rounds.compare(peers("nets").NETS[0], 1, processes, rounds.QUICK, print, lambda: None)
    assert [result.ratio(measure, "onnxruntime") for measure in ("step", "one_row")] == [None, 1]
    assert [result.best_peer(measure) for measure in ("step", "one_row")] == [None, "onnxruntime"]
    row = next(line for line in peers("report").table([result]).splitlines() if "ONNX Runtime" in line)
    assert row.split()[2] == "–"


@pytest.mark.parametrize("text", ["4-16-2", "4-16-2:", "4:8", "4-1:8", "4-0-2:8", "4-2:0", "a-b:8"])
def test_what_is_no_net_is_refused(peers, text, capsys):
    with pytest.raises(SystemExit):
        peers("command").main(["--net", text])
    assert repr(text) in capsys.readouterr().err


def test_data_can_be_learned(peers):
    X, y = peers("nets").Net((5, 3), 8).data(200)
    assert X.dtype == np.float32
    fit = np.linalg.lstsq(X, np.eye(3)[y], rcond=None)[0]
    assert np.mean((X @ fit).argmax(axis=1) == y) > 0.8


def test_what_is_not_installed_is_skipped(peers, monkeypatch, capsys):
    command = peers("command")
    monkeypatch.setitem(command.PEERS, "torch", replace(command.PEERS["torch"], module="not_installed_anywhere"))
    run_with = []

    def run(nets, threads, libraries, *rest):
        run_with.extend(library.name for library in libraries)
        return []

    monkeypatch.setattr(command, "run", run)
    command.main(["--peers", "torch"])
    assert "torch is left out: it is not installed (pip install torch)" in capsys.readouterr().err
    assert run_with == ["fastnn"]


def test_what_finds_no_compiler_is_skipped(peers, monkeypatch):
    compiled = replace(peers("libraries").PEERS["torch.compile"], module="json")
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert compiled.absence == "it needs a C++ compiler, and there is no no-such-compiler (name another in the variable CXX)"
    monkeypatch.setenv("CXX", sys.executable)  # anything that can be run
    assert compiled.absence == ""


def test_arguments(peers):
    parse, nets = peers("command").parse, peers("nets")
    options = parse([])
    assert options.nets == list(nets.NETS)
    assert options.threads == [1, 2]
    assert options.peers == ["torch", "torch.compile", "jax", "sklearn"]
    options = parse(["--net", "20-32-32-4:16", "--net", "9-3:1", "--optimizer", "sgd"])
    assert options.nets == [nets.Net((20, 32, 32, 4), 16, "sgd"), nets.Net((9, 3), 1, "sgd")]


class Pretended:
    """A process that fails at one task, and otherwise answers at once."""

    def __init__(self, error, failing=None):
        self.error, self.failing, self.asked, self.figures = error, failing, [], {}

    def ask(self, task, **arguments):
        self.asked.append(task)
        if task == self.failing:
            raise self.error("no luck")
        measured = dict.fromkeys(("step", "one_row", "bulk", "cores"), 1.0) | self.figures
        return {"prepare": 0.5, "product": 1e9, "measure": measured}[task]


@pytest.mark.parametrize("failing", ["prepare", "measure"])
def test_a_library_that_fails_is_left_out(peers, failing):
    rounds, error, said = peers("rounds"), peers("process").PeerError, []
    processes = {"fastnn": Pretended(error), "jax": Pretended(error, failing), "numpy": Pretended(error)}
    effort = replace(rounds.QUICK, rounds=3)
    result = rounds.compare(peers("nets").NETS[0], 1, processes, effort, said.append, lambda: None)
    assert list(result.figures) == ["fastnn"]
    assert said == ["JAX on 4-16-16-2:8, 1 thread: no luck"]
    assert processes["jax"].asked.count(failing) == 1
    assert processes["fastnn"].asked == ["prepare", *3 * ["measure", "product"]]
    assert processes["numpy"].asked == 3 * ["product"]


def test_a_process_that_ends_is_an_error(peers, monkeypatch):
    process = peers("process")
    monkeypatch.setattr(process, "environment", lambda threads: {"PYTHONPATH": "/nowhere"})
    with process.Process(peers("libraries").NUMPY, 1) as numpy, pytest.raises(process.PeerError, match="the process ended"):
        numpy.ask("product", seconds=0)


def test_ratios(results):
    result = results[-1]
    assert result.ratio("step", "torch") == pytest.approx(14)
    assert result.best_peer("bulk") == "jax"
    assert result.peak == 1e11
    assert result.of_peak("fastnn") == pytest.approx(result.net.flops / 0.5e-3 / 1e11)
    result.figures.pop("torch")
    assert result.ratio("step", "torch") is None


def test_table(peers, results):
    one, two = peers("report").table(results).split("\n\n\n")
    assert one.startswith("1 thread, PyTorch 90, NumPy 100 GFLOP/s\n")
    assert two.startswith("2 threads, ")
    assert re.search(r"PyTorch +7\.00 ms +14\.0× +700 µs +14\.0× +14\.3 k +14\.0×", two)


def test_the_optimizer_is_told(peers, results):
    for result in results:
        result.net = replace(result.net, optimizer="sgd")
    assert "1 thread / 2 threads; SGD, float32." in peers("report").markdown(MACHINE, results)


def test_markdown(peers, results):
    results[0].figures.pop("jax")
    text = peers("report").markdown(MACHINE, results)
    assert "| 4-16-16-2, 8 | 1.00 ms / 500 µs | 7.00× / 6.00× | 7.00× / 14.0× | 100 µs / 50.0 µs | 7.00× / 6.00× |" in text
    assert "The best peers: training, JAX (PyTorch for 4-16-16-2 in 1 thread); one row, JAX (" in text
    assert "on Abacus (wood), 1 core, Table flat; Python 3.11.0; 1202-01-01." in text


def test_chart(peers, results):
    figure = peers("chart").draw(results)
    assert [ax.get_title() for ax in figure.axes] == [
        f"{measure}, {threads}" for threads in ("1 thread", "2 threads")
        for measure in ("training step", "predicting one row", "predicting many rows")]
    widths = sorted(bar.get_width() for bar in figure.axes[0].patches)
    assert widths == pytest.approx([2, 2, 6, 6])  # 3 and 7 times as long, from 1 on


@pytest.mark.parametrize(("value", "words"), [(34.7e6, "34.7 M"), (999.9e3, "1.00 M"), (513e3, "513 k"), (1.5e3, "1.50 k")])
def test_rate(peers, value, words):
    assert peers("report").rate(value) == words


def test_a_missing_ratio_is_a_dash(peers):
    times = peers("report").times
    assert [times(ratio) for ratio in (None, 138.2, 99.6, 9.97, 0.974)] == ["–", "138×", "100×", "10.0×", "0.97×"]


def test_median_seconds_counts_calls(peers, monkeypatch):
    process, calls = peers("process"), []
    monkeypatch.setattr(process, "timed", lambda function, number: calls.append(number) or number * 1e-5)
    assert process.median_seconds(None, 0.01) == pytest.approx(1e-5)
    assert max(calls) == calls[-1] >= 100  # until a sample takes a millisecond
