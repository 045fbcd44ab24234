"""What tests of several processes share."""

import pytest

from tests.support.clusters import cluster


@pytest.fixture(scope="session")
def dask_cluster():
    """Address of two Dask workers."""
    with cluster(workers=2) as address:
        yield address
