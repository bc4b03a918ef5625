"""Every error survives pickling, and has the name HBase's clients know."""

from __future__ import annotations

import pickle

import pytest

from raybase import errors

SPECIAL = {
    errors.RegionMovedError: ("host", 16020, 7, 42),
    errors.RegionSplitError: (b"row", 43),
    errors.CorruptionError: ("data/x", 12, "bad checksum"),
    errors.BlockMiss: ("data/x", 0, 4096),
    errors.BatchError: (2, {}),
    errors.RegionOwnedElsewhereError: ("abc", "host,1,2"),
}


def all_errors() -> list[type[errors.RaybaseError]]:
    found: list[type[errors.RaybaseError]] = [errors.RaybaseError]
    for one in found:
        found.extend(
            sub for sub in one.__subclasses__() if sub.__module__.startswith(errors.__name__)
        )
    return sorted(set(found), key=lambda one: one.__name__)


@pytest.mark.parametrize("kind", all_errors())
def test_an_error_survives_pickling_whole(kind: type[errors.RaybaseError]) -> None:
    arguments = next((SPECIAL[one] for one in kind.__mro__ if one in SPECIAL), ("why",))
    error = kind(*arguments)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert again.args == error.args
    assert str(again) == str(error)
    assert vars(again) == vars(error)


@pytest.mark.parametrize("kind", all_errors())
def test_an_error_has_a_java_name_and_a_docstring(kind: type[errors.RaybaseError]) -> None:
    assert kind.java_class.startswith(("org.apache.", "java."))
    assert kind.__doc__


def test_a_moved_region_is_named_as_hbase_clients_parse_it() -> None:
    error = errors.RegionMovedError("h", 1, 2, 3)
    assert str(error) == ("Region moved to: hostname=h port=1 startCode=2. As of locationSeqNum=3.")
