"""Which files are mutated, by which tests each is held, and what is left out of them for what reason.

The tests are in the order in which they are run: those first that are quick and likely to notice.
"""

from dataclasses import dataclass

LAWS = ["tests/test_calls.py", "tests/test_stability.py", "tests/test_forward_exact.py", "tests/test_jacobians.py",
        "tests/test_gradients.py"]
# what several processes do, whose kernels each compiles for itself, is of threads and of the cache
ALONE = ["--deselect=tests/test_same_bits.py::test_one_digest_of_all",
         "--deselect=tests/test_same_bits.py::test_layers_and_threads_do_not_change_a_bit_of_training",
         "--deselect=tests/test_same_bits.py::test_kernels_that_several_processes_compiled_work_together"]
BITS = ["tests/test_same_bits.py", *ALONE]
FIT = ["tests/test_fit.py", "tests/test_sample_weights.py"]


def kernels(folder, *names):
    return [f"kernels/{folder}{name}.py" for name in names]


@dataclass(frozen=True)
class Group:
    """Files that belong together. share: of all mutants that are drawn. parts: (files, the tests that concern them)."""

    name: str
    share: int
    parts: tuple

    @property
    def paths(self):
        return [path for paths, _ in self.parts for path in paths]

    def tests(self, path):
        return next(tests for paths, tests in self.parts if path in paths)


GROUPS = [
    Group("activations", 45, (
        (kernels("activations/", "__init__", "elu", "gelu", "identity", "leaky_relu", "relu", "selu", "sigmoid", "silu",
                 "softmax", "softplus", "tanh") + kernels("", "activate"),
         ["tests/test_activations.py", *LAWS, "tests/test_initializers.py", "tests/test_onnx_export.py"]),
    )),
    Group("losses", 45, (
        (kernels("losses/", "__init__", "absolute_error", "binary_cross_entropy", "cross_entropy", "huber", "poisson",
                 "squared_error"),
         ["tests/test_losses.py", *LAWS, "tests/test_targets.py", "tests/test_sample_weights.py"]),
        (kernels("", "criterion", "reduction"),
         ["tests/test_losses.py", "tests/test_activations.py", *LAWS, *FIT, "tests/test_outputs.py"]),
    )),
    Group("optimizers", 45, (
        (kernels("optimizers/", "__init__", "adagrad", "adam", "adamw", "lion", "rmsprop", "sgd"),
         ["tests/test_optimizers.py", "tests/test_calls.py", "tests/test_fit.py", "tests/test_schedules.py",
          "tests/test_clipping.py", "tests/test_bad_options.py", "tests/test_divergence.py"]),
        (kernels("", "update"), ["tests/test_fit.py", "tests/test_schedules.py", *BITS]),
    )),
    Group("layers", 45, (
        (kernels("", "batch_norm", "dropout", "layer_norm", "sums"),
         ["tests/test_layers_rungs.py", "tests/test_layers.py", "tests/test_layers_own.py", "tests/test_jacobians.py",
          "tests/test_divergence.py"]),
    )),
    Group("steps", 45, (
        (kernels("", "clip", "penalty", "blocks"),
         ["tests/test_penalties.py", "tests/test_clipping.py", "tests/test_gradients.py", *BITS]),
        (kernels("", "batch", "table"),
         [*FIT, "tests/test_outputs.py", "tests/test_targets.py", "tests/test_gradients.py", "tests/test_reproducible.py",
          "tests/test_layers.py", *BITS]),
        ([*kernels("", "watch", "finite"), "fastnn/safe_steps.py"],
         ["tests/test_finite.py", "tests/test_divergence.py", "tests/test_fit.py", "tests/test_bad_arrays.py"]),
    )),
    Group("products", 25, (
        (kernels("", "linear", "dot", "product", "turned", "transpose"),
         ["tests/test_products_exact.py", "tests/test_calls.py", "tests/test_forward_exact.py",
          "tests/test_gradients.py", *BITS]),
        (kernels("", "interpreter"), ["tests/test_fit.py", "tests/test_gradients.py", "tests/test_divergence.py", *BITS]),
    )),
    Group("files", 60, (
        (["fastnn/tensor_file.py", "fastnn/plain_json.py", "fastnn/files.py"],
         ["tests/test_files.py", "tests/test_hostile_files.py", "tests/test_checkpoints.py", "tests/test_layers_own.py"]),
        (["fastnn/whole_file.py"], ["tests/test_crash.py", "tests/test_files.py"]),
        (["fastnn/checkpoint.py"], ["tests/test_checkpoints.py", "tests/test_hostile_files.py"]),
    )),
]

