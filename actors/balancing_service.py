"""The part of MasterService that is about balancing and normalizing: switches, rounds, reasons."""

from __future__ import annotations

from typing import Final

from ..errors import UnsupportedOperationError
from ..rpc import convert
from ..rpc.call import Call, Reply
from ..rpc.proto import hbase_pb2 as pb
from ..rpc.schema import parsed
from .balancer_chore import Decision
from .master_calls import MasterCalls
from .observers import Action

_RECENT_LOGS: Final = "org.apache.hadoop.hbase.shaded.protobuf.generated.RecentLogs$"
_DECISIONS_ASKED: Final = _RECENT_LOGS + "BalancerDecisionsRequest"
_DECISIONS: Final = _RECENT_LOGS + "BalancerDecisionsResponse"


class BalancingService(MasterCalls):
    """Balance, Normalize, their switches, and the balancer's decisions as HBase's shell shows
    them (get_balancer_decisions).

    Source: MasterRpcServices.java.
    """

    # -- balancer --------------------------------------------------------------------------

    async def balance(self, call: Call) -> Reply:
        """Answers when the moves are over."""
        self.authorize(call, Action.ADMIN)
        request = call.request
        decision = await self.master.term.balancer.run(
            dry_run=request.dry_run, ignore_transitions=request.ignore_rit
        )
        return Reply(
            pb.BalanceResponse(
                balancer_ran=decision.ran,
                moves_calculated=len(decision.plan.moves),
                moves_executed=len(decision.made),
            )
        )

    async def set_balancer_running(self, call: Call) -> Reply:
        self.authorize(call, Action.ADMIN)
        was = await self.master.term.switches.set_balancer(call.request.on)
        return Reply(pb.SetBalancerRunningResponse(prev_balance_value=was))

    def is_balancer_enabled(self, call: Call) -> Reply:
        self.authorize(call, Action.READ)
        enabled = self.master.term.switches.balancer
        return Reply(pb.IsBalancerEnabledResponse(enabled=enabled))

    def get_log_entries(self, call: Call) -> Reply:
        """The balancer's last decisions, newest first; other logs are not kept."""
        self.authorize(call, Action.ADMIN)
        asked = call.request.log_class_name
        if asked != _DECISIONS_ASKED:
            raise UnsupportedOperationError(f"no log of {asked!r} is kept")
        limit = parsed(pb.BalancerDecisionsRequest, call.request.log_message).limit
        newest_first = list(reversed(self.master.term.balancer.decisions))
        response = pb.BalancerDecisionsResponse()
        for one in newest_first[: limit or None]:
            response.balancer_decision.append(_decision_to_pb(one))
        return Reply(
            pb.LogEntry(log_class_name=_DECISIONS, log_message=response.SerializeToString())
        )

    # -- normalizer ------------------------------------------------------------------------

    async def normalize(self, call: Call) -> Reply:
        """Answers when it has begun; it goes on in the background."""
        self.authorize(call, Action.ADMIN)
        request, term = call.request, self.master.term
        names = [convert.table_name_from_pb(one) for one in request.table_names]
        tables = [one.descriptor.name for one in self.tables_asked(request, names)]
        if term.switches.normalizer:
            term.begin_normalizing(tables)
        return Reply(pb.NormalizeResponse(normalizer_ran=term.switches.normalizer))

    async def set_normalizer_running(self, call: Call) -> Reply:
        self.authorize(call, Action.ADMIN)
        was = await self.master.term.switches.set_normalizer(call.request.on)
        return Reply(pb.SetNormalizerRunningResponse(prev_normalizer_value=was))

    def is_normalizer_enabled(self, call: Call) -> Reply:
        self.authorize(call, Action.READ)
        enabled = self.master.term.switches.normalizer
        return Reply(pb.IsNormalizerEnabledResponse(enabled=enabled))


def _decision_to_pb(decision: Decision) -> pb.BalancerDecision:
    plan = decision.plan
    return pb.BalancerDecision(
        initial_function_costs=plan.functions_before,
        final_function_costs=plan.functions_after,
        init_total_cost=plan.cost_before,
        computed_total_cost=plan.cost_after,
        computed_steps=plan.steps,
        region_plans=[str(move) for move in plan.moves],
    )
