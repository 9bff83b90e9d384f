"""The commands about networks: inspect, bench, check-gradients, warmup; and the notation of networks."""

import argparse
import json

import pytest

import fastnn
from fastnn import Dense, Network, cli
from fastnn.cli import bench, check_gradients, options, warmup


@pytest.mark.parametrize("command", sorted(set(cli.COMMANDS) - {*cli.ELSEWHERE, "examples"}))
def test_help_gives_examples(command, capsys):
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    printed = capsys.readouterr().out
    assert "examples:\n" in printed
    assert "--json" in printed


@pytest.mark.parametrize(("text", "net"), [
    ("784-128-10", (784, [Dense(128, "relu"), Dense(10, "softmax")])),
    ("4-16:tanh-1", (4, [Dense(16, "tanh"), Dense(1)])),
    ("2,3:sigmoid", (2, [Dense(3, "sigmoid")])),
])
def test_nets_in_words(text, net):
    assert options.whole_net(text) == net


def test_hidden_layers_in_words():
    assert options.hidden_layers("8-4:gelu") == (Dense(8, "relu"), Dense(4, "gelu"))
    assert options.hidden_layers("none") == ()
    with pytest.raises(argparse.ArgumentTypeError, match="'0' is not a layer"):
        options.hidden_layers("8-0")


@pytest.mark.parametrize("as_json", [False, True])
def test_check_gradients(as_json, capsys):
    assert cli.main(["check-gradients", "3-4:tanh-2"] + ["--json"] * as_json) == 0
    printed = capsys.readouterr().out
    if as_json:
        found = json.loads(printed)
        assert found["passed"]
        assert set(found["parameters"]) == {"0.weight", "0.bias", "1.weight", "1.bias"}
    else:
        assert "3 inputs → 4 tanh → 2 softmax; loss cross_entropy" in printed
        assert "passed" in printed


def test_wrong_gradients_are_a_failure(monkeypatch, capsys):
    from fastnn import gradient_check as gradients

    monkeypatch.setattr(gradients, "derivative", lambda *_: 1e3)
    assert check_gradients.main(["2-2:tanh-1"]) == 1
    assert "FAILED" in capsys.readouterr().out


def test_a_loss_that_does_not_fit_is_an_error(capsys):
    assert cli.main(["check-gradients", "3-4-1", "--loss", "cross_entropy"]) == 1
    assert "binary_cross_entropy" in capsys.readouterr().err


@pytest.mark.parametrize("net", ["3-4-2", "3-4:tanh-1", "3-4-2:sigmoid"])
def test_bench(net, capsys, monkeypatch):
    monkeypatch.setattr(bench, "SECONDS", 1e-3)
    assert cli.main(["bench", net, "--json", "--threads", "1", "--batch-size", "16"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["threads"] == 1
    assert min(found[name] for name in ("step_seconds", "row_seconds", "bulk_rows_per_second")) > 0
    assert cli.main(["bench", net]) == 0
    assert "training step, batch 32" in capsys.readouterr().out


def test_warmup(monkeypatch, capsys):
    asked = []
    monkeypatch.setattr("fastnn.runtime.warm_up.warmup", lambda dtypes: asked.append(dtypes) or 1.5)
    assert warmup.main(["--dtype", "float64,float32", "--json"]) is None
    assert json.loads(capsys.readouterr().out)["seconds"] == 1.5
    assert asked == [("float64", "float32")]
    assert cli.main(["warmup"]) == 0
    assert "kernels for float32 are ready in" in capsys.readouterr().out


def test_inspect_a_network_that_save_wrote(tmp_path, capsys):
    net = Network([Dense(3, "tanh"), Dense(1)], inputs=2)
    net.save(tmp_path / "net.safetensors")
    assert cli.main(["inspect", str(tmp_path / "net.safetensors")]) == 0
    assert net.summary() in capsys.readouterr().out
    assert cli.main(["inspect", str(tmp_path / "net.safetensors"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"network": net.config(), "parameters": 13}


def test_inspect_what_is_no_model(tmp_path, capsys):
    (tmp_path / "x").write_text("nothing of the kind")
    assert cli.main(["inspect", str(tmp_path / "x")]) == 1
    assert "cannot load a network" in capsys.readouterr().err
    assert cli.main(["inspect", str(tmp_path / "y")]) == 1
    assert issubclass(fastnn.ModelFormatError, ValueError)
