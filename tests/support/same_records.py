"""A fixture that removes the activations, losses, optimizers and layers that a test registers."""

import pytest

import fastnn
from fastnn.layers import layers


@pytest.fixture(autouse=True)
def same_records_after():
    """Let every test see only the records of the package, whatever other tests have registered in the process."""
    registries = fastnn.activations, fastnn.losses, fastnn.optimizers, layers
    kept = [(registry.records, dict(registry.records)) for registry in registries]
    yield
    for records, before in kept:
        if records.keys() != before.keys():
            records.clear()
            records.update(before)
