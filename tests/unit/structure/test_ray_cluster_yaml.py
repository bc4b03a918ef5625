"""ray_cluster.yaml is what Ray's cluster launcher accepts, and says what raybase needs."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def config() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "ray_cluster.yaml").read_text())
    return found


def test_ray_accepts_the_file(config: dict[str, Any]) -> None:
    validate_config(prepare_config(config))


def test_ray_refuses_a_file_with_an_unknown_key(config: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="unexpected"):
        validate_config({**config, "regon_servers": 3})


def test_region_servers_hold_a_resource_so_that_their_nodes_are_never_idle(
    config: dict[str, Any],
) -> None:
    types = config["available_node_types"]
    assert types["region_server"]["resources"]["region_server"] == 1
    assert types["region_server"]["min_workers"] >= 3
    assert "region_server" not in types["head"]["resources"]
    start = " ".join(config["worker_start_ray_commands"])
    assert '"region_server": 1' in start


def test_versions_are_pinned_to_the_ones_of_the_package(config: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    setup = " ".join(config["setup_commands"])
    assert f"raybase=={project['version']}" in setup
    assert config["docker"]["image"].startswith("rayproject/ray:2.60.")
    assert "ray>=2.60,<2.61" in project["dependencies"]


def test_every_node_gets_the_token_and_none_is_in_the_file(config: dict[str, Any]) -> None:
    assert "~/.ray/auth_token" in config["file_mounts"]
    for commands in ("head_start_ray_commands", "worker_start_ray_commands"):
        assert "RAY_AUTH_MODE=token" in " ".join(config[commands])
