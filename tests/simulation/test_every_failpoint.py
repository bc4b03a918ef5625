"""A death at chosen failpoints; ``python -m raybase.testing failpoints`` goes through all."""

import pytest

from raybase.testing.failpoints import Failpoint, census, strike

pytestmark = pytest.mark.simulation

PROTOCOLS = {
    "write": "log_writer.LogWriter._append: append/",
    "roll": "log_writer.LogWriter._create_next: ",
    "flush": "hosted_region.HostedRegion._flush_plan: put_if_absent/",
    "compaction": "region_compactor._replace: put_if_absent/",
    "archive": "region_compactor._archive: rename/",
    "move": "region_server.adopt_region: serve/",
    "split": "region_server.split_region: serve/",
    "daughters, merged region": "daughters.ensure_manifest: put_if_absent/",
    "recovery": "log_recovery.split_and_archive: rename/",
    "fence": "log_recovery.fence_logs: fence/",
    "log splitting": "jobs.split_wal_job: ",
    "open": "region_opener._try_open: put_if_absent/",
    "hbase:meta": "region_server.mutate_meta: serve/",
    "election": "coordinator.request: serve/",
    "coordinator commit": "coordinator_files.CoordinatorFiles.append: append/",
    "coordinator snapshot": "coordinator_files.Snapshot.write: put_if_absent/",
    "procedure store": "procedure_store.RegionProcedureStore._append: append/",
    "start of a server": "server_starter.ServerStarter._start: spawn/",
}
"""What the names of the failpoints of each begin with."""


@pytest.fixture(scope="module")
def failpoints() -> list[Failpoint]:
    return census(range(4))


def test_the_stories_pass_failpoints_of_every_protocol(failpoints: list[Failpoint]) -> None:
    sites = [one.site for one in failpoints]
    missing = [name for name, text in PROTOCOLS.items() if not any(text in site for site in sites)]
    assert not missing, sites
    assert len(sites) > 160


@pytest.mark.parametrize("protocol", ["compaction", "split", "open"])
def test_a_death_does_no_harm(protocol: str, failpoints: list[Failpoint]) -> None:
    chosen = [one for one in failpoints if PROTOCOLS[protocol] in one.site]
    assert strike(chosen[0]).problems == []
