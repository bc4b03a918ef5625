"""Balancing and normalizing: rounds, switches and decisions, without I/O.

Source: RawAsyncHBaseAdmin.java.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..model import TableName
from ..rpc.proto import hbase_pb2 as pb
from ..rpc.schema import parsed
from . import wire
from .admin_core import AdminCore
from .effects import Operation

_RECENT_LOGS: Final = "org.apache.hadoop.hbase.shaded.protobuf.generated.RecentLogs$"


@dataclass(frozen=True, slots=True)
class BalancerDecision:
    """What the balancer found once. Costs are from 0 to 1."""

    cost_before: float
    cost_after: float
    functions_before: str
    """Every cost function with its cost and weight."""
    functions_after: str
    moves: tuple[str, ...]
    """A line for each: the region, from where to where, which cost falls from what to what."""

    @classmethod
    def parse(cls, message: Any) -> BalancerDecision:
        return cls(
            message.init_total_cost,
            message.computed_total_cost,
            message.initial_function_costs,
            message.final_function_costs,
            tuple(message.region_plans),
        )


@dataclass(frozen=True, slots=True)
class BalanceResult:
    """What came of a round; true if the balancer ran, that is, was on and not hindered."""

    ran: bool
    moves_calculated: int
    moves_executed: int
    decision: BalancerDecision | None
    """None if no region is to be moved."""

    def __bool__(self) -> bool:
        return self.ran


def balance(
    admin: AdminCore, *, dry_run: bool, ignore_transitions: bool
) -> Operation[BalanceResult]:
    request = pb.BalanceRequest(dry_run=dry_run, ignore_rit=ignore_transitions)
    answer = (yield from admin.core.on_master("Balance", request)).message
    found: list[BalancerDecision] = []
    if answer.moves_calculated:
        found = yield from decisions(admin, 1)
    return BalanceResult(
        answer.balancer_ran,
        answer.moves_calculated,
        answer.moves_executed,
        found[0] if found else None,
    )


def decisions(admin: AdminCore, limit: int) -> Operation[list[BalancerDecision]]:
    """Newest first; 0: all that are kept."""
    request = pb.LogRequest(
        log_class_name=f"{_RECENT_LOGS}BalancerDecisionsRequest",
        log_message=pb.BalancerDecisionsRequest(limit=limit).SerializeToString(),
    )
    answer = yield from admin.core.on_master("GetLogEntries", request)
    found = parsed(pb.BalancerDecisionsResponse, answer.message.log_message)
    return [BalancerDecision.parse(one) for one in found.balancer_decision]


def set_balancer(admin: AdminCore, on: bool) -> Operation[bool]:
    """Whether it was on."""
    request = pb.SetBalancerRunningRequest(on=on, synchronous=True)
    answer = yield from admin.core.on_master("SetBalancerRunning", request)
    return bool(answer.message.prev_balance_value)


def is_balancer_on(admin: AdminCore) -> Operation[bool]:
    answer = yield from admin.core.on_master("IsBalancerEnabled", pb.IsBalancerEnabledRequest())
    return bool(answer.message.enabled)


def normalize(admin: AdminCore, tables: Sequence[TableName]) -> Operation[bool]:
    """Whether the normalizer has begun; without tables it looks at all."""
    request = pb.NormalizeRequest(table_names=[wire.table_name(one) for one in tables])
    answer = yield from admin.core.on_master("Normalize", request)
    return bool(answer.message.normalizer_ran)


def set_normalizer(admin: AdminCore, on: bool) -> Operation[bool]:
    """Whether it was on."""
    request = pb.SetNormalizerRunningRequest(on=on)
    answer = yield from admin.core.on_master("SetNormalizerRunning", request)
    return bool(answer.message.prev_normalizer_value)


def is_normalizer_on(admin: AdminCore) -> Operation[bool]:
    request = pb.IsNormalizerEnabledRequest()
    answer = yield from admin.core.on_master("IsNormalizerEnabled", request)
    return bool(answer.message.enabled)
