"""The results: a table for the terminal, one in Markdown for the README, and everything as JSON."""

import math
import os
import platform
import subprocess
from dataclasses import asdict
from datetime import date
from importlib.metadata import version
from pathlib import Path

from .libraries import LIBRARIES
from .rounds import MEASURES

NOTHING = "–"
MEASURE_NAMES = {"step": "training", "one_row": "one row", "bulk": "bulk"}


def machine(libraries):
    """Return the description of the machine and the software."""
    from llvmlite.binding import get_host_cpu_name

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": processor(),
        "generation": get_host_cpu_name(),  # as LLVM has it; a virtual machine's processor may have no better name
        "cores": cores,
        "system": f"{platform.system()} {platform.machine()}",
        "date": date.today().isoformat(),
        "versions": {"Python": platform.python_version()}
        | {library.distribution: version(library.distribution) for library in libraries},
    }


def processor():
    """Return the system's name of the processor."""
    description = Path("/proc/cpuinfo")
    if description.exists():
        for line in description.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    if platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    return platform.processor() or platform.machine()


def machine_line(machine):
    """Return a sentence about the machine."""
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    cores = f"{machine['cores']} core{'s' * (machine['cores'] > 1)}"
    return f"{machine['processor']} ({machine['generation']}), {cores}, {machine['system']}; {versions}; {machine['date']}"


def as_json(machine, effort, results):
    """Return everything, times in seconds, rates in flops per second; `times_fastnn` are ratios to fastnn's times."""

    def figures(result, name):
        times = {measure: result.ratio(measure, name) for measure in MEASURES}
        return asdict(result.figures[name]) | {"of_peak": result.of_peak(name), "times_fastnn": times}

    return {
        "machine": machine,
        "effort": asdict(effort),
        "results": [
            {"net": result.net.shape, "batch": result.net.batch, "optimizer": result.net.optimizer,
             "threads": result.threads, "steps": result.steps, "flops": result.net.flops, "products": result.products,
             "libraries": {name: figures(result, name) for name in result.figures}}
            for result in results
        ],
    }


def table(results):
    """Return a block for every number of threads, with some lines for each net; times with their ratios to fastnn's."""
    blocks = []
    for threads in dict.fromkeys(result.threads for result in results):
        here = [result for result in results if result.threads == threads]
        rows = [("net:batch", "library", "step", "", "one row", "", "bulk, rows/s", "", "of peak", "cores", "accuracy")]
        for result in here:
            for k, (name, figures) in enumerate(result.figures.items()):
                rows.append((
                    "" if k else str(result.net), LIBRARIES[name].title,
                    seconds(figures.step), beside(result, "step", name),
                    seconds(figures.one_row), beside(result, "one_row", name),
                    rate(1 / figures.bulk), beside(result, "bulk", name),
                    share(result.of_peak(name)), f"{figures.cores:.1f}", share(figures.accuracy),
                ))
        header, *lines = aligned(rows)
        for position in reversed([k for k, row in enumerate(rows[1:]) if row[0] and k]):
            lines.insert(position, "")
        blocks.append("\n".join([f"{in_threads(threads)}, {peaks(here)}", "", header, "─" * len(header), *lines]))
    return "\n\n\n".join(blocks)


def beside(result, measure, name):
    return "" if name == "fastnn" else times(result.ratio(measure, name))


def aligned(rows, left=2):
    """Return rows of strings as lines: the first columns aligned left, the others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{cell:<{width}}" if k < left else f"{cell:>{width}}" for k, (cell, width) in
                      enumerate(zip(row, widths, strict=True))) for row in rows]


def markdown(machine, results):
    """Return a line for each net, with a figure for each number of threads; then what was compared and on what."""
    threads = list(dict.fromkeys(result.threads for result in results))
    nets = {}
    for result in results:
        nets.setdefault(result.net, []).append(result)
    header = ("net, batch", "training step", "against the best peer", "against PyTorch", "one row", "against the best peer",
              "bulk, rows/s", "against the best peer", "of the peak")
    rows = [header, ("---", *["---:"] * (len(header) - 1))]
    for net, here in nets.items():

        def cell(figure, here=here):
            return " / ".join(figure(result) if "fastnn" in result.figures else NOTHING for result in here)

        def against_best(measure, cell=cell):
            return cell(lambda result: times(result.ratio(measure, result.best_peer(measure))))

        rows.append((
            f"{net.shape}, {net.batch}",
            cell(lambda result: seconds(result.figures["fastnn"].step)), against_best("step"),
            cell(lambda result: times(result.ratio("step", "torch"))),
            cell(lambda result: seconds(result.figures["fastnn"].one_row)), against_best("one_row"),
            cell(lambda result: rate(1 / result.figures["fastnn"].bulk)), against_best("bulk"),
            cell(lambda result: share(result.of_peak("fastnn"))),
        ))
    lines = [f"| {' | '.join(row)} |" for row in rows]
    rates = "; ".join(f"{in_threads(count)}: {peaks([result for result in results if result.threads == count])}"
                      for count in threads)
    any_peers = any(result.best_peer("step") for result in results)
    explanation = [
        f"{' / '.join(map(in_threads, threads))}; {of_optimizers(results)}, float32. "
        "What fastnn takes, and how many times as long others take.",
        *([f"The best peers: {'; '.join(best_peers(measure, results) for measure in MEASURES)}."] if any_peers else []),
        "The peak is the practical one, the best rate at which any of them multiplies 1024² matrices in the same rounds "
        f"({rates});\nthe share is that of the rate at which a whole step gets its matrix products done.",
        f"Medians of interleaved rounds on {machine_line(machine)}.",
    ]
    return "\n".join([*lines, "", *explanation, ""])


def best_peers(measure, results):
    """Return which peer is the fastest in which measure."""
    places = {}
    for result in results:
        if name := result.best_peer(measure):
            places.setdefault(LIBRARIES[name].title, {}).setdefault(result.net.shape, []).append(result.threads)
    usual = max(places, key=lambda title: sum(map(len, places[title].values())))
    others = [f"{title} for {shape} in {in_threads(' and '.join(map(str, threads)))}"
              for title, shapes in places.items() if title != usual for shape, threads in shapes.items()]
    return f"{MEASURE_NAMES[measure]}, {usual}" + f" ({', '.join(others)})" * bool(others)


def peaks(results):
    """Return the speed of large matrix products, medians over these results."""
    from statistics import median

    names = dict.fromkeys(name for result in results for name in result.products)
    rates = {name: median(result.products[name] for result in results if name in result.products) for name in names}
    return ", ".join(f"{LIBRARIES[name].title} {rates[name] / 1e9:.0f}" for name in rates) + " GFLOP/s"


def of_optimizers(results):
    return " and ".join(dict.fromkeys({"adam": "Adam", "sgd": "SGD"}[result.net.optimizer] for result in results))


def in_threads(threads):
    return f"{threads} thread{'' if str(threads) == '1' else 's'}"


def seconds(value):
    from fastnn.cli.compare import in_words

    return NOTHING if math.isnan(value) else in_words(value)


def rate(value):
    """Return three digits, in thousands or millions."""
    value, unit = (value / 1e6, "M") if value >= 999.5e3 else (value / 1e3, "k")
    return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f} {unit}"


def times(ratio):
    if ratio is None:
        return NOTHING
    return f"{ratio:.0f}×" if ratio >= 99.5 else f"{ratio:.1f}×" if ratio >= 9.95 else f"{ratio:.2f}×"


def share(value):
    return NOTHING if math.isnan(value) else f"{100 * value:.0f} %"
