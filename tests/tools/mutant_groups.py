"""The groups of files for mutation tests, with their tests, and the mutants that are left out, with reasons.

The tests are in order of execution: fast ones that are likely to fail come first.
"""

from dataclasses import dataclass

LAWS = ["tests/kernels/test_calls.py", "tests/laws/test_stability.py", "tests/laws/test_forward_exact.py",
 "tests/laws/test_jacobians.py",
        "tests/laws/test_gradients.py"]
# what several processes do, each of which compiles for itself, concerns threads and the cache
ALONE = ["--deselect=tests/laws/test_same_bits.py::test_one_digest_of_all",
         "--deselect=tests/laws/test_same_bits.py::test_layers_and_threads_do_not_change_a_bit_of_training",
         "--deselect=tests/laws/test_same_bits.py::test_kernels_that_several_processes_compiled_work_together"]
BITS = ["tests/laws/test_same_bits.py", *ALONE]
FIT = ["tests/fitting/test_fit.py", "tests/samples/test_sample_weights.py"]
WIDE = ["tests/embedded/test_jit.py::test_outputs_at_any_width",
 "tests/embedded/test_jit.py::test_outputs_of_large_networks"]
HOSTILE = [f"tests/hostile/test_hostile_{of}.py" for of in ("files", "headers", "sizes", "paths")]
ALIKE = ["tests/laws/test_same_bits.py::test_a_row_alone_is_the_row_in_a_batch_at_any_width",
         "tests/laws/test_same_bits.py::test_a_row_alone_is_the_row_in_a_batch_of_a_large_net"]
ANYWHERE = "tests/hostile/test_bad_arrays.py::test_one_number_of_X_wherever_it_stands"
GOES_ON = "tests/hostile/test_bad_arrays.py::test_after_all_that_training_goes_on_as_if_nothing_had_been"
# tests of the cache of kernels, which use the real cache; others use that of `kernel_keys`
OF_THE_CACHE = "tests/kernels/compiling/test_cache.py"


# tests with several processes, each of which compiles for itself: half a minute each
APART = ["--deselect=tests/kernels/compiling/test_cache.py::test_the_usual_kernels_are_those_of_a_dense_net",
         "--deselect=tests/kernels/compiling/test_cache.py::test_processes_that_start_at_once",
         "--deselect=tests/kernels/compiling/test_cache.py::test_kernels_that_several_processes_compiled_work_together"]


def kernels(folder, *names):
    return [f"kernels/{folder}{name}.py" for name in names]


