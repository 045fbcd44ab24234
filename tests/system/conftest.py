"""What tests of several processes share."""

import pytest

from tests.support.clusters import cluster


@pytest.fixture(scope="module")
def dask_cluster():
    """Address of two Dask workers, which take a tenth of a core each as long as they live."""
    with cluster(workers=2) as address:
        yield address