# path -> {part of a line: why what stands there is left out}
LEFT_OUT = {
    "kernels/losses/__init__.py": {
        "CACHED": "how many numbers are worked on at a time is a matter of speed",
        "if columns == 1": "a quicker way to what the loop below gives as well",
    },
    "kernels/product.py": {
        "LONGEST_CHAIN = ": "the length of chains is a choice: products and bits follow it alike everywhere",
        "WHOLE =": "the length of chains is a choice",
        "PACKED_STRIDE, ": "when to pack is a matter of speed",
        "STREAMED_BYTES, ": "how to stream is a matter of speed",
        "packed = ": "when to pack is a matter of speed",
        "streamed = ": "how to stream is a matter of speed",
    },
    "kernels/dot.py": {"DOTTED_INPUTS": "how much is worked on at a time is a matter of speed"},
    "kernels/turned.py": {"INPUTS =": "how much is worked on at a time is a matter of speed"},
    "kernels/linear.py": {
        "TURNED_OUTPUTS": "which of two ways with the same bits is quicker",
        "FEW_ROWS": "which of two ways is quicker",
        "panel = ": "how much is worked on at a time is a matter of speed",
    },
    "kernels/blocks.py": {"BLOCK, LANES =": "the order of a sum is a choice"},
    "kernels/finite.py": {"SLICE": "how long until the next look at Ctrl-C"},
    "kernels/table.py": {"COLUMNS = 26": "room for more operands does no harm"},
    "fastnn/tensor_file.py": {
        "HEADER = ": "a limit of some size", "AXES = ": "NumPy's own limit; so many axes come from nobody",
        "PIECE": "how much is read at a time",
        "on a big-endian machine": "no tests run on one", "array.byteswap": "no tests run on a big-endian machine",
    },
    "fastnn/whole_file.py": {"PIECE": "how much is written at a time", "ABANDONED =": "a time of some length",
                             "except ImportError": "of Windows", "fcntl = None": "of Windows", "if not POSIX": "of Windows",
                             "file.close()  # Windows": "of Windows"},
    "fastnn/plain_json.py": {"MEMORY = ": "a limit of some size", "OPENING, BETWEEN": "an estimate of memory, from above"},
    "fastnn/files.py": {"LONGEST = ": "of what is quoted in a message"},
    "fastnn/checkpoint.py": {"NESTED = ": "a limit of some size"},
}

# path -> [(part of a line, part of "before → after", why it makes no difference)]: found among those that had survived
EQUIVALENT = {
    "kernels/activations/leaky_relu.py": [("value=", "z >= 0.0", "at 0 both ways give z")],
    "kernels/activations/relu.py": [("value=", "z >= 0.0", "at 0 both ways give 0")],
    "kernels/linear.py": [("dots(address_of(z)", "0 → 1", "how far apart the rows lie, of which there is one")],
    "kernels/losses/binary_cross_entropy.py": [
        ("np.log1p(-np.where(y == 1, 0, a))", "0 → -1", "the logarithm is multiplied by 0 there, whatever it is of"),
    ],
    "kernels/batch.py": [("if parts > 1 and chain_count", "1 → 2", "which thread gathers a number is a matter of speed"),
                         ("(end - begin) * out_features", "end + begin", "outputs are handed out in one part, from 0 on")],
    "kernels/clip.py": [("if limits[NORM] < math.inf", "limits[NORM] <= math.inf",
                         "a factor of infinity is taken for 1")],
}


def left_out(mutant, lines):
    """The reason for which a mutant is left out, or nothing."""
    line = lines[mutant.line - 1]
    return next((reason for part, reason in LEFT_OUT.get(mutant.path, {}).items() if part in line), "")


def equivalent(mutant, lines):
    """The reason for which a mutant that survived makes no difference, or nothing."""
    line, change = lines[mutant.line - 1], f"{mutant.before} → {mutant.after}"
    return next((reason for part, made, reason in EQUIVALENT.get(mutant.path, []) if part in line and made in change), "")