@dataclass(frozen=True)
class Group:
    """Files that belong together. share: fraction of all drawn mutants. parts: (files, the tests that concern them)."""

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
                 "softmax", "softplus", "tanh") + kernels("layers/", "activate"),
         ["tests/kernels/records/test_records.py", "tests/kernels/records/test_activations.py", *LAWS,
          "tests/layers/test_initializers.py",
          "tests/exchange/test_onnx_export.py"]),
    )),
    Group("losses", 45, (
        (kernels("losses/", "__init__", "absolute_error", "binary_cross_entropy", "binary_focal", "cross_entropy", "ctc",
                 "focal", "gaussian", "hinge", "huber", "kl_divergence", "output", "poisson", "quantile",
                 "smoothed_binary_cross_entropy", "smoothed_cross_entropy", "squared_error"),
         ["tests/kernels/records/test_records.py", "tests/kernels/records/test_losses.py", *LAWS,
          "tests/samples/test_targets.py",
          "tests/samples/test_sample_weights.py"]),
        ([*kernels("interpreter/", "criterion"), *kernels("elementwise/", "reduction")],
         ["tests/kernels/records/test_losses.py", "tests/kernels/records/test_activations.py",
          "tests/network/test_outputs.py", *FIT,
          *LAWS, *BITS]),
    )),
    Group("optimizers", 45, (
        (kernels("optimizers/", "__init__", "adagrad", "adam", "adamw", "lion", "nadam", "rmsprop", "sgd"),
         ["tests/kernels/records/test_records.py", "tests/kernels/records/test_optimizers.py", "tests/kernels/test_calls.py",
          "tests/fitting/test_fit.py",
          "tests/fitting/test_schedules.py", "tests/kernels/training/test_clipping.py", "tests/hostile/test_bad_options.py",
           "tests/fitting/test_divergence.py"]),
        (kernels("training/", "update"), ["tests/fitting/test_fit.py", "tests/fitting/test_schedules.py", *BITS]),
    )),
    Group("layers", 45, (
        ([*kernels("layers/", "normalization/batch_norm", "normalization/layer_norm", "randomness/dropout"),
          *kernels("elementwise/", "sums")],
         ["tests/layers/test_layers_rungs.py", "tests/layers/test_layers.py", "tests/layers/test_layers_own.py",
          "tests/laws/test_jacobians.py",
          "tests/fitting/test_divergence.py"]),
    )),
    Group("steps", 45, (
        ([*kernels("training/", "clip", "penalty"), *kernels("elementwise/", "blocks")],
         ["tests/kernels/training/test_penalties.py", "tests/kernels/training/test_clipping.py",
          "tests/laws/test_gradients.py", *BITS]),
        ([*kernels("interpreter/", "batch", "table"), *kernels("compiling/", "record", "share")],
         ["tests/kernels/test_rows.py", *FIT, "tests/network/test_outputs.py", "tests/samples/test_targets.py", ANYWHERE,
          "tests/laws/test_gradients.py",
          "tests/laws/test_reproducible.py",
          "tests/layers/test_layers.py", *BITS]),
        ([*kernels("training/", "watch"), *kernels("elementwise/", "finite"), "fastnn/fitting/safe_steps.py"],
         ["tests/kernels/elementwise/test_finite.py", "tests/kernels/training/test_watch.py",
          "tests/fitting/test_divergence.py",
          "tests/fitting/test_fit.py", ANYWHERE]),
    )),
    Group("products", 25, (
        ([*kernels("products/", "linear", "dot", "product", "transposed", "transpose"), *kernels("layers/", "dense")],
         ["tests/kernels/products/test_products_exact.py", "tests/kernels/test_calls.py", "tests/laws/test_forward_exact.py",
          "tests/laws/test_gradients.py", *BITS, *WIDE]),
        ([*kernels("layers/", "panels"), *kernels("interpreter/", "labels"), *kernels("processor/", "subnormal")],
         ["tests/kernels/products/test_panels.py", "tests/kernels/elementwise/test_subnormal.py",
          "tests/network/test_outputs.py",
          "tests/samples/test_targets.py"]),
        (kernels("interpreter/", "interpreter"), ["tests/fitting/test_fit.py", "tests/laws/test_gradients.py",
         "tests/fitting/test_divergence.py",
                                      GOES_ON, ANYWHERE, *BITS, "tests/kernels/training/test_penalties.py"]),
    )),
    Group("tiles", 30, (
        ([*kernels("products/", "tile", "packing", "single_row"), *kernels("processor/", "vector")],
         ["tests/kernels/products/test_products_exact.py", *WIDE, *ALIKE, "tests/laws/test_forward_exact.py"]),
    )),
    Group("elementary", 30, (
        ([*kernels("elementwise/", "elementary"), *kernels("compiling/", "trace")],
         ["tests/kernels/elementwise/test_elementary.py", "tests/kernels/records/test_activations.py",
          "tests/laws/test_forward_exact.py"]),
        (kernels("elementwise/", "constants", "precision"),
         ["tests/kernels/records/test_activations.py", "tests/kernels/records/test_losses.py",
          "tests/laws/test_forward_exact.py",
          "tests/network/test_compiled.py"]),
    )),
    Group("threads", 15, (
        (kernels("interpreter/", "team"), [*BITS, "tests/processes/test_concurrency.py", "tests/laws/test_reproducible.py"]),
    )),
    Group("cache", 30, (
        (kernels("compiling/", "cache", "parallel_compile"), [OF_THE_CACHE, *APART, "tests/processes/test_compiling.py"]),
        (kernels("compiling/", "jit"), ["tests/processes/test_compiling.py", "tests/kernels/elementwise/test_finite.py",
         "tests/kernels/test_calls.py",
                              "tests/kernels/records/test_records.py", OF_THE_CACHE, *APART]),
    )),
    Group("records", 20, (
        ([*kernels("compiling/", "registry"), "fastnn/checks/hyperparameters.py"],
         ["tests/kernels/records/test_records.py", "tests/fitting/test_hyperparameters.py",
          "tests/hostile/test_bad_options.py",
          "tests/kernels/records/test_optimizers.py", "tests/fitting/test_schedules.py",
          "tests/fitting/test_divergence.py"]),
    )),
    Group("calls", 25, (
        (["fastnn/compiled/calls.py", "fastnn/compiled/layer_calls.py", "fastnn/compiled/arguments.py"],
         ["tests/kernels/test_calls.py", "tests/layers/test_layers_rungs.py", "tests/kernels/training/test_penalties.py",
          "tests/kernels/training/test_clipping.py",
          "tests/naive/test_compare.py"]),
    )),
    Group("embedded", 25, (
        (kernels("embedded/", "walk", "memory", "calls", "model"),
         ["tests/embedded/test_jit.py", "tests/embedded/test_jit_memory.py", "tests/embedded/test_jit_callers.py",
          "tests/embedded/test_jit_refused.py"]),
    )),
    Group("populations", 25, (
        (kernels("training/", "population"),
         ["tests/population/test_population.py", "tests/population/test_population_data.py",
          "tests/population/test_population_refused.py",
          "tests/population/test_population_results.py", "tests/population/test_population_halving.py"]),
    )),
    Group("files", 60, (
        (["fastnn/formats/safetensors.py", "fastnn/formats/untrusted_json.py", "fastnn/files/networks.py"],
         ["tests/files/test_tensor_file.py", "tests/files/test_files.py", "tests/hostile/test_other_files.py", *HOSTILE,
          "tests/files/test_checkpoints.py", "tests/layers/test_layers_own.py"]),
        (["fastnn/formats/atomic_file.py"], ["tests/processes/test_crash.py", "tests/files/test_files.py"]),
        (["fastnn/files/checkpoint.py"],
         ["tests/files/test_checkpoints.py", "tests/fitting/test_resume.py", "tests/fitting/test_resume_callbacks.py",
          *HOSTILE]),
    )),
]

