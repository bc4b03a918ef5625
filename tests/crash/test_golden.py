"""Creates, writes, syncs and commits come in the order the golden lists say."""

import sys

import pytest

from raybase.testing.crash import golden

pytestmark = pytest.mark.simulation


@pytest.mark.parametrize("operation", golden.LISTS)
def test_the_calls_come_in_the_golden_order(operation: str) -> None:
    if operation == "posix" and sys.platform == "darwin":
        pytest.skip("macOS reaches the disk by another call")
    assert list(golden.differences(operation)) == []
