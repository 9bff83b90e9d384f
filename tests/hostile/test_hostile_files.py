"""A file that is damaged at any bit, or random, is refused with ModelFormatError.

FASTNN_FUZZ_CASES and FASTNN_SEED set the number of cases and the seed of the fuzzer, see `tests/tools/fuzz_files.py`.
"""

import math
import os

import pytest
from fuzz_files import fuzz, fuzz_on_all_cores
from fuzz_foreign import originals as foreign_originals
from small_files import FILES, every_file, read, refused

from fastnn import Dense, Network
from fastnn.formats.untrusted_json import from_text, to_text

SEED = os.environ.get("FASTNN_SEED", "0")


def flips(kind, step, start=0):
    """Return the number of refused files, for every `step`-th bit flipped, and for all truncations."""
    whole, reader = FILES[kind]
    read(whole, reader)
    count = 0
    for size in range(0, len(whole), 1 if kind == "network" else step):
        refused(whole[:size], reader)
        count += 1
    changed = bytearray(whole)
    for bit in range(start % step, 8 * len(whole), step):
        changed[bit // 8] ^= 1 << bit % 8
        refused(bytes(changed), reader)
        changed[bit // 8] ^= 1 << bit % 8
        count += 1
    return count


@every_file
def test_flipped_bits_and_truncations(kind):
    flips(kind, 23, start=sum(SEED.encode()))


@pytest.mark.long
@every_file
def test_every_flipped_bit_and_every_truncation(kind):
    whole = FILES[kind][0]
    assert flips(kind, 1) == 9 * len(whole)
    print(f"all {8 * len(whole):,} bits and all {len(whole):,} truncations of a {kind} were noticed")


def test_fuzzed():
    cases = int(os.environ.get("FASTNN_FUZZ_CASES", 10_000))
    found, _, _ = fuzz(cases, SEED)
    taken = sum(count for (*_, what), count in found.items() if what == "taken")
    assert found.total() == cases
    assert taken > cases // 20  # it gets to the end of the readers


def test_fuzzed_files_of_other_programs():
    cases = int(os.environ.get("FASTNN_FUZZ_CASES", 10_000)) // 5
    originals = foreign_originals()
    found, _, _ = fuzz(cases, SEED, originals)
    assert found.total() == cases
    if cases >= 1000:
        assert {name for name, _, what in found if what == "taken"} >= {"torch weights", "MNIST"}
        assert {name for name, _, what in found if what == "refused"} == {original.name for original in originals}


@pytest.mark.long
def test_fuzzed_at_length():
    print(fuzz_on_all_cores(int(os.environ.get("FASTNN_FUZZ_CASES", 10_000_000)), SEED))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf], ids=str)
def test_what_is_no_number_is_written_and_read_where_it_may_stand_alone(number):
    text = to_text({"of": [number]}, special=True)
    assert repr(from_text(text, special=True)) == repr({"of": [number]})
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_text({"of": [number]})
    with pytest.raises(ValueError, match="which is no number"):
        from_text(text)


def test_what_would_be_refused_is_not_written(tmp_path):
    Network([Dense(1)] * 4000, inputs=1).save(tmp_path / "file")
    assert len(Network.load(tmp_path / "file").layers) == 4000
    os.unlink(tmp_path / "file")
    net = Network([Dense(1)] * 6000, inputs=1)
    with pytest.raises(ValueError, match="more than are read"):
        net.save(tmp_path / "file")
    assert os.listdir(tmp_path) == []
