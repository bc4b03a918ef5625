"""The house rules that a machine can hold us to."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LAYERS = ["testing", "client", "actors", "rpc", "storage"]
"""Each may import those after it; coordination stands beside storage."""
MAY_IMPORT = {
    "testing": {"testing", "client", "actors", "rpc", "storage", "coordination"},
    "client": {"client", "actors", "rpc", "storage", "coordination"},
    "actors": {"actors", "rpc", "storage", "coordination"},
    "rpc": {"rpc", "storage"},
    "storage": {"storage"},
    "coordination": {"coordination"},
    "errors": set(),
}
BASE = {"errors", "config", "model", "operations", "runtime", "store_config"}
REAL_WORLD = {
    "actors/posix.py",
    "actors/posix_calls.py",
    "actors/system.py",
    "actors/ray_runtime.py",
    "actors/ray_process.py",
    "actors/ray_local.py",
    "actors/ray_cluster.py",
    "actors/ray_join.py",
    "actors/ray_root.py",
    "client/blocking.py",
    "client/cli.py",
    "client/shell.py",
    "client/shell_cluster.py",
    "client/ray_registry.py",
    "testing/__main__.py",
    "testing/crash/golden.py",
    "testing/sites.py",
    "testing/crash/table.py",
    "testing/mutants/report.py",
    "testing/world.py",
}
"""Modules at the border, where clocks, files, sockets and Ray are what they are about."""
REAL_WORLD_FOLDERS = ("client/demo/", "testing/real/")
FORBIDDEN_MODULES = {
    "datetime",
    "multiprocessing",
    "pathlib",
    "random",
    "secrets",
    "shutil",
    "socket",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "uuid",
}
FORBIDDEN_CALLS = {"open", "hash", "input"}


def sources() -> Iterator[tuple[str, ast.Module]]:
    for folder in MAY_IMPORT:
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith("rpc/proto/"):
                yield name, ast.parse(path.read_text())


SOURCES = dict(sources())
BELOW_THE_SEAM = [
    name for name in SOURCES if name not in REAL_WORLD and not name.startswith(REAL_WORLD_FOLDERS)
]


def imported(name: str, tree: ast.Module) -> Iterator[str]:
    """Absolute dotted names, with ``raybase.`` before our own."""
    package = ["raybase", *name.split("/")[:-1]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            if node.module:
                yield ".".join([*base, node.module])
            else:
                yield from (".".join([*base, alias.name]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("name", SOURCES)
def test_imports_point_downwards_and_are_relative(name: str) -> None:
    layer = name.split("/", 1)[0]
    for target in imported(name, SOURCES[name]):
        parts = target.split(".")
        if parts[0] == "raybase" and len(parts) > 1 and parts[1] not in BASE:
            if parts[1] in ("__version__", "connect") or layer in ("client", "testing"):
                continue
            assert parts[1] in MAY_IMPORT[layer], f"{name} imports {target}"
    for node in ast.walk(SOURCES[name]):
        if isinstance(node, ast.ImportFrom) and not node.level:
            assert not (node.module or "").startswith("raybase"), f"{name}: import relatively"


@pytest.mark.parametrize("name", SOURCES)
def test_ray_is_imported_only_at_the_border(name: str) -> None:
    uses_ray = any(target.split(".")[0] == "ray" for target in imported(name, SOURCES[name]))
    assert not uses_ray or Path(name).name.startswith("ray_"), f"{name} imports ray"


@pytest.mark.parametrize("name", BELOW_THE_SEAM)
def test_nothing_below_the_seam_reaches_around_it(name: str) -> None:
    tree = SOURCES[name]
    for target in imported(name, tree):
        module = target.split(".")[0]
        seeded = module == "random" and name.startswith("testing/")
        assert seeded or module not in FORBIDDEN_MODULES, f"{name} imports {target}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in FORBIDDEN_CALLS, f"{name} calls {node.func.id}()"
        if isinstance(node, ast.keyword) and node.arg == "key" and isinstance(node.value, ast.Name):
            assert node.value.id not in ("id", "hash"), f"{name} sorts by {node.value.id}()"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            dotted = f"{node.value.id}.{node.attr}"
            assert dotted not in ("asyncio.wait", "asyncio.as_completed", "os.environ"), name
            assert node.value.id != "os" or node.attr in ("path", "strerror"), f"{name}: {dotted}"


@pytest.mark.parametrize("name", BELOW_THE_SEAM)
def test_no_order_comes_from_a_set(name: str) -> None:
    for node in ast.walk(SOURCES[name]):
        iterated = []
        if isinstance(node, ast.For):
            iterated.append(node.iter)
        elif isinstance(node, ast.ListComp | ast.GeneratorExp):
            iterated.extend(one.iter for one in node.generators)
        for one in iterated:
            is_set = isinstance(one, ast.Set | ast.SetComp) or (
                isinstance(one, ast.Call)
                and isinstance(one.func, ast.Name)
                and one.func.id in ("set", "frozenset")
            )
            assert not is_set, f"{name}:{node.lineno} iterates over a set"


@pytest.mark.parametrize("name", SOURCES)
def test_nothing_on_a_data_path_is_pickled(name: str) -> None:
    if name.startswith("testing/"):
        return
    for target in imported(name, SOURCES[name]):
        assert target.split(".")[0] not in ("pickle", "cloudpickle", "marshal", "shelve"), name


def test_every_package_folder_is_in_the_wheel() -> None:
    listed = (ROOT / "pyproject.toml").read_text()
    for folder in MAY_IMPORT:
        for path in (ROOT / folder).rglob("__init__.py"):
            name = "raybase." + ".".join(path.parent.relative_to(ROOT).parts)
            assert f'"{name}"' in listed, f"{name} is missing in [tool.setuptools] packages"
