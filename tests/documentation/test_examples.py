"""Every example runs, draws its picture, and gives the results that it claims."""

import importlib
import os
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from fastnn import CustomLayer, cli, examples
from fastnn.layers import layers

SPOKEN = Path(os.environ.get("FASTNN_SPOKEN_DIGITS") or Path(__file__).parents[3] / "shared" / "data" / "spoken_digits.npz")
SHARED = Path(__file__).parents[3] / "shared" / "data"
DICTIONARY = Path(os.environ.get("FASTNN_CMUDICT") or SHARED / "cmudict.dict.xz")
REVIEWS = [SHARED / f"food_reviews_{part}.csv.gz" for part in ("train", "test")]
MNIST = Path(os.environ.get("FASTNN_MNIST") or SHARED / "mnist.npz")


def logistic_regression(found):
    assert found["difference"] <= 1e-10
    assert found["accuracy"] >= 0.95
    assert set(found["seconds"]) == {"loops", "NumPy", "compiled"}


def computation_graph(found):
    assert found["derivatives"] == {"a": 3, "b": 6, "c": 9, "u": 3, "v": 3, "J": 1}
    assert found["difference"] <= 1e-14


def spiral(found):
    assert found["accuracy"] >= 0.99


def zero_initialization(found):
    assert found["distinct"] == {"zeros": 1, "random": 8}
    assert found["accuracy"]["zeros"] < 0.7 < 0.97 < found["accuracy"]["random"]


def linear_depth(found):
    assert found["difference"] <= 1e-12
    assert found["accuracy"]["relu, 5 layers"] >= 0.99
    assert found["xor_accuracy"]["relu, 5 layers"] == 1
    for linear in ("one layer", "linear, 5 layers"):
        assert found["accuracy"][linear] < 0.6
        assert found["xor_accuracy"][linear] <= 0.75  # no line has more than three of the four corners right


def parity(found):
    assert all(found["right"])
    assert found["counts"] == {"tree": [9, 33, 121], "gates, 1 layer": [9, 49, 1281], "counting, 1 layer": [9, 25, 81]}
    assert found["accuracy"]["deep"] == [1.0]


def pendulum(found):
    assert found["passed"]
    errors = found["errors"]
    assert 1.2 * errors["physics and a network"] < errors["a network alone"] < errors["physics alone"] / 3


def mnist(found):
    assert found["accuracy"] >= 0.965  # after the two epochs of --quick; 0.98 and better after all ten


def ensemble(found):
    spread = found["spread"]
    assert 2 * spread["among the points"] < spread["in the gap"]
    assert 2 * spread["among the points"] < spread["beyond the ends"]


def sweep(found):
    assert np.all((found["accuracies"] >= 0) & (found["accuracies"] <= 1))
    assert found["best"]["accuracy"] == found["accuracies"].max() >= 0.99


def lenet(found):
    assert found["accuracy"] >= 0.9  # after the 375 steps of --quick


def mnist1d(found):
    assert found["accuracy"]["convolutional"] >= 0.85  # after the four epochs of --quick
    assert found["accuracy"]["dense"] < 0.75


def autoencoder(found):
    mean, components, network = found["errors"].values()
    assert network < 0.6 * mean  # after the 15 epochs of --quick; less than the components after all
    assert components < mean


def segmentation(found):
    assert found["accuracy"] >= 0.85  # after --quick
    assert found["ious"][0] >= 0.9
    assert found["mean_iou"] == pytest.approx(np.mean(found["ious"]))


def digits(found):
    assert found["accuracy"] >= 0.95  # after the 10 epochs of --quick; 99.6 % after all


def neural_ode(found):
    assert found["losses"][-1] < 0.03 * found["losses"][0]  # after the 300 steps of --quick
    assert found["error"] < 1.5


def newton(found):
    np.testing.assert_allclose(found["found"], found["minima"], atol=0.15)
    assert found["inside"] > 0.9


def cart_pole(found):
    assert found["history"][-1, 0] < 0.95 * found["history"][0, 0]  # after the 10 generations of --quick


def sunspots(found):
    assert found[1850]["GRU"] < 1.05 * found[1850]["linear"]  # also the one network of --quick
    assert found[1850]["GRU"] < found[1850]["repetition"]
    assert found[1950]["linear"] < found[1950]["GRU"]  # as it says, honestly


def translator(found):
    assert found["curve"][-1][0] < 2  # the loss after the two epochs of --quick; all four write 99.5 % and more exactly
    assert found["milliseconds"] < 1000


def phonemes(found):
    assert found["phoneme errors"] < 0.9  # after the epoch of --quick
    assert len(found["curve"]) >= 1


def writer(found):
    assert found["bits"] < 5  # after the two epochs of --quick, on a fifth of the pages
    assert {len(text) for text in found["texts"].values()} == {19 + 300}


def digit_strings(found):
    assert found["label_error_rate"] < 0.2  # after --quick; 0.6 % after all epochs
    assert found["by_beam"] < 0.2


def spoken_digits(found):
    assert found["accuracy"] > 0.9  # after the three epochs of --quick; 99 % after all


def camera(found):
    assert found["both"]["size"] < 0.7 * min(found[name]["size"] for name in ("picture", "table", "nothing"))
    assert found["both"]["kind"] > 0.45 > found["table"]["kind"]  # after the epochs of --quick; 94 % after all


def reviews(found):
    assert found["text"] > found["always great"]  # after --quick; 80 % after all
    assert found["both"] > found["always great"]


