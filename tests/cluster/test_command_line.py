"""`raybase start | stop | status | shell` as a user runs them, and how they refuse."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

RAYBASE = str(Path(sys.executable).with_name("raybase"))
QUICK = [
    "--region-servers=1",
    "--masters=1",
    "--set=master.server_wait_s=0.2",
    "--set=session.timeout_s=3",
    "--set=session.heartbeat_s=0.5",
]

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def run(
    *arguments: str, timeout_s: float = 90, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs the command with no Ray in its environment but what the test gives."""
    clean = {name: text for name, text in os.environ.items() if not name.startswith("RAY_")}
    return subprocess.run(
        [RAYBASE, *arguments],
        env={**clean, "COLUMNS": "160", **environment},
        text=True,
        capture_output=True,
        timeout=timeout_s,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def refused(result: subprocess.CompletedProcess[str], *words: str) -> None:
    """One sentence, no traceback, and not exit code 0."""
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    assert result.stderr.startswith("raybase: ")
    for word in words:
        assert word in result.stderr


@pytest.fixture
def root(tmp_path: Path) -> Path:
    place = tmp_path / "root"
    place.mkdir()
    return place


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The root of a small cluster with a Ray of its own."""
    place = tmp_path_factory.mktemp("running")
    result = run("start", "--root", str(place), *QUICK)
    assert result.returncode == 0, result.stderr
    yield place
    run("stop", "--root", str(place))


def test_status_shows_servers_and_tables(running: Path) -> None:
    result = run("status", "--root", str(running))
    assert result.returncode == 0, result.stderr
    assert "hbase:meta" in result.stdout
    assert "region-server-" in result.stdout


def test_the_shell_runs_single_commands(running: Path) -> None:
    commands = [
        "create 'pets', 'f'",
        "put 'pets', 'cat', 'f:sound', 'meow'",
        "get 'pets', 'cat'",
        "count 'pets'",
    ]
    arguments = [word for command in commands for word in ("-c", command)]
    result = run("shell", "--root", str(running), *arguments)
    assert result.returncode == 0, result.stderr
    assert "meow" in result.stdout


def test_a_failing_shell_command_says_why_and_exits_non_zero(running: Path) -> None:
    result = run("shell", "--root", str(running), "-c", "get 'nothing', 'row'")
    assert result.returncode != 0
    assert "nothing" in result.stdout + result.stderr
    assert "Traceback" not in result.stderr


def test_a_server_is_drained_and_ended_and_another_takes_its_place(running: Path) -> None:
    """Last of all, the shell's commands for the same."""
    assert run("shell", "--root", str(running), "-c", "create 'd', 'f'").returncode == 0
    before = run("shell", "--root", str(running), "-c", "regions 'd'").stdout
    (server,) = set(re.findall(r"127\.0\.0\.1,\d+,\d+", before.replace("\n", "")))
    result = run("drain", "--root", str(running), server, "--stop")
    assert result.returncode == 0, result.stderr
    assert "have ended" in result.stdout
    after = run("shell", "--root", str(running), "-c", "put d r f:q v", "-c", "get d r")
    assert "v" in after.stdout
    assert server not in run("status", "--root", str(running)).stdout
    refused(run("drain", "--root", str(running), server), "no live server")
    refused(run("drain", "--root", str(running), "--node", "zz"), "0 nodes", "there are")
    assert run("drain", "--root", str(running)).stdout == ""


def test_fsck_proves_a_running_cluster_sound(running: Path) -> None:
    result = run("fsck", "--root", str(running), "--repair")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 problems" in result.stdout


def test_starting_twice_is_refused(running: Path) -> None:
    refused(run("start", "--root", str(running), *QUICK), "running", "raybase stop")


def test_a_second_cluster_on_a_root_in_use_is_refused(running: Path, ray_cluster: Any) -> None:
    """From another Ray, which cannot know the first by name."""
    place = running / "cluster.json"
    saved = place.read_text()
    place.unlink()
    try:
        address = ray_cluster.address
        result = run(
            "start", "--root", str(running), "--address", address, "--name=second", *QUICK,
            RAY_AUTH_MODE="token", RAY_AUTH_TOKEN_PATH=os.environ["RAY_AUTH_TOKEN_PATH"],
        )  # fmt: skip
        refused(result, "in use")
    finally:
        place.write_text(saved)
    assert run("status", "--root", str(running)).returncode == 0


def test_a_second_cluster_of_a_name_is_refused_and_the_first_lives_on(
    root: Path, tmp_path: Path, ray_cluster: Any
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    place = ["--address", ray_cluster.address, "--name=taken", *QUICK]
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": os.environ["RAY_AUTH_TOKEN_PATH"]}
    assert run("start", "--root", str(root), *place, **token).returncode == 0
    refused(run("start", "--root", str(other), *place, **token), "'taken'", "--name")
    assert run("status", "--root", str(root), **token).returncode == 0
    assert run("stop", "--root", str(root), **token).returncode == 0


def test_a_missing_root_is_refused(tmp_path: Path) -> None:
    refused(run("start", "--root", str(tmp_path / "no"), *QUICK), "no root directory", "make it")
    refused(run("stop", "--root", str(tmp_path / "no")), "no root")
    refused(run("status", "--root", str(tmp_path / "no")), "no root")
    refused(run("fsck", "--root", str(tmp_path / "no")), "no root directory")


def test_a_directory_of_somebody_elses_files_is_refused(root: Path) -> None:
    refused(run("fsck", "--root", str(root)), "no cluster was ever started")
    (root / "thesis.tex").write_text("precious")
    refused(run("start", "--root", str(root), *QUICK), "not a root of raybase", "thesis.tex")


def test_a_root_of_another_version_is_refused(root: Path) -> None:
    marker = {"format": 999, "version": "99.0", "cluster_id": "x"}
    (root / "raybase.json").write_text(json.dumps(marker))
    refused(run("start", "--root", str(root), *QUICK), "format 999")


def test_a_taken_port_is_refused(root: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("start", "--root", str(root), "--port", str(port), *QUICK)
    refused(result, f"port {port}", "taken")


def test_no_ray_at_the_address_is_refused(root: Path) -> None:
    result = run("start", "--root", str(root), "--address", "127.0.0.1:1", *QUICK)
    refused(result, "no Ray answers at 127.0.0.1:1")


def test_a_wrong_token_is_refused(root: Path, ray_cluster: Any, tmp_path: Path) -> None:
    wrong = tmp_path / "token"
    wrong.write_text("0" * 64)
    address = ray_cluster.address
    result = run(
        "start", "--root", str(root), "--address", address, *QUICK,
        RAY_AUTH_MODE="token", RAY_AUTH_TOKEN_PATH=str(wrong),
    )  # fmt: skip
    refused(result, "token")


def test_an_unknown_setting_is_refused(root: Path) -> None:
    refused(run("start", "--root", str(root), "--set", "store.nope=1"), "store.nope")


def test_stop_ends_our_ray_and_leaves_the_users(root: Path, ray_cluster: Any) -> None:
    """Also: a stopped cluster starts again with what it held."""
    result = run("start", "--root", str(root), *QUICK)
    assert result.returncode == 0, result.stderr
    place = json.loads((root / "cluster.json").read_text())
    leader = place["local_ray"]["leader_pid"]
    ours = [one.pid for one in psutil.Process(leader).children(recursive=True)]
    assert len(ours) > 3
    put = "put 't', 'r', 'f:q', 'kept'"
    stored = run("shell", "--root", str(root), "-c", "create 't', 'f'", "-c", put)
    assert stored.returncode == 0, stored.stderr

    assert run("stop", "--root", str(root)).returncode == 0
    deadline_s = time.monotonic() + 5
    while any(psutil.pid_exists(pid) for pid in ours) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert not [pid for pid in ours if psutil.pid_exists(pid)]
    assert not Path(place["local_ray"]["directory"]).exists()
    refused(run("status", "--root", str(root)), "no cluster is running")
    checked = run("fsck", "--root", str(root))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "0 problems" in checked.stdout
    (file,) = (root / "data/default/t").glob("*/f/*")
    data = file.read_bytes()
    file.write_bytes(data[:30] + bytes([data[30] ^ 1]) + data[31:])
    damaged = run("fsck", "--root", str(root), "--repair")
    assert damaged.returncode == 1
    assert "damaged file" in damaged.stdout
    assert "from a backup" in damaged.stdout
    file.write_bytes(data)
    refused(run("stop", "--root", str(root)), "no cluster is running")
    import ray

    ray.init(address=ray_cluster.address, log_to_driver=False)
    assert any(node["Alive"] for node in ray.nodes())
    ray.shutdown()

    assert run("start", "--root", str(root), *QUICK).returncode == 0
    again = run("shell", "--root", str(root), "-c", "get 't', 'r'")
    assert "kept" in again.stdout
    assert run("stop", "--root", str(root)).returncode == 0
