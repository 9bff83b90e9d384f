"""The check of gradients finds one number that is too large or not finite, wherever it is, and nothing else."""

import numpy as np
import pytest

from fastnn.kernels.interpreter.table import CALL, GRADIENT
from fastnn.kernels.training.watch import EXACT, LARGE, NOT_FINITE, SOUND, watch_kernel, watch_row

START = 3  # numbers before the matrix, which are not looked at


def watched(gradients, limit, shape, parts):
    """Return the result of the check of the matrix after the first numbers: [LARGE, NOT_FINITE]."""
    dtype, found, limit = gradients.dtype.name, np.zeros(2, np.int64), np.array([limit])
    row = watch_row(dtype, limit=limit.ctypes.data, start=START, rows=shape[0], columns=shape[1], parts=parts)
    assert row["backward_third"]["parts"] == parts
    call = CALL.new(gradients=gradients.ctypes.data, found=found.ctypes.data)
    for part in range(parts):
        watch_kernel(dtype, row, call, part, parts)
    return found[[LARGE, NOT_FINITE]].tolist()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (3, 5), (4, 17)], ids=str)
@pytest.mark.parametrize("parts", [1, 2, 5])
def test_one_number_wherever_it_stands(dtype, shape, parts):
    size, large = shape[0] * shape[1], 10 * SOUND[dtype]
    numbers = np.full(START + size + 3, np.nan, dtype)  # what is beside the matrix does not matter
    matrix = numbers[START:START + size]
    matrix[:] = 0.5
    for limit in (SOUND[dtype], EXACT):
        assert watched(numbers, limit, shape, parts) == [0, 0]
        for place in range(size):
            matrix[place] = -np.finfo(dtype).max
            assert watched(numbers, limit, shape, parts) == [int(limit == SOUND[dtype]), 0]
            for value in (np.nan, np.inf, -np.inf, large, -large):
                matrix[place] = value
                expected = [int(limit == SOUND[dtype]), 0 if np.isfinite(value) else GRADIENT]
                assert watched(numbers, limit, shape, parts) == expected, (place, value, limit)
                matrix[place] = 0.5
