"""The shell's commands about balancing and normalizing. Names and arguments are HBase's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import IllegalArgumentError
from .shell_command import Command, Terminal
from .shell_options import flat, string
from .shell_parser import Line

if TYPE_CHECKING:
    from .balancing import BalancerDecision

_BALANCE_OPTIONS: Final = ("dry_run", "ignore_rit")


def balance(terminal: Terminal, line: Line) -> None:
    options = [string(one).lower() for one in flat(line.values)]
    if unknown := [one for one in options if one not in _BALANCE_OPTIONS]:
        raise IllegalArgumentError(f"balance knows 'dry_run' and 'ignore_rit', not {unknown[0]!r}")
    result = terminal.connection.admin.balance(
        dry_run="dry_run" in options, ignore_transitions="ignore_rit" in options
    )
    if not result:
        terminal.say("the balancer did not run: it is off, or regions are in transition")
        return
    if result.decision is not None:
        _say_decision(terminal, result.decision)
    terminal.say(
        f"the balancer ran: {result.moves_calculated} moves calculated, "
        f"{result.moves_executed} made"
    )


def decisions(terminal: Terminal, line: Line) -> None:
    found = terminal.connection.admin.balancer_decisions()
    for one in found:
        _say_decision(terminal, one)
    if not found:
        terminal.say("the balancer has moved nothing since this master leads")


def balance_switch(terminal: Terminal, line: Line) -> None:
    was = terminal.connection.admin.set_balancer(_switch(line))
    terminal.say(f"the balancer was {_on(was)}")


def balancer_enabled(terminal: Terminal, line: Line) -> None:
    terminal.say(f"the balancer is {_on(terminal.connection.admin.is_balancer_on())}")


def normalize(terminal: Terminal, line: Line) -> None:
    began = terminal.connection.admin.normalize(*flat(line.values))
    terminal.say("the normalizer has begun" if began else "the normalizer is off")


def normalizer_switch(terminal: Terminal, line: Line) -> None:
    was = terminal.connection.admin.set_normalizer(_switch(line))
    terminal.say(f"the normalizer was {_on(was)}")


def normalizer_enabled(terminal: Terminal, line: Line) -> None:
    terminal.say(f"the normalizer is {_on(terminal.connection.admin.is_normalizer_on())}")


def _say_decision(terminal: Terminal, decision: BalancerDecision) -> None:
    for one in decision.moves:
        terminal.say(one)
    terminal.say(f"cost {decision.cost_before:.4f}: {decision.functions_before}")
    terminal.say(f"then {decision.cost_after:.4f}: {decision.functions_after}")


def _switch(line: Line) -> bool:
    if line.values not in ([True], [False]):
        raise IllegalArgumentError("a switch takes true or false")
    return bool(line.values[0])


def _on(switch: bool) -> str:
    return "on" if switch else "off"


COMMANDS: Final[dict[str, Command]] = {
    "balance": Command(
        "balance ['dry_run'][, 'ignore_rit']",
        "Move regions so that the cluster costs less, and say why.",
        balance,
    ),
    "balance_switch": Command("balance_switch true|false", "Switch the balancer.", balance_switch),
    "balancer_enabled": Command("balancer_enabled", "Say whether it is on.", balancer_enabled),
    "get_balancer_decisions": Command(
        "get_balancer_decisions",
        "Show what the balancer moved lately, and why.",
        decisions,
    ),
    "normalize": Command(
        "normalize ['t', ...]",
        "Split and merge regions of tables with NORMALIZATION_ENABLED.",
        normalize,
    ),
    "normalizer_switch": Command(
        "normalizer_switch true|false",
        "Switch the normalizer.",
        normalizer_switch,
    ),
    "normalizer_enabled": Command(
        "normalizer_enabled", "Say whether it is on.", normalizer_enabled
    ),
}
