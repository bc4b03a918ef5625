from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from damaged_cluster import DamagedCluster


@pytest.fixture
def cluster() -> Iterator[DamagedCluster]:
    one = DamagedCluster()
    yield one
    one.close()
