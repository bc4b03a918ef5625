"""The short form of `make chaos`: a fault of each kind on a real cluster of several nodes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.chaos


@pytest.mark.timeout(540)
def test_a_cluster_keeps_its_promises_under_a_fault_of_each_kind() -> None:
    """In a process of its own, which begins its own Ray and ends it."""
    clean = {name: text for name, text in os.environ.items() if not name.startswith("RAY_")}
    result = subprocess.run(
        [sys.executable, "-m", "raybase.testing", "chaos", "--minutes", "1", "--seed", "1"],
        env={**clean, "COLUMNS": "160"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=500,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    assert "no violations" in result.stdout
