"""Admin's operations: procedures waited for, regions found, masters that come and go."""

from __future__ import annotations

from typing import Any

import pytest

from raybase.client import namespaces
from raybase.client.arguments import as_descriptor
from raybase.client.families import add_family, drop_family, modify_family
from raybase.client.meta import TableState
from raybase.errors import (
    IllegalArgumentError,
    NamespaceExistsError,
    NoSuchFamilyError,
    PleaseHoldError,
    ProcessDiedError,
    RegionOpeningError,
    RetriesExhaustedError,
    TableExistsError,
    TableNotFoundError,
    UnknownRegionError,
)
from raybase.model import FamilyDescriptor, NamespaceDescriptor, TableName
from raybase.operations import Get, Put

WEB = TableName.parse("web")


def test_a_table_is_created_with_its_splits(cluster: Any, driver: Any) -> None:
    descriptor = as_descriptor("web", {"f": {"max_versions": 3}}, {"flush_bytes": 1000})
    driver.run(driver.admin.create_table(descriptor, [b"t", b"g"]))
    assert driver.run(driver.admin.describe(WEB)) == descriptor
    found = driver.run(driver.admin.regions(WEB))
    assert [one.region.start_key for one in found] == [b"", b"g", b"t"]
    assert [one.state for one in found] == ["OPEN"] * 3


@pytest.mark.parametrize("splits", [[b"", b"a"], [b"a", b"a"]])
def test_split_keys_that_make_no_regions_are_refused(driver: Any, splits: list[bytes]) -> None:
    with pytest.raises(IllegalArgumentError, match="split keys"):
        driver.run(driver.admin.create_table(as_descriptor("web", ["f"], {}), splits))


def test_what_a_procedure_failed_with_is_raised(cluster: Any, driver: Any) -> None:
    cluster.add_table("web")
    with pytest.raises(TableExistsError):
        driver.run(driver.admin.create_table(as_descriptor("web", ["f"], {}), []))


def test_a_procedure_the_master_no_longer_knows_is_judged_by_its_effect(
    cluster: Any, driver: Any
) -> None:
    def forget(call: Any) -> None:
        cluster.procedures.clear()

    driver.before_call = forget
    driver.run(driver.admin.create_table(as_descriptor("web", ["f"], {}), []))
    driver.run(driver.admin.disable_table(WEB))
    driver.run(driver.admin.enable_table(WEB))
    driver.run(driver.admin.disable_table(WEB))
    driver.run(driver.admin.delete_table(WEB))
    assert not driver.run(driver.admin.exists(WEB))


def test_a_start_whose_answer_was_lost_is_repeated_with_its_nonce(
    cluster: Any, driver: Any
) -> None:
    cluster.add_table("web")
    cluster.faults["DisableTable"] = [PleaseHoldError("starting"), PleaseHoldError("starting")]
    driver.run(driver.admin.disable_table(WEB))
    sent = [one for one in cluster.requests if type(one).__name__ == "DisableTableRequest"]
    assert len(sent) == 3
    assert len({(one.nonce_group, one.nonce) for one in sent}) == 1
    assert sent[0].nonce


def test_the_master_is_looked_up_again_after_an_error(cluster: Any, driver: Any) -> None:
    cluster.faults["GetTableNames"] = [ProcessDiedError("x")]
    assert driver.run(driver.admin.tables(system=False)) == []
    assert [method for _, method in cluster.calls] == [
        "GetActiveMaster",
        "GetTableNames",
        "GetActiveMaster",
        "GetTableNames",
    ]


def test_no_master_is_said_after_all_tries(cluster: Any, driver: Any) -> None:
    cluster.faults["GetTableNames"] = [PleaseHoldError("not yet") for _ in range(99)]
    with pytest.raises(RetriesExhaustedError, match="GetTableNames at the master after 16 tries"):
        driver.run(driver.admin.tables(system=False))


def test_existence_and_state_need_no_master(cluster: Any, driver: Any) -> None:
    cluster.add_table("web")
    assert driver.run(driver.admin.exists(WEB))
    assert driver.run(driver.admin.state(WEB)) is TableState.ENABLED
    cluster.states[WEB] = 2
    assert driver.run(driver.admin.state(WEB)) is TableState.DISABLING
    assert not driver.run(driver.admin.exists(TableName.parse("nope")))
    assert ("master", "GetTableNames") not in cluster.calls


def test_families_are_added_changed_and_dropped(cluster: Any, driver: Any) -> None:
    cluster.add_table("web", families=["f", "g"])
    for change in (
        add_family(FamilyDescriptor(b"h", ttl_s=5)),
        modify_family(b"f", {"max_versions": 7}),
        drop_family(b"g"),
    ):
        driver.run(driver.admin.change_families(WEB, change))
    descriptor = driver.run(driver.admin.describe(WEB))
    assert [one.name for one in descriptor.families] == [b"f", b"h"]
    assert descriptor.families[0].max_versions == 7
    with pytest.raises(NoSuchFamilyError, match="the table has"):
        driver.run(driver.admin.change_families(WEB, drop_family(b"nope")))
    with pytest.raises(IllegalArgumentError, match="not an option"):
        driver.run(driver.admin.change_families(WEB, modify_family(b"f", {"nope": 1})))


