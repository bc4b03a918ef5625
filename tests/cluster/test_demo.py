"""`raybase demo`, on few modules: it finds nothing wrong, and it finds what is wrong."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .test_command_line import run

pytestmark = pytest.mark.timeout(240)


def demo(ray_cluster: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(
        "demo",
        "--address",
        ray_cluster.address,
        "--modules=40",
        *arguments,
        timeout_s=200,
        RAY_AUTH_MODE="token",
        RAY_AUTH_TOKEN_PATH=os.environ["RAY_AUTH_TOKEN_PATH"],
    )


def test_the_demo_finds_every_cell_and_can_be_kept(ray_cluster: Any, tmp_path: Path) -> None:
    result = demo(ray_cluster, "--keep", "--root", str(tmp_path))
    assert result.returncode == 0, result.stdout + result.stderr
    assert "every row is there and right" in result.stdout
    for fault in ("regions moved", "most regions", "hbase:meta, during a flush", "active master"):
        assert fault in result.stdout
    token = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": os.environ["RAY_AUTH_TOKEN_PATH"],
    }
    status = run("status", "--root", str(tmp_path), **token)
    assert status.returncode == 0, status.stderr
    assert "webtable" in status.stdout
    assert run("stop", "--root", str(tmp_path), **token).returncode == 0


@pytest.mark.parametrize("damage", ["cell", "file", "ack"])
def test_the_demo_notices_what_is_damaged_on_purpose(ray_cluster: Any, damage: str) -> None:
    result = demo(ray_cluster, "--break", damage)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "wrong:" in result.stdout
    assert "Traceback" not in result.stderr
