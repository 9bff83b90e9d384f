"""`fastnn warmup`: compile every kernel in advance instead of at its first use."""

from . import options

EXAMPLES = (
    ("fastnn warmup", "when a container image is built, so that the first training does not compile"),
    ("FASTNN_CACHE_DIR=/opt/kernels fastnn warmup --dtype float32,float64", "into a directory of your own, for both dtypes"),
)


def main(argv):
    """Run the command."""
    parser = options.command("warmup", "Compile every kernel that is not on disk yet.", EXAMPLES)
    parser.add_argument("--dtype", type=options.words, default=("float32",), metavar="A,B", help="(default: float32)")
    options.add_json(parser)
    parsed = parser.parse_args(argv)
    from ..kernels.compiling.cache import cache_directory
    from ..runtime.warm_up import warmup

    seconds, directory = warmup(parsed.dtype), str(cache_directory())
    if parsed.json:
        options.print_json({"seconds": seconds, "dtypes": list(parsed.dtype), "directory": directory})
    else:
        options.print_now(f"kernels for {' and '.join(parsed.dtype)} are ready in {directory}, {seconds:.1f} s")
