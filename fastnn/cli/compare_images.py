"""What `fastnn compare` runs of layers of images: for each function the arguments that the three rungs take."""

from functools import partial

from .. import compiled, naive, vectorized

HALVING = {"kernel_size": 2}
# of each function its gradient's shape, or None, for images (batch, height, width, channels), and its options
POOLS = {
    "max_pool2d_forward": (None, HALVING),
    "max_pool2d_backward": (2, HALVING),
    "average_pool2d_forward": (None, HALVING),
    "average_pool2d_backward": (2, HALVING),
}


NORMS = {"group_norm_forward": ("x", "scale", "shift"), "group_norm_backward": ("da", "x", "scale")}


def norm_runs(name, setting):
    """The same of a group normalization, of one channel a group."""
    batch, height, width, channels = setting.images
    x, da = setting.random(2, batch, height * width, channels)
    scale, shift = setting.random(2, channels)
    numbers = {"x": x, "da": da, "scale": scale, "shift": shift}
    given = [*(numbers[argument] for argument in NORMS[name]), channels]
    runs = [partial(getattr(rung, name), *given) for rung in (naive, vectorized)]
    return "×".join(map(str, setting.images)), *runs, partial(getattr(compiled, name), *given, threads=setting.threads)


def pool_runs(name, setting):
    """(size, loops, NumPy, compiled) of a pool, whose gradient has sides of so many times less."""
    batch, height, width, channels = setting.images
    smaller, options = POOLS[name]
    given = [setting.random(*setting.images)]
    if smaller:
        given.insert(0, setting.random(batch, height // smaller, width // smaller, channels))
    runs = [partial(getattr(rung, name), *given, **options) for rung in (naive, vectorized)]
    return "×".join(map(str, setting.images)), *runs, partial(getattr(compiled, name), *given, **options,
                                                              threads=setting.threads)


CONVOLUTIONS = "conv2d_forward", "conv2d_backward", "conv_transpose2d_forward", "conv_transpose2d_backward"


def convolution_runs(name, setting):
    """The same of a convolution or a transposed one."""
    height, width, out_channels = setting.kernel
    x, channels, bias = setting.random(*setting.images), setting.images[3], setting.random(out_channels)
    weight = setting.random(height, width, *((out_channels, channels) if "transpose" in name else (channels, out_channels)))
    given = x, weight, bias
    if name.endswith("backward"):
        given = getattr(compiled, name.replace("backward", "forward"))(*given), x, weight
    size = f"{'×'.join(map(str, setting.images))} by {'×'.join(map(str, setting.kernel))}"
    return size, *(partial(getattr(rung, name), *given) for rung in (naive, vectorized)), partial(
        getattr(compiled, name), *given, threads=setting.threads)


# for each other function: the arguments after x, and the factor of the output's height and width (None: padding of 1)
PLAIN = {"zero_pad2d": ((1,), None), "pad2d": ((1, "edge"), None), "up_sample2d": ((2,), 2),
         "rescale": ((1 / 255, -0.5), 1), "normalize": (("mean", "scale"), 1)}


def plain_runs(name, setting):
    """Return the same for a function of `PLAIN`."""
    batch, height, width, channels = setting.images
    operation, _, phase = name.rpartition("_")
    options, times = PLAIN[operation]
    vectors = dict(zip(("mean", "scale"), setting.random(2, channels), strict=True))
    given = [vectors.get(option, option) for option in options]
    shape = setting.images
    if phase == "backward":
        sides = (height + 2, width + 2) if times is None else (times * height, times * width)
        shape = (batch, *sides, channels)
        given = given[1:] if operation == "normalize" else given
    given = [setting.random(*shape), *given]
    runs = [partial(getattr(rung, name), *given) for rung in (naive, vectorized)]
    return "×".join(map(str, setting.images)), *runs, partial(getattr(compiled, name), *given, threads=setting.threads)


VIEW = (-1, 1), (-2, 2), (True, True), 5  # down, across, mirrors, word


def random_runs(name, setting):
    """Return the same for a random layer."""
    x, sides = setting.random(*setting.images), setting.images[1:3]
    given = (x, 0.5, 5) if name.startswith("gaussian") else (x, sides, *VIEW)
    runs = [partial(getattr(rung, name), *given) for rung in (naive, vectorized)]
    return "×".join(map(str, setting.images)), *runs, partial(getattr(compiled, name), *given, threads=setting.threads)


IMAGE_RUNS = {name: partial(pool_runs, name) for name in POOLS}
IMAGE_RUNS |= {name: partial(random_runs, name)
               for name in ("gaussian_noise_forward", "random_view_forward", "random_view_backward")}
IMAGE_RUNS |= {name: partial(plain_runs, name)
               for operation in PLAIN for name in (f"{operation}_forward", f"{operation}_backward")}
IMAGE_RUNS |= {name: partial(convolution_runs, name) for name in CONVOLUTIONS}
IMAGE_RUNS |= {name: partial(norm_runs, name) for name in NORMS}
