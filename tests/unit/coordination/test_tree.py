"""The tree of znodes: what writes do, what they refuse, and that a refusal changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from raybase.coordination.requests import (
    Check,
    Create,
    Delete,
    EventType,
    Exists,
    GetChildren,
    GetData,
    Multi,
    SetData,
)
from raybase.coordination.tree import Author, Change, Tree
from raybase.errors import (
    BadArgumentsError,
    BadVersionError,
    CoordinationError,
    NoChildrenForEphemeralsError,
    NodeExistsError,
    NoNodeError,
    NotEmptyError,
)


class Writer:
    """A tree, and transactions one after another."""

    def __init__(self) -> None:
        self.tree = Tree()
        self.zxid = 0
        self.changes: list[Change] = []

    def write(self, operation: Any, session_id: int = 7) -> Any:
        self.zxid += 1
        author = Author(self.zxid, 1000 + self.zxid, session_id)
        result, self.changes = self.tree.write(operation, author)
        self.tree.check_invariants()
        return result


def test_a_created_znode_has_its_data_and_its_transaction() -> None:
    writer = Writer()
    assert writer.write(Create("/a", b"one")) == "/a"
    data, stat = writer.tree.read(GetData("/a"))
    assert data == b"one"
    assert (stat.czxid, stat.mzxid, stat.pzxid, stat.version) == (1, 1, 1, 0)
    assert (stat.ctime_ms, stat.mtime_ms, stat.data_length) == (1001, 1001, 3)
    assert stat.ephemeral_owner == 0


def test_set_counts_versions_and_leaves_the_creation_alone() -> None:
    writer = Writer()
    writer.write(Create("/a"))
    stat = writer.write(SetData("/a", b"22", version=0))
    assert (stat.czxid, stat.mzxid, stat.version, stat.data_length) == (1, 2, 1, 2)
    with pytest.raises(BadVersionError):
        writer.write(SetData("/a", b"3", version=0))
    assert writer.tree.read(GetData("/a"))[0] == b"22"


def test_children_are_sorted_and_counted_by_births_and_deaths() -> None:
    writer = Writer()
    for name in ("c", "a", "b"):
        writer.write(Create(f"/{name}"))
    writer.write(Delete("/b"))
    assert writer.tree.read(GetChildren("/")) == ("a", "c")
    stat = writer.tree.read(Exists("/"))
    assert (stat.num_children, stat.cversion, stat.pzxid) == (2, 4, 4)


def test_sequential_names_never_come_again() -> None:
    writer = Writer()
    writer.write(Create("/q"))
    assert writer.write(Create("/q/n-", sequential=True)) == "/q/n-0000000000"
    assert writer.write(Create("/q/n-", sequential=True)) == "/q/n-0000000001"
    writer.write(Delete("/q/n-0000000001"))
    assert writer.write(Create("/q/", sequential=True)) == "/q/0000000002"


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        (Create("/a"), NodeExistsError),
        (Create("/"), NodeExistsError),
        (Create("/x/y"), NoNodeError),
        (Create("/e/child"), NoChildrenForEphemeralsError),
        (Delete("/a"), NotEmptyError),
        (Delete("/x"), NoNodeError),
        (Delete("/"), BadArgumentsError),
        (Delete("/a/b", version=3), BadVersionError),
        (SetData("/x", b""), NoNodeError),
        (Check("/a", version=1), BadVersionError),
        (SetData("/a", b"x" * (1024 * 1024 + 1)), BadArgumentsError),
        (Create("/n", "text"), BadArgumentsError),
        (Multi((Create("/n"), Multi(()))), BadArgumentsError),
        (Multi(5), BadArgumentsError),
        (Multi((Create("/n"), GetData("/a"))), BadArgumentsError),
        (None, BadArgumentsError),
    ],
)
def test_a_refused_write_changes_nothing(operation: Any, error: type[Exception]) -> None:
    writer = Writer()
    writer.write(Create("/a"))
    writer.write(Create("/a/b"))
    writer.write(Create("/e", ephemeral=True))
    before = list(writer.tree)
    with pytest.raises(error):
        writer.write(operation)
    assert list(writer.tree) == before
    writer.tree.check_invariants()


@pytest.mark.parametrize(
    "path",
    ["", "a", "/a/", "//", "/a//b", "/.", "/a/..", "/a\x00", "/a\n", "/\x85", "/\ud800", 5, None],
)
def test_a_malformed_path_is_refused(path: Any) -> None:
    writer = Writer()
    for operation in (Create(path), Delete(path), SetData(path, b"")):
        with pytest.raises(BadArgumentsError):
            writer.write(operation)
    with pytest.raises(BadArgumentsError):
        writer.tree.read(Exists(path))


def test_a_multi_is_all_or_nothing() -> None:
    writer = Writer()
    writer.write(Create("/a", b"old"))
    before = list(writer.tree)
    with pytest.raises(NoNodeError):
        writer.write(
            Multi(
                (
                    Create("/a/b"),
                    Create("/a/b/c", ephemeral=True),
                    SetData("/a", b"new"),
                    Delete("/a/b/c"),
                    Delete("/missing"),
                )
            )
        )
    assert list(writer.tree) == before
    writer.tree.check_invariants()
    results = writer.write(Multi((Create("/a/b"), Check("/a", 0), SetData("/a", b"new"))))
    assert results[:2] == ("/a/b", None)
    assert results[2].num_children == 1


def test_all_ephemeral_znodes_of_a_session_go_in_one_transaction() -> None:
    writer = Writer()
    writer.write(Create("/keep", ephemeral=True), session_id=8)
    writer.write(Create("/dir"))
    writer.write(Create("/dir/b", ephemeral=True))
    writer.write(Create("/a", ephemeral=True))
    changes = writer.tree.remove_ephemerals(Author(99, 0, 7))
    assert changes == [
        Change(EventType.DELETED, "/a"),
        Change(EventType.CHILD, "/"),
        Change(EventType.DELETED, "/dir/b"),
        Change(EventType.CHILD, "/dir"),
    ]
    assert writer.tree.read(GetChildren("/")) == ("dir", "keep")
    assert writer.tree.read(Exists("/dir")).pzxid == 99
    writer.tree.check_invariants()


NAMES = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda names: "/" + "/".join(names))
VERSIONS = st.sampled_from([-1, 0, 1])
SINGLE = st.one_of(
    st.builds(Create, PATHS, st.binary(max_size=3), st.booleans(), st.booleans()),
    st.builds(Delete, PATHS, VERSIONS),
    st.builds(SetData, PATHS, st.binary(max_size=3), VERSIONS),
    st.builds(Check, PATHS, VERSIONS),
)
SESSIONS = st.sampled_from([11, 12])


class TreeModel(RuleBasedStateMachine):
    """The tree against a dictionary: path -> [data, version, owner, children ever made]."""

    def __init__(self) -> None:
        super().__init__()
        self.writer = Writer()
        self.model: dict[str, list[Any]] = {"/": [b"", 0, 0, 0]}

    @rule(operation=SINGLE, session_id=SESSIONS)
    def write(self, operation: Any, session_id: int) -> None:
        self.compare(operation, lambda model: _apply(model, operation, session_id), session_id)

    @rule(operations=st.lists(SINGLE, min_size=1, max_size=4), session_id=SESSIONS)
    def write_many(self, operations: list[Any], session_id: int) -> None:
        def apply(model: dict[str, list[Any]]) -> None:
            for one in operations:
                _apply(model, one, session_id)

        self.compare(Multi(tuple(operations)), apply, session_id)

    @rule(session_id=SESSIONS)
    def end_session(self, session_id: int) -> None:
        self.writer.zxid += 1
        self.writer.tree.remove_ephemerals(Author(self.writer.zxid, 0, session_id))
        gone = [path for path, node in self.model.items() if node[2] == session_id]
        for path in gone:
            del self.model[path]

    def compare(self, operation: Any, apply: Any, session_id: int) -> None:
        after = {path: list(node) for path, node in self.model.items()}
        expected: type[Exception] | None = None
        try:
            apply(after)
        except CoordinationError as error:
            expected = type(error)
        else:
            self.model = after
        actual: type[Exception] | None = None
        try:
            self.writer.write(operation, session_id)
        except CoordinationError as error:
            actual = type(error)
        assert actual == expected

    @invariant()
    def the_tree_is_the_model(self) -> None:
        self.writer.tree.check_invariants()
        found = {
            path: [znode.data, znode.version, znode.ephemeral_owner, znode.created]
            for path, znode in self.writer.tree
        }
        assert found == self.model


def _apply(model: dict[str, list[Any]], operation: Any, session_id: int) -> None:
    path = operation.path
    above = path.rpartition("/")[0] or "/"
    if isinstance(operation, Create):
        if above not in model:
            raise NoNodeError(above)
        if model[above][2]:
            raise NoChildrenForEphemeralsError(above)
        if operation.sequential:
            path += f"{model[above][3]:010d}"
        if path in model:
            raise NodeExistsError(path)
        model[path] = [operation.data, 0, session_id if operation.ephemeral else 0, 0]
        model[above][3] += 1
        return
    if path not in model:
        raise NoNodeError(path)
    if operation.version not in (-1, model[path][1]):
        raise BadVersionError(path)
    if isinstance(operation, SetData):
        model[path][0] = operation.data
        model[path][1] += 1
    elif isinstance(operation, Delete):
        if any(other.startswith(path + "/") for other in model):
            raise NotEmptyError(path)
        del model[path]


TestTreeModel = TreeModel.TestCase
TestTreeModel.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
