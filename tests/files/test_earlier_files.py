"""Files and pickles of an earlier version load, with the same parameters to the bit and the same predictions."""

import json
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest

import fastnn
from fastnn import EarlyStopping, ModelFormatError, Network
from fastnn.files.networks import NEWEST
from fastnn.formats.safetensors import to_bytes

DATA = Path(__file__).parents[1] / "data" / "earlier"
EXPECTED = np.load(DATA / "expected.npz")
X, Y = EXPECTED["X"], EXPECTED["y"]


@pytest.fixture(scope="module")
def objects():
    pytest.importorskip("sklearn")
    pytest.importorskip("pandas")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn's, of estimators from another version of it
        return pickle.loads((DATA / "objects.pickle").read_bytes())


def arrays(name):
    return {key.split("/")[1]: EXPECTED[key] for key in EXPECTED if key.startswith(f"in {name}/")}


def check_arrays(net, name):
    """Check that parameters and state are those of `name`, to the bit."""
    found, expected = {**net.parameters, **net.state}, arrays(name)
    assert expected
    assert {each: (view.dtype.str, view.tobytes()) for each, view in found.items()} == {
        each: (array.dtype.str, array.tobytes()) for each, array in expected.items()}


def as_it_was(found, name):
    """Rounding may differ between processors."""
    np.testing.assert_allclose(found, EXPECTED[name], rtol=1e-5, atol=1e-6, strict=True)


def load(name):
    return (Network.load_checkpoint if name == "checkpoint" else Network.load)(DATA / f"{name}.safetensors")


@pytest.mark.parametrize("name", ["network", "network64"])
def test_networks(name, tmp_path):
    net = load(name)
    check_arrays(net, name)
    as_it_was(net.forward(X), name)
    net.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (DATA / f"{name}.safetensors").read_bytes()


def test_a_checkpoint_goes_on():
    net = load("checkpoint")
    check_arrays(net, "network")
    assert net.history["loss"] == EXPECTED["history"].tolist()
    history = net.fit(X, Y, epochs=3, batch_size=16, validation_data=(X[:9], Y[:9]), resume=True,
                      callbacks=[EarlyStopping("loss", patience=9)])
    as_it_was(history["val_loss"], "resumed history")
    for name, array in arrays("resumed").items():
        np.testing.assert_allclose({**net.parameters, **net.state}[name], array, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["table", "table_values"])
def test_models_of_tables(name):
    pd = pytest.importorskip("pandas", reason="tables need the extra cli")
    frame = pd.DataFrame(X, columns=list("abcd")).assign(word=np.where(X[:, 1] > 0, "left", "right"))
    model = fastnn.tables.TableModel.load(DATA / f"{name}.safetensors")
    predicted = model.predict(frame)
    if name == "table":
        assert predicted.astype(str).tolist() == EXPECTED[name].tolist()
    else:
        as_it_was(predicted, name)


def test_a_pickled_network(objects):
    net = objects["network"]
    check_arrays(net, "network")
    as_it_was(net.forward(X), "network")
    assert objects["history"]["loss"] == EXPECTED["history"].tolist()
    assert net.vectors.random.tobytes() == load("checkpoint").vectors.random.tobytes()
    net.fit(X, Y, batch_size=16)


@pytest.mark.filterwarnings("ignore::UserWarning")  # they are fitted for a moment
@pytest.mark.parametrize("name", ["classifier", "regressor"])
def test_pickled_estimators(name, objects):
    estimator = objects[name]
    check_arrays(estimator.network_, name)
    as_it_was(estimator.predict_proba(X) if name == "classifier" else estimator.predict(X), name)
    estimator.fit(X, Y)


def test_a_pickled_population(objects):
    as_it_was(objects["population"].forward(X), "population")


def test_a_pickled_table(objects, tmp_path):
    pd = pytest.importorskip("pandas", reason="tables need the extra cli")
    frame = pd.DataFrame(X, columns=list("abcd")).assign(word=np.where(X[:, 1] > 0, "left", "right"))
    predicted = objects["table"].predict(frame)
    assert predicted.astype(str).tolist() == EXPECTED["table"].tolist()
    assert objects["table"].evaluate(frame.assign(y=predicted))["accuracy"] == 1
    assert objects["table"].preprocessing.notes == []
    objects["table"].save(tmp_path / "table.safetensors")
    from_file = fastnn.tables.TableModel.load(DATA / "table.safetensors")
    assert objects["table"].target == from_file.target
    np.testing.assert_array_equal(fastnn.tables.TableModel.load(tmp_path / "table.safetensors").predict_proba(frame),
                                  from_file.predict_proba(frame))


def test_pickled_specifications(objects):
    """They equal the files that the same commands make today."""
    today = {"schedule": fastnn.CosineDecay(0.1, 10), "optimizer": fastnn.AdamW(0.1), "lbfgs": fastnn.LBFGS(), "layers": [
        fastnn.Dense(3), fastnn.BatchNorm(), fastnn.LayerNorm(), fastnn.Dropout(0.5), fastnn.Activation("relu")]}
    assert {name: repr(objects[name]) for name in today} == {name: repr(each) for name, each in today.items()}
    assert objects["layers"] == today["layers"]
    assert objects["schedule"] == today["schedule"]
    np.testing.assert_array_equal(objects["schedule"].rates(np.arange(1, 12)), EXPECTED["rates"])
    Network(objects["layers"], inputs=4).fit(X, X[:, :3], optimizer=objects["optimizer"], callbacks=[objects["callback"]])


def from_a_newer_version(path, version):
    """Return a file in which only the version of its format, and so the digest, differs."""
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header, data = json.loads(content[8:8 + size]), content[8 + size:]
    metadata = header.pop("__metadata__")
    kind, found = metadata["format"].rsplit("-", 1)
    assert found == "1"
    numbers = {"F32": "<f4", "F64": "<f8", "U64": "<u8", "I64": "<i8"}
    tensors = {name: np.frombuffer(data[slice(*each["data_offsets"])], numbers[each["dtype"]]).reshape(each["shape"])
               for name, each in header.items()}
    metadata = {name: text for name, text in metadata.items() if name != "sha256"}
    return kind, b"".join(to_bytes(tensors, metadata | {"format": f"{kind}-{version}"}))


@pytest.mark.parametrize("version", [NEWEST + 1, 41])
@pytest.mark.parametrize("name", ["network", "checkpoint", "table"])
def test_a_newer_format_is_refused_by_name(name, version, tmp_path):
    kind, content = from_a_newer_version(DATA / f"{name}.safetensors", version)
    path = tmp_path / "file.safetensors"
    path.write_bytes(content)
    load = {"network": Network.load, "checkpoint": Network.load_checkpoint}.get(name)
    if name == "table":
        pytest.importorskip("pandas", reason="tables need the extra cli")
        load = fastnn.tables.TableModel.load
    says = f"its format is '{kind}-{version}'; this fastnn reads versions 1 to {NEWEST}"
    with pytest.raises(ModelFormatError, match=says):
        load(path)
    path.write_bytes(from_a_newer_version(DATA / f"{name}.safetensors", 1)[1])
    load(path)
