"""Names are plain: earlier puzzling names do not return, and spelling is American."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = [path for folder in ("fastnn", "kernels", "asv_bench", "docs") for path in sorted((ROOT / folder).rglob("*"))
           if path.suffix in (".py", ".pyi", ".md") and "_build" not in path.parts and "generated" not in path.parts]
SOURCES += [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]

# what each was, and what it is called now
PUZZLING = {
    "company": "parallel_compile", "tame": "bounded", "take_up": "attach", "lay_down": "detach", "turned": "transposed",
    "roomy": "padded", "spoil": "fill_nan", "strange": "not_finite", "crew": "worker_pool", "fellows": "subparts",
    "dress": "format_note", "evened_out": "split_evenly", "follow_row": "running_statistics_row",
    "of_one_mean": "with_normalized_weights",
    # kernels
    "at_the_edges": "with_special_values", "log_of_one_and": "log_one_plus", "stand_in": "cast_namespace",
    "sum_of_sizes": "sum_of_magnitudes", "ask_for": "prefetch", "look_ahead": "prefetch_next_batch", "add_up": "add_blocks",
    "keep_for_ever": "keep_forever", "can_be_written": "is_writable", "made_of": "objects_digest",
    "give_name": "set_unique_name", "FromElsewhere": "NotInPackage", "warn_of_no_cache": "warn_no_cache",
    "work_out": "coefficients", "share_out": "run_parts", "help_out": "run_open_rounds",
    # tests
    "struck": "interrupted", "seen_to": "signal_points",
    # fits and callbacks
    "NotOurs": "NotThisLog", "come_again": "repeated", "cut_back": "update_rows", "begin_of_rows": "find_rows",
    "log_to_add_to": "read_log", "why_not": "invalid_reason", "goes_on_from": "comparable_state",
    "try_out": "take_checked_steps", "how_to_be_finite": "advice", "of_step": "step_error",
    "work_out_all": "compute_metrics", "refuse_one_file_for_two": "check_distinct_files", "likeness": "agreement",
    # commands and pictures
    "forgive_letters": "replace_unencodable", "READER_GONE": "OUTPUT_CLOSED",
    "how_to_read": "reading_options", "as_they_stand": "unchanged_columns", "say_metrics": "print_metrics",
    "get_ready": "prepare", "show_those_before": "show_earlier", "is_drawn_by_others": "has_formatter",
    # files, memory, functions for Python
    "take_out": "extract_arrays", "put_in": "insert_arrays", "refuse_unknown": "refuse_unsupported",
    "as_kernels_take_it": "kernel_array", "push_back": "backpropagate",
    # samples, populations, estimators, ONNX
    "first_that_is_no_number": "describe_first_non_number", "copied_where_shared": "without_shared_memory",
    "OwnOptimizers": "MemberOptimizers", "OF_EACH": "PER_MEMBER", "take_over": "adopt_results",
    "judged_by": "ranking_metric", "fit_to_copies": "fit_copies", "leave_task": "drop_task", "enter_epochs": "record_epochs",
    "go_on": "continue_fit", "is_nothing": "is_identity", "our_own": "own_network", "Aside": "AdditionalOutput",
}
BRITISH = r"\w*(?:colour|behaviour|neighbour|normalis|standardis|initialis|recognis|vectoris|penalis|regularis|centred)\w*"


def test_puzzling_names_are_gone():
    any_of_them = re.compile(rf"\b({'|'.join(PUZZLING)})\b")
    found = [f"{path.relative_to(ROOT)}: {word}, which is called {PUZZLING[word]}" for path in SOURCES
             for word in any_of_them.findall(path.read_text(encoding="utf-8"))]
    assert not found


def test_spelling_is_american():
    found = {word for path in SOURCES for word in re.findall(BRITISH, path.read_text(encoding="utf-8"), re.IGNORECASE)}
    assert not found


def test_no_function_is_called_run():
    """What is run, and by whom, is in a name that a search finds."""
    package = [path for path in SOURCES if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in ("fastnn", "kernels")]
    found = [str(path) for path in package if re.search(r"^ *def run\(", path.read_text("utf-8"), re.MULTILINE)]
    assert not found
