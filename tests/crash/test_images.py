"""The power goes off at every call: what was acknowledged is there, once and whole."""

import ast
from functools import cache
from pathlib import Path

import pytest

from raybase.testing.crash.expected import SITES
from raybase.testing.crash.images import Row, failures
from raybase.testing.crash.sites import HELPERS
from raybase.testing.crash.table import SCENARIOS, rendered, rows_of

pytestmark = pytest.mark.simulation

PROJECT = Path(__file__).parent.parent.parent
MUTATING = ("create_log", "fence", "put_if_absent", "write", "rename", "remove", "write_file")
HELPING = tuple(name.rpartition(".")[2] for name in HELPERS)
NOT_STORAGE = {
    "coordinator": "the lock file is a courtesy: nothing rests on it",
    "posix": "what the calls are made of: tests/crash/test_golden.py",
}


@cache
def rows(name: str) -> list[Row]:
    return rows_of(name)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_image_holds_what_was_acknowledged(name: str) -> None:
    assert list(failures(rows(name))) == []


@pytest.mark.timeout(300)
def test_there_are_three_thousand_different_images(request: pytest.FixtureRequest) -> None:
    every = [row for name in SCENARIOS for row in rows(name)]
    if request.config.getoption("capture") == "no":
        from rich.console import Console

        Console().print(rendered(every))
    assert sum(row.images for row in every) >= 3000


def test_every_function_that_changes_files_is_under_the_camera() -> None:
    """A new call of the file system needs a scenario that passes it."""
    imaged = {site.partition(": ")[0] for sites in SITES.values() for site in sites}
    missing = [
        name
        for path in sorted((PROJECT / "actors").rglob("*.py"))
        if path.stem not in NOT_STORAGE
        for name in changers(path)
        if name not in imaged
    ]
    assert missing == []


def changers(path: Path) -> list[str]:
    """Functions that call a mutating operation of a FileSystem, as the images name them."""
    found: list[str] = []

    def visit(node: ast.AST, prefix: str, function: str) -> None:
        if isinstance(node, ast.ClassDef):
            prefix = f"{prefix}{node.name}."
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            function = f"{path.stem}.{prefix}{node.name}"
        elif isinstance(node, ast.Call):
            receiver, _, called = ast.unparse(node.func).rpartition(".")
            on_files = called in MUTATING and receiver.endswith(("files", "_files"))
            if (on_files or called in HELPING) and function not in HELPERS:
                found.append(function)
        for child in ast.iter_child_nodes(node):
            visit(child, prefix, function)

    visit(ast.parse(path.read_text()), "", "")
    return list(dict.fromkeys(found))