CLAIMS = {claim.__name__: claim for claim in
          (autoencoder, camera, cart_pole, computation_graph, digit_strings, digits, ensemble, lenet, linear_depth,
           logistic_regression, mnist, mnist1d, neural_ode, newton, parity, pendulum, phonemes, reviews, segmentation,
           spiral, spoken_digits, sunspots, sweep, translator, writer, zero_initialization)}
QUICK = {"autoencoder", "camera", "cart_pole", "digit_strings", "digits", "lenet", "mnist", "mnist1d", "neural_ode",
         "parity", "phonemes", "reviews", "segmentation", "spoken_digits", "sunspots", "translator",
         "writer"}


@pytest.fixture(autouse=True)
def same_layers_after(monkeypatch):
    """Remove the layers that examples register, so that other tests see only those of the package."""
    monkeypatch.setattr(layers, "records", dict(layers.records))


def module(name):
    """Return the module of an example, with its layers registered although it is imported only once in a process."""
    found = importlib.import_module(f"fastnn.examples.{name}")
    for each in vars(found).values():
        if isinstance(each, type) and issubclass(each, CustomLayer) and each.__module__ == found.__name__:
            layers.records[each.__name__] = each
    return found


def test_every_example_is_here():
    assert examples.names() == sorted(CLAIMS)


@pytest.mark.parametrize("name", examples.names())
def test_example(name, tmp_path, monkeypatch, capsys):
    if name in ("lenet", "mnist"):
        if not MNIST.is_file():
            pytest.skip(f"there is no MNIST file at {MNIST}")
        monkeypatch.setenv("FASTNN_MNIST", str(MNIST))
    if name in ("digit_strings", "spoken_digits"):
        if not SPOKEN.exists():
            pytest.skip(f"there are no recordings at {SPOKEN}")
        monkeypatch.setenv("FASTNN_SPOKEN_DIGITS", str(SPOKEN))
    monkeypatch.chdir(tmp_path)
    arguments = ["--quick"] if name in QUICK else []
    if name == "phonemes":
        if not DICTIONARY.is_file():
            pytest.skip(f"there is no dictionary at {DICTIONARY}")
        arguments.append(str(DICTIONARY))
    if name == "reviews":
        if not all(path.is_file() for path in REVIEWS):
            pytest.skip(f"there are no reviews at {REVIEWS[0]}")
        arguments += map(str, REVIEWS)
    found = module(name).main(arguments)
    CLAIMS[name](found)
    printed = capsys.readouterr().out
    assert printed.splitlines()[-1].startswith("picture: ")
    pictures = sorted(path.name for path in tmp_path.iterdir())
    assert f"fastnn-{name}.png" in pictures
    assert all(f"picture: {picture}" in printed for picture in pictures)


@pytest.mark.parametrize("name", examples.names())
def test_help_says_what_an_example_shows(name, capsys):
    with pytest.raises(SystemExit) as stop:
        module(name).main(["--help"])
    assert stop.value.code == 0
    printed = capsys.readouterr().out
    assert examples.summary(name) in printed
    assert "--output" in printed


def test_every_example_is_listed(capsys):
    assert cli.main(["examples"]) == 0
    printed = capsys.readouterr().out
    for name in examples.names():
        assert name in printed
        assert examples.summary(name) in printed
        assert len(examples.summary(name)) <= 125


def test_an_example_without_matplotlib(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    for name in ("computation_graph", "linear_depth"):
        CLAIMS[name](module(name).main(["--output", str(tmp_path)]))
        assert "pip install" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["lenet", "mnist"])
def test_mnist_says_what_it_wants(name, monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("FASTNN_MNIST", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        module(name).main([])
    assert stop.value.code == 2
    assert "FASTNN_MNIST" in capsys.readouterr().err


def test_digit_strings_say_what_they_want(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("FASTNN_SPOKEN_DIGITS", raising=False)
    for given, words in [([], "Free Spoken Digit Dataset"), (["--path", str(tmp_path)], "7_jackson_32.wav")]:
        with pytest.raises(SystemExit) as stop:
            module("digit_strings").main(given)
        assert stop.value.code == 2
        assert words in capsys.readouterr().err


def test_digit_strings_read_a_folder_of_recordings(tmp_path):
    random = np.random.default_rng(0)
    for digit, speaker, number in [(7, "jackson", 32), (7, "jackson", 4), (0, "theo", 5)]:
        with wave.open(str(tmp_path / f"{digit}_{speaker}_{number}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes((1000 * random.normal(size=4000 + 80 * number)).astype("<i2").tobytes())
    frames, digits, train, test = module("digit_strings").recordings(tmp_path)
    assert digits.tolist() == [0, 7, 7]
    assert (train.tolist(), test.tolist()) == ([0, 1], [2])
    assert frames.lengths.tolist() == [53, 80, 52]
    X, y = module("digit_strings").strings(frames, digits, train, passes=3, seed=0)
    assert sorted(one.tolist() for one in y)[0] in ([1, 8], [8, 1])
    assert X.lengths.tolist() == [133] * 3


def test_as_a_module(tmp_path):
    done = subprocess.run([sys.executable, "-m", "fastnn.examples.computation_graph"], cwd=tmp_path, capture_output=True,
                          check=True, encoding="utf-8")
    assert "dJ/dnode" in done.stdout
    assert (tmp_path / "fastnn-computation_graph.png").is_file()