def test_regions_of_an_unknown_table_are_an_error(driver: Any) -> None:
    with pytest.raises(TableNotFoundError):
        driver.run(driver.admin.regions(TableName.parse("nope")))


def test_flush_reaches_every_region_and_waits_for_the_slow_one(cluster: Any, driver: Any) -> None:
    cluster.add_table("web", b"g", b"m")
    cluster.faults["FlushRegion"] = [RegionOpeningError("x")]
    driver.run(driver.admin.flush("web"))
    flushed = [
        one.region.value for one in cluster.requests if type(one).__name__ == "FlushRegionRequest"
    ]
    assert set(flushed) == {one.info.name for one in cluster.places}
    assert len(flushed) == 4


def test_flush_follows_a_region_that_splits_meanwhile(cluster: Any, driver: Any) -> None:
    cluster.add_table("web", b"m")
    parent = cluster.places[0]
    done = []

    def split(call: Any) -> None:
        if call.method == "FlushRegion" and not done:
            done.append(True)
            cluster.split(parent, b"d")

    driver.before_call = split
    driver.run(driver.admin.flush("web"))
    flushed = {
        one.region.value for one in cluster.requests if type(one).__name__ == "FlushRegionRequest"
    }
    assert {one.info.name for one in cluster.places} <= flushed


def test_a_region_is_meant_by_name_encoded_name_or_info(cluster: Any, driver: Any) -> None:
    cluster.add_table("web", b"m")
    info = cluster.places[1].info
    for target in (info, info.name, info.encoded_name, info.name.decode()):
        cluster.calls.clear()
        driver.run(driver.admin.compact(target, major=True))
        assert [call for call in cluster.calls if call[1] == "CompactRegion"] == [
            ("two", "CompactRegion")
        ]
    with pytest.raises(UnknownRegionError):
        driver.run(driver.admin.flush("0" * 32))
    with pytest.raises(UnknownRegionError, match="it may have split"):
        driver.run(driver.admin.flush(b"web,m,7.%b." % (b"0" * 32)))


def test_a_split_at_a_row_splits_the_region_that_has_it(cluster: Any, driver: Any) -> None:
    cluster.add_table("web", b"m")
    driver.run(driver.admin.split("web", b"t"))
    found = driver.run(driver.admin.regions(WEB))
    assert [one.region.start_key for one in found] == [b"", b"m", b"t"]
    with pytest.raises(IllegalArgumentError, match="is not in"):
        driver.run(driver.admin.split(found[0].region, b"z"))


def test_a_move_goes_to_the_server_named_or_to_another(cluster: Any, driver: Any) -> None:
    cluster.add_table("web")
    place = cluster.places[0]
    driver.run(driver.admin.move("web", None))
    assert place.server == cluster.servers[1]
    target = driver.run(driver.admin.find_server("one:1"))
    driver.run(driver.admin.move(place.info, target))
    assert place.server == cluster.servers[0]
    with pytest.raises(IllegalArgumentError, match="there are: one:1, two:2"):
        driver.run(driver.admin.find_server("three:3"))


def test_status_counts_servers_and_regions(cluster: Any, driver: Any) -> None:
    cluster.add_table("web", b"g", b"m")
    status = driver.run(driver.admin.status())
    assert [(one.name.host, one.regions, one.store_files) for one in status.servers] == [
        ("one", 2, 4),
        ("two", 1, 2),
    ]
    assert status.regions == 3
    assert "one,1,10" in status._repr_html_()


def test_a_dropped_table_made_anew_is_found_again(cluster: Any, driver: Any) -> None:
    table = driver.table("web")
    for value in (b"1", b"2"):
        driver.run(driver.admin.create_table(as_descriptor("web", ["f"], {}), []))
        assert not driver.run(table.get(Get(b"r")))
        driver.run(table.mutate(Put(b"r").add(b"f", b"q", value)))
        driver.run(driver.admin.disable_table(WEB))
        driver.run(driver.admin.delete_table(WEB))


def test_a_namespace_whose_end_the_master_forgot_is_looked_for(driver: Any) -> None:
    namespace = NamespaceDescriptor("a", {"k": "v"})
    driver.run(namespaces.create(driver.admin, namespace))
    assert driver.run(namespaces.describe(driver.admin, "a")) == namespace
    with pytest.raises(NamespaceExistsError):
        driver.run(namespaces.create(driver.admin, namespace))
    driver.before_call = lambda _: driver.cluster.procedures.clear()
    changed = NamespaceDescriptor("a", {"k": "w"})
    driver.run(namespaces.alter(driver.admin, changed))
    assert driver.run(namespaces.list_all(driver.admin))[0] == changed
    driver.run(namespaces.delete(driver.admin, "a"))
    assert [one.name for one in driver.run(namespaces.list_all(driver.admin))] == [
        "default",
        "hbase",
    ]
