"""A check that a warning names the repair."""

import pytest


def assert_warning_names(repair, call, file):
    """Call; it must warn of the repair, and the warning must point to the file of the call."""
    with pytest.warns(UserWarning) as caught:  # noqa: PT030
        call()
    assert any(repair in str(each.message) and each.filename == file for each in caught)
