"""A notebook shows the picture of a call of fastnn.plot once, with any backend of Matplotlib."""

import base64
import pickle
import subprocess
import sys

import pytest
from patience import PATIENCE

pytest.importorskip("matplotlib")
nbformat = pytest.importorskip("nbformat", reason="notebooks are executed by nbclient, which is not installed")
nbclient = pytest.importorskip("nbclient", reason="notebooks are executed by nbclient, which is not installed")
pytest.importorskip("ipykernel", reason="the kernel of notebooks, ipykernel, is not installed")

from fastnn import plot  # noqa: E402

CURVES = "plot.learning_curves({'loss': [2.0, 1.0]})"
CELLS = {  # what is run, and how many pictures it shows
    "import numpy as np\nfrom fastnn import plot": 0,
    CURVES: 1,
    f"{CURVES};": 1,
    f"ax = {CURVES}\nax.set_title('one')\nprint('said')": 1,
    "ax": 1,
    "ax.figure": 1,
    "ax.set_title('two');": 0,
    "ax.figure  # after a change": 1,
    f"{CURVES}\nplot.heat_map(np.eye(2), ['a', 'b'], ['c', 'd'])": 2,
    f"for _ in range(3):\n    {CURVES}": 3,
    f"ax = {CURVES}\nax.figure": 1,
    f"ax = {CURVES}\nax": 1,
    f"display({CURVES})\nprint('said')": 1,
    f"axes = plot.axes(1, 2)\n{CURVES[:-1]}, axes[0])\n{CURVES[:-1]}, axes[1]);": 1,
    f"axes = plot.axes(1, 2)\n{CURVES[:-1]}, axes[0])\naxes": 1,
    "plot.sweep_panels([{'a': 1}, {'a': 2}], [0.5, 0.25], 'val_loss')": 1,
    f"{CURVES}.figure.savefig('picture.png')": 1,
    f"{CURVES}.figure.clear()": 0,
    f"def draw():\n    {CURVES}\ndraw()": 1,
    f"{CURVES}\n1 / 0": 1,
    f"%%capture kept\n{CURVES}": 0,
    "len(kept.outputs)": 0,
    "1  # nothing is shown again": 0,
}
INLINE = "%matplotlib inline\nimport matplotlib.pyplot as plt"
SVG = "%config InlineBackend.figure_formats = ['svg']"
BACKENDS = {"of the notebook": (None, ""), "Agg": ("Agg", ""), "inline": (None, INLINE)}
FEW = list(CELLS)[:9]  # they say whether a backend is taken at all; all of them are run with two


def executed(cells, backend, monkeypatch, folder):
    """Return the outputs of each cell of a notebook."""
    if backend is None:
        monkeypatch.delenv("MPLBACKEND", raising=False)
    else:
        monkeypatch.setenv("MPLBACKEND", backend)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = nbclient.NotebookClient(book, timeout=PATIENCE, startup_timeout=PATIENCE, kernel_name="python3",
                                     allow_errors=True, resources={"metadata": {"path": str(folder)}})
    client.execute()
    return [cell.outputs for cell in book.cells]


def pictures(outputs):
    """Return the images among the outputs of a cell, one of each output."""
    data = [output.data for output in outputs if output.output_type in ("display_data", "execute_result")]
    return [each.get("image/svg+xml") or each["image/png"] for each in data if any("image/" in kind for kind in each)]


def check_pictures(cells, outputs, is_picture):
    """Check that each cell has shown so many pictures, and no error but its own; return the outputs by cell."""
    shown = dict(zip(cells, outputs, strict=True))
    assert {cell: len(pictures(each)) for cell, each in shown.items()} == {cell: CELLS[cell] for cell in cells}
    assert all(is_picture(picture) for each in shown.values() for picture in pictures(each))
    for cell, each in shown.items():
        errors = [output.evalue for output in each if output.output_type == "error"]
        assert errors == (["division by zero"] if "1 / 0" in cell else [])
    curve, table = pictures(shown[f"{CURVES}\nplot.heat_map(np.eye(2), ['a', 'b'], ['c', 'd'])"])
    assert curve != table
    assert pictures(shown["ax.figure"]) != pictures(shown["ax.figure  # after a change"])
    return shown


