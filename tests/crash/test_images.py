"""The power goes off at every call: what was acknowledged is there, once and whole."""

import ast
from pathlib import Path

import pytest

from raybase.testing.crash.expected import SITES
from raybase.testing.crash.images import Row, failures
from raybase.testing.crash.table import SCENARIOS, rendered, rows_of_all, wide_console
from raybase.testing.sites import HELPERS

pytestmark = pytest.mark.simulation

PROJECT = Path(__file__).parent.parent.parent
MUTATING = ("create_log", "fence", "put_if_absent", "write", "rename", "remove", "write_file")
HELPING = tuple(name.rpartition(".")[2] for name in HELPERS)
SEEN_ELSEWHERE = {
    "merge.MergeProcedure.undo": "a server must die between two steps: test_killed_masters.py",
    "split.SplitProcedure.undo": "a server must die between two steps: test_killed_masters.py",
    "region_mover._settle": "a move's target must fall silent: test_move.py",
    "region_opener.release": "an open must be given up before its region is served",
    "file_mender.FileMender.put_back": "one rename that a person asks for: tests/unit/fsck",
    "namespaces.DeleteNamespaceProcedure.remove_directory": "test_killed_masters.py: it is empty",
}
"""Functions that take more than one fault, or a person, to be reached."""
NOT_STORAGE = {
    "coordinator": "the lock file is a courtesy: nothing rests on it",
    "posix": "what the calls are made of: tests/crash/test_golden.py",
}


@pytest.fixture(scope="module")
def rows(request: pytest.FixtureRequest) -> dict[str, list[Row]]:
    found = rows_of_all()
    if request.config.getoption("capture") == "no":
        wide_console().print(rendered(row for one in found.values() for row in one))
    return found


@pytest.mark.timeout(900)
def test_there_are_three_thousand_different_images(rows: dict[str, list[Row]]) -> None:
    assert sum(row.images for found in rows.values() for row in found) >= 3000


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_image_holds_what_was_acknowledged(name: str, rows: dict[str, list[Row]]) -> None:
    assert list(failures(rows[name])) == []


def test_every_function_that_changes_files_is_under_the_camera() -> None:
    """A new call of the file system needs a scenario that passes it."""
    imaged = {site.partition(": ")[0] for sites in SITES.values() for site in sites}
    missing = [
        name
        for path in sorted((PROJECT / "actors").rglob("*.py"))
        if path.stem not in NOT_STORAGE
        for name in changers(path)
        if name not in imaged and name not in SEEN_ELSEWHERE
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
