"""How long tests wait for what is certain to come: longer than a busy machine takes, yet not forever."""

import pytest

PATIENCE = 3600  # seconds


def nannies_wait(patch: pytest.MonkeyPatch):
    """Have the nannies of a Dask cluster wait for their workers to end, which they would kill after four seconds."""
    from distributed.nanny import WorkerProcess

    kill = WorkerProcess.kill
    patch.setattr(WorkerProcess, "kill", lambda self, timeout=0, **options: kill(self, timeout=PATIENCE, **options))