def is_png(picture):
    png = base64.b64decode(picture)
    return png[:8] == b"\x89PNG\r\n\x1a\n" and len(png) > 3000


def is_svg(picture):
    return "<svg" in picture


@pytest.mark.parametrize("name", BACKENDS)
def test_a_notebook_shows_each_picture_once(name, monkeypatch, tmp_path):
    backend, first = BACKENDS[name]
    cells = list(CELLS) if name in ("Agg", "inline") else FEW
    further = [f"figure, ax = plt.subplots()\n{CURVES[:-1]}, ax)", SVG, *FEW] if name == "inline" else []
    outputs = executed([first, *cells, *further], backend, monkeypatch, tmp_path)[1:]
    shown = check_pictures(cells, outputs[:len(cells)], is_png)
    curve = pictures(shown[f"{CURVES}\nplot.heat_map(np.eye(2), ['a', 'b'], ['c', 'd'])"])[0]
    assert curve == pictures(shown[f"{CURVES};"])[0]  # in their order; not so in svg, which has a date in it
    if len(cells) == len(CELLS):
        assert [output.data["text/plain"] for output in shown["len(kept.outputs)"]] == ["1"]
    if further:
        on_axes_of_pyplot, _, *svg = outputs[len(cells):]
        assert len(pictures(on_axes_of_pyplot)) == 1  # by pyplot alone
        check_pictures(FEW, svg, is_svg)


def test_a_script_shows_nothing():
    """Nor in IPython's shell for terminals: there Axes are printed as by Matplotlib."""
    program = f"""
import sys
from fastnn import plot
ax = {CURVES}
assert "matplotlib.pyplot" not in sys.modules
assert plot.notebook.waiting == []
assert repr(ax).startswith("<Axes: "), repr(ax)
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
assert not shell.run_cell({CURVES!r}.replace("plot", "__import__('fastnn').plot")).error_in_exec
assert plot.notebook.waiting == []
data, _ = shell.display_formatter.format(ax)
assert list(data) == ["text/plain"], data
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "PNG" not in result.stdout


def test_axes_are_matplotlibs():
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    ax = plot.learning_curves({"loss": [2.0, 1.0]})
    assert isinstance(ax, Axes)
    assert isinstance(ax.figure, Figure)
    assert [*map(len, pickle.loads(pickle.dumps(ax)).lines[0].get_data())] == [2, 2]
    assert ax.twinx().figure is ax.figure


def test_a_fit_in_a_notebook_is_seen_and_stays(monkeypatch, tmp_path):
    """The live picture, the lines of the epochs, and the table of the history are in the executed notebook."""
    fit = ("import numpy as np\nfrom fastnn import Dense, EpochLog, LivePlot, Network\n"
           "X = np.linspace(-1, 1, 40)[:, None]\nnet = Network([Dense(4, 'tanh'), Dense(1)], inputs=1)\n"
           "history = net.fit(X, X[:, 0], epochs=3, validation_split=0.2, callbacks=[LivePlot(), EpochLog()])")
    cells = [fit, "history", "net", "net.summary()"]
    outputs = executed(cells, None, monkeypatch, tmp_path)
    assert not [output.evalue for each in outputs for output in each if output.output_type == "error"]
    text = "".join(output.text for output in outputs[0] if output.output_type == "stream" and output.name == "stdout")
    assert [line.split(":")[0] for line in text.splitlines()] == ["epoch 1", "epoch 2", "epoch 3"]
    assert len(pictures(outputs[0])) == 1  # it is drawn again in its place, and not shown once more at the end
    assert all("<table" in output.data["text/html"] for each in outputs[1:3] for output in each)
    assert "Dense" in outputs[3][0].data["text/plain"]
