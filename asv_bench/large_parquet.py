"""Peak memory and time of training and prediction on a Parquet file larger than memory may be.

    python asv_bench/large_parquet.py --gigabytes 5 --folder /tmp/large

makes large.parquet (numbers, some missing; categories; a date), trains with `fastnn train --stream`, predicts with
`fastnn predict --stream`, and prints the seconds and the largest resident memory of each process. The file is kept.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

PART = 2**17  # rows of a row group
NUMBERS = 14


def part(number):
    """Return some rows of the table, a dict of columns."""
    import pandas as pd

    generator = np.random.default_rng(number)
    X = generator.normal(size=(PART, NUMBERS))
    shop, kind = generator.integers(0, 3000, PART), generator.integers(0, 8, PART)
    day = generator.integers(0, 2000, PART)
    effects = np.random.default_rng(2**30)
    shops, kinds, weights = effects.normal(size=3000), effects.normal(size=8), effects.normal(size=NUMBERS)
    y = (np.tanh(X @ weights) + X[:, 0] * X[:, 1] + np.sin(2 * X[:, 2]) + 0.7 * shops[shop] + kinds[kind]
         + np.cos(2 * np.pi * day / 365.25) + 0.5 * generator.normal(size=PART))
    X[generator.random((PART, NUMBERS)) < 0.01] = np.nan
    return pd.DataFrame({f"x{k}": X[:, k] for k in range(NUMBERS)} | {
        "shop": np.char.add("shop ", shop.astype(str)).astype(object),
        "kind": np.array(list("abcdefgh"), object)[kind], "day": np.datetime64("2020-01-01", "us") + day.astype("m8[D]"),
        "count": generator.poisson(5, PART), "y": y})


def make(path, size):
    """Write a file of about `size` bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    number, writer = 0, None
    while number == 0 or path.stat().st_size < size:
        table = pa.Table.from_pandas(part(number), preserve_index=False)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table, row_group_size=PART)
        number += 1
    writer.close()
    print(f"{path}: {path.stat().st_size / 1e9:.2f} GB, {number * PART:,} rows in {number:,} row groups")


def measured(*arguments):
    """Run a command of fastnn; print its time and its peak memory."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "fastnn", *map(str, arguments)])
    _, status, usage = os.wait4(process.pid, 0)
    seconds, busy = time.perf_counter() - start, usage.ru_utime + usage.ru_stime
    print(f"fastnn {arguments[0]}: {seconds:.0f} s, {busy:.0f} s of processors, peak "
          f"{usage.ru_maxrss / 2**20:.2f} GiB resident, status {os.waitstatus_to_exitcode(status)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=5.0)
    parser.add_argument("--folder", type=Path, default=Path())
    parser.add_argument("options", nargs="*", help="of fastnn train, after --")
    parsed = parser.parse_args()
    parsed.folder.mkdir(parents=True, exist_ok=True)
    table, model, out = (parsed.folder / name for name in ("large.parquet", "large.safetensors", "predicted.parquet"))
    if not table.exists():
        make(table, parsed.gigabytes * 1e9)
    measured("train", table, "--target", "y", "--stream", "-o", model, *parsed.options)
    measured("predict", model, table, "--stream", "-o", out)


if __name__ == "__main__":
    main()
