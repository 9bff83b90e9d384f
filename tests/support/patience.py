"""How long tests wait for an event that is certain: longer than on a busy machine, but not forever."""

import pytest

PATIENCE = 3600  # seconds


def nannies_wait(patch: pytest.MonkeyPatch):
    """Make the nannies of a Dask cluster wait until their workers end, instead of killing them after four seconds."""
    from distributed.nanny import WorkerProcess

    kill = WorkerProcess.kill
    patch.setattr(WorkerProcess, "kill", lambda self, timeout=0, **options: kill(self, timeout=PATIENCE, **options))