# path -> {part of a line: reason to leave its mutants out}
LEFT_OUT = {
    "kernels/losses/__init__.py": {
        "CACHED": "how many numbers are worked on at a time is a matter of speed",
        "if columns == 1": "a quicker way to what the loop below gives as well",
    },
    "kernels/products/product.py": {
        "LONGEST_CHAIN = ": "the length of chains is a choice: products and bits follow it alike everywhere",
        "WHOLE =": "the length of chains is a choice",
        "PACKED_STRIDE, ": "when to pack is a matter of speed",
        "STREAMED_BYTES, ": "how to stream is a matter of speed",
        "packed = ": "when to pack is a matter of speed",
        "streamed = ": "how to stream is a matter of speed",
    },
    "kernels/products/dot.py": {"DOTTED_INPUTS": "how much is worked on at a time is a matter of speed"},
    "kernels/products/single_row.py": {"widest, wide, half =": "how wide tiles are is a matter of speed"},
    "kernels/compiling/trace.py": {"prefer-vector-width": "a matter of speed"},
    "kernels/compiling/parallel_compile.py": {"MOST_COMPILERS =": "a matter of speed"},
    "kernels/interpreter/workers.py": {"PATIENCE =": "a matter of speed"},
    "kernels/compiling/record.py": {"LINE_BYTES =": "how far apart integers lie is a matter of speed"},
    "kernels/training/population.py": {"BLOCK =": "how long until the next look at the clock",
                              "padded_to=": "room for more does no harm"},
    "kernels/embedded/memory.py": {"STACK_BYTES =": "how much is taken from where"},
    "kernels/embedded/walk.py": {"FEW, LARGEST": "how much is worked on at a time"},
    "kernels/products/transposed.py": {"INPUTS =": "how much is worked on at a time is a matter of speed"},
    "kernels/products/linear.py": {
        "TRANSPOSED_OUTPUTS": "which of two ways with the same bits is quicker",
        "FEW_ROWS, FEW_ROWS_CACHED": "which of two ways is quicker",
        "panel, ": "how much is worked on at a time is a matter of speed",
    },
    "kernels/layers/dense.py": {"panel, ": "how much is worked on at a time is a matter of speed"},
    "kernels/elementwise/blocks.py": {"BLOCK, LANES =": "the order of a sum is a choice"},
    "kernels/elementwise/finite.py": {"SLICE": "how long until the next look at Ctrl-C"},
    "kernels/interpreter/table.py": {"ROW_BYTES =": "room for more operands does no harm"},
    "fastnn/formats/safetensors.py": {
        "HEADER = ": "a limit of some size", "AXES = ": "NumPy's own limit; so many axes come from nobody",
        "PIECE": "how much is read at a time",
        "on a big-endian machine": "no tests run on one", "array.byteswap": "no tests run on a big-endian machine",
    },
    "fastnn/formats/atomic_file.py": {"PIECE": "how much is written at a time", "ABANDONED =": "a time of some length",
                             "except ImportError": "of Windows", "fcntl = None": "of Windows", "if not POSIX": "of Windows",
                             "file.close()  # Windows": "of Windows"},
    "fastnn/formats/untrusted_json.py": {"MEMORY = ": "a limit of some size",
        "OPENING, BETWEEN": "an estimate of memory, from above"},
    "fastnn/files/networks.py": {"LONGEST = ": "of what is quoted in a message"},
    "fastnn/files/checkpoint.py": {"NESTED = ": "a limit of some size"},
}

