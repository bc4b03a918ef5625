"""Scans with filters, batches and raw cells through a region server's port."""

from __future__ import annotations

from typing import Any

from raybase.operations import CompareOperator, Scan
from raybase.rpc.convert import scan_request
from raybase.rpc.proto import hbase_pb2 as pb
from raybase.rpc.reads import scan_batch
from raybase.storage import filters as kinds

from .small_cluster import REGION, SmallCluster, run


async def drained(cluster: SmallCluster, scan: Scan) -> tuple[list[bytes], list[Any]]:
    """The row of every result, and the answers."""
    client = await cluster.client("rs-1")
    answer = await client.call("Scan", scan_request(REGION.name, scan))
    rows: list[bytes] = []
    answers = []
    number = 0
    while True:
        answers.append(answer.message)
        batch = scan_batch(answer.message, answer.cells)
        rows += [batch.rows[start] for start in [0, *batch.row_ends][: len(batch.row_ends)]]
        if not (answer.message.more_results and answer.message.more_results_in_region):
            return rows, answers
        request = pb.ScanRequest(
            scanner_id=answer.message.scanner_id,
            next_call_seq=number,
            number_of_rows=scan.caching or 2**31 - 1,
        )
        number += 1
        answer = await client.call("Scan", request)


def test_filters_and_batches_hold_through_the_port() -> None:
    async def story(cluster: SmallCluster) -> None:
        await cluster.open("rs-1")
        rows = {b"%04d" % number: b"v%d" % (number % 7) for number in range(700)}
        await cluster.put_many("rs-1", rows)
        wanted = kinds.ValueFilter(CompareOperator.EQUAL, kinds.BinaryComparator(b"v3"))
        found, _ = await drained(cluster, Scan(filter=wanted))
        assert found == [row for row, value in rows.items() if value == b"v3"]
        found, answers = await drained(cluster, Scan(filter=kinds.PageFilter(9), caching=4))
        assert found == list(rows)[:9]
        assert not answers[-1].more_results
        assert answers[0].more_results
        wide = Scan(columns={b"f": None, b"g": None}, batch=1, caching=100, limit=150)
        found, answers = await drained(cluster, wide)
        assert sorted(set(found)) == list(rows)[:150]
        assert len(answers) == len(found) // 100 + (len(found) % 100 > 0)
        nothing = kinds.RowFilter(CompareOperator.LESS, kinds.BinaryComparator(b""))
        assert await drained(cluster, Scan(filter=nothing))

    run(story)
