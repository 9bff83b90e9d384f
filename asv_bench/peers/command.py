"""The command line: `python asv_bench/peers.py`."""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from .chart import draw
from .libraries import DEFAULT_PEERS, FASTNN, LEARNING_RATES, NUMPY, PEERS
from .nets import IMAGE_NETS, NETS, SERIES_NETS, Net
from .report import as_json, machine, machine_line, markdown, table
from .rounds import QUICK, Effort, run


def main(argv=None):
    """Measure and print."""
    options = parse(argv)
    libraries = [FASTNN]
    for name in options.peers:
        if absence := PEERS[name].absence:
            say(f"{name} is left out: {absence}")
        else:
            libraries.append(PEERS[name])
    effort = QUICK if options.quick else Effort()
    effort = replace(effort, **{name: given for name in ("rounds", "seconds") if (given := getattr(options, name))})
    here = machine(dict.fromkeys((*libraries, NUMPY)))
    print(machine_line(here), end="\n\n", flush=True)
    with Progress(len(options.nets) * len(options.threads) * effort.rounds) as progress:
        results = run(options.nets, options.threads, libraries, effort, say, progress.advance)
    print(table(results))
    if options.markdown:
        options.markdown.write_text(markdown(here, results), encoding="utf-8")
    if options.json:
        options.json.write_text(json.dumps(as_json(here, effort, results), indent=1) + "\n", encoding="utf-8")
    if options.chart:
        draw(results).savefig(options.chart, dpi=150)
    return 0 if all("fastnn" in result.figures for result in results) else 1


def parse(argv):
    parser = argparse.ArgumentParser(
        prog="peers.py", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Time fastnn beside the libraries that one would take instead, on the same nets, in one run.",
        epilog="Without --nets and --net: the five of the table in the README. Give the machine nothing else to do.",
    )
    shapes = {net.shape: net for net in (*NETS, *IMAGE_NETS, *SERIES_NETS)}
    parser.add_argument("--threads", type=positive, nargs="+", default=[1, 2], metavar="N", help="default: 1 2")
    parser.add_argument("--nets", nargs="+", choices=shapes, metavar="NET", help=f"some of {', '.join(shapes)}")
    parser.add_argument("--net", type=a_net, action="append", default=[], metavar="SIZES:BATCH", dest="more",
                        help="any other, such as 20-100-100-5:32; may be given several times")
    parser.add_argument("--optimizer", choices=LEARNING_RATES, default="adam", help="default: adam")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=DEFAULT_PEERS, metavar="PEER",
                        help=f"some of {', '.join(PEERS)}; default: those for dense nets; torch.compile is slow")
    parser.add_argument("--rounds", type=positive, metavar="N", help=f"default: {Effort.rounds}")
    parser.add_argument("--seconds", type=float, metavar="S",
                        help=f"of training in a library's turn, at least an epoch; default: {Effort.seconds}")
    parser.add_argument("--quick", action="store_true", help="see whether it runs; the figures mean little")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write a table for the README")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="draw a chart (.png, .svg); needs Matplotlib")
    options = parser.parse_args(argv)
    for name in ("threads", "peers"):
        setattr(options, name, list(dict.fromkeys(getattr(options, name))))
    chosen = options.nets or ([] if options.more else [net.shape for net in NETS])
    nets = dict.fromkeys([*(shapes[shape] for shape in chosen), *options.more])
    options.nets = [replace(net, optimizer=options.optimizer) for net in nets]
    return options


def positive(text):
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def a_net(text):
    try:
        return Net.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def say(line):
    from tqdm import tqdm

    tqdm.write(line, file=sys.stderr)


class Progress:
    """Return a progress bar of rounds, shown in a terminal."""

    def __init__(self, rounds):
        from tqdm import tqdm

        self._bar = tqdm(total=rounds, unit="round", leave=False, disable=None)

    def advance(self):
        self._bar.update()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._bar.close()