# path -> [(part of a line, part of "before → after", reason why it makes no difference)]: found among survivors
EQUIVALENT = {
    "kernels/activations/leaky_relu.py": [("value=", "z >= 0.0", "at 0 both ways give z")],
    "kernels/activations/relu.py": [("value=", "z >= 0.0", "at 0 both ways give 0")],
    "kernels/interpreter/interpreter.py": [("found[NOT_FINITE] = 0", "",
                                "what stays has Python look for what is not there, every time")],
    "kernels/products/product.py": [("if length == 1 and start == 0", "0 → ", "a quicker way to what comes out without it"),
                           ("if length == 1 and start == 0", "1 → 0", "the same")],
    "kernels/products/tile.py": [("return self.module.globals[name]", "→ return None",
        "no kernel has the tile in two places")],
    "kernels/layers/dense.py": [("dots(address_of(z)", "0 → 1", "how far apart the rows lie, of which there is one")],
    "kernels/losses/huber.py": [("difference > 1.0 else", "difference > 1.0 → difference >= 1.0", "at 1 both ways give 1"),
                                ("difference < -1.0 else", "difference <= -1.0", "at −1 both ways give −1"),
                                ("if size < 1.0", "size <= 1.0", "at 1 both ways give 0.5"),
                                ("np.where(size < 1,", "size <= 1", "at 1 both ways give 0.5")],
    "kernels/losses/cross_entropy.py": [("np.where(y == 0, 1, a)", "1 → 2", "it is multiplied by 0 there, whatever it is")],
    "kernels/losses/binary_cross_entropy.py": [
        ("np.log1p(-np.where(y == 1, 0, a))", "0 → -1", "the logarithm is multiplied by 0 there, whatever it is of"),
    ],
    "kernels/interpreter/batch.py": [("def gather_row(", "0 → ",
        "where there are no targets, nobody reads where they would lie"),
                         ("if parts > 1 and chain_count", "1 → 2", "which thread gathers a number is a matter of speed"),
                         ("(end - begin) * row.out_features", "end + begin", "outputs are copied in one part, from 0 on")],
    "kernels/interpreter/workers.py": [("return looks + 1", "", "when to give way is a matter of speed")],
    "fastnn/compiled/arguments.py": [("0 if array is None", "0 → ", "nobody reads an operand that is not there")],
    "fastnn/formats/safetensors.py": [("array.reshape(-1)", "1 → 2", "NumPy takes every negative number so")],
    "fastnn/checks/hyperparameters.py": [("math.inf if value > 0", "0 → -1", "so large a number is neither"),
                                   ("bounded=(1e-10, 1e10)", "", "how far the bounds are is a choice")],
    "kernels/training/watch.py": [("for i in range(1, len(x))", "1 → 0",
        "what counts twice may bring a closer look, no more"),
                         ("limit[0]", "0 → -1", "there is one number"),
                         ("limit[0]", "0.0 → 1.0", "the limit is SOUND or EXACT"),
                         ("limit[0]", "limit[0] > 0.0", "the limit is SOUND or EXACT"),
                         ("<= real(limit[0])", "< real(limit[0])", "it may bring a closer look, no more"),
                         ("if size == 0 or", "0 → -1", "a part without rows would look at a number of another")],
    "kernels/elementwise/finite.py": [("array.reshape(-1)", "1 → 2", "NumPy takes every negative number so")],
    "kernels/training/clip.py": [("limits.norm < math.inf", "limits.norm <= math.inf",
                         "a factor of infinity is taken for 1"),
                        ("if number > bound", ">= bound", "at the bound both ways give it"),
                        ("if number < -bound", "<= -bound", "at the bound both ways give it"),
                        ("limits.value < math.inf", "<= math.inf", "a bound of infinity changes nothing"),
                        ("if norm > 0.0 else 1.0", "norm >= 0.0", "the least of infinity and 1 is 1"),
                        ("if factor != 1.0", "1.0 → ", "what is multiplied by 1 stays as it is")],
    "kernels/elementwise/elementary.py": [("SMALLEST_NORMAL =", "→ 125", "normal numbers may be scaled as well"),
                              ("SMALLEST_NORMAL =", "→ 1021", "normal numbers may be scaled as well"),
                              ("reduce(2.0 * size)", "2.0 → -2.0", "tanh is odd, and gets its sign at the end")],
}


def left_out(mutant, lines):
    """Return the reason to leave a mutant out, or ""."""
    line = lines[mutant.line - 1]
    return next((reason for part, reason in LEFT_OUT.get(mutant.path, {}).items() if part in line), "")


def equivalent(mutant, lines):
    """Return the reason why a surviving mutant makes no difference, or ""."""
    line, change = lines[mutant.line - 1], f"{mutant.before} → {mutant.after}"
    return next((reason for part, made, reason in EQUIVALENT.get(mutant.path, []) if part in line and made in change), "")
