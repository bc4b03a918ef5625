"""What `raybase status` prints: what is in order is left out, what is stuck says why."""

from __future__ import annotations

import io
from collections import defaultdict
from typing import Any

from rich.console import Console

from raybase.client.status_tables import status_tables

QUIET: dict[str, Any] = {
    "master": "m,1,1", "backup_masters": [], "initialized": True, "waits": "",
    "servers": [{"server": "s,1,1", "process": "region-server-1", "trouble": ""}],
    "wanted_servers": 1,
}  # fmt: skip


def printed(**changed: Any) -> str:
    out = io.StringIO()
    console = Console(file=out, width=200)
    for table in status_tables(defaultdict(list, {**QUIET, **changed})):
        console.print(table)
    return out.getvalue()


def test_a_quiet_cluster_has_servers_and_tables() -> None:
    text = printed()
    assert "1 of 1 region servers" in text
    for word in ("transition", "procedures", "starting", "taking over"):
        assert word not in text


def test_whatever_is_stuck_says_why() -> None:
    assert "it is taking over, waits for Y" in printed(initialized=False, waits="for Y")
    server = {"server": "s,1,1", "process": "p", "trouble": "the disk is full"}
    assert "the disk is full" in printed(servers=[server])
    starting = {"process": "region-server-2", "age_s": 31.0, "reason": "no node has room"}
    text = printed(wanted_servers=2, starting=[starting])
    assert "1 of 2 region servers" in text
    assert "no node has room" in text
    line = {"region": "t,,1", "state": "OPENING", "age_s": 9.5, "reason": "waits for Z"}
    assert "waits for Z" in printed(in_transition=[line])
    assert "waits for L" in printed(procedures=[{"id": 7, "what": "move", "reason": "waits for L"}])
