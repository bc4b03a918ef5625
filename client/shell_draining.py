"""The shell's commands that drain servers. Source: decommission_regionservers.rb and its like."""

from __future__ import annotations

from typing import Final

from ..errors import IllegalArgumentError
from .shell_command import Command, Terminal
from .shell_options import argument, flat, string, target_of
from .shell_parser import Line


def decommission(terminal: Terminal, line: Line) -> None:
    """As in HBase, regions are moved off only when the last value is true."""
    values = list(line.values)
    offload = isinstance(values[-1], bool) and values.pop() if values else False
    servers = [string(one) for one in flat(values)]
    if not servers:
        raise IllegalArgumentError("name a server; see `help decommission_regionservers`")
    terminal.connection.admin.decommission(*servers, offload=offload)
    state = "has no regions" if offload else "is given no new regions"
    for one in servers:
        terminal.say(f"{one} {state}")


def list_decommissioned(terminal: Terminal, line: Line) -> None:
    terminal.say("DECOMMISSIONED REGION SERVERS")
    for one in terminal.connection.admin.decommissioned():
        terminal.say(str(one))


def recommission(terminal: Terminal, line: Line) -> None:
    server = string(argument(line, 0, "a server"))
    regions = [target_of(one) for one in flat(line.values[1:])]
    terminal.connection.admin.recommission(server, regions)
    terminal.say(f"{server} may be given regions again")


COMMANDS: Final[dict[str, Command]] = {
    "decommission_regionservers": Command(
        "decommission_regionservers 'host,port'|['host,port', ...][, true]",
        "Place no region at servers any more; with true also move theirs off.",
        decommission,
    ),
    "list_decommissioned_regionservers": Command(
        "list_decommissioned_regionservers",
        "List the servers that are being drained.",
        list_decommissioned,
    ),
    "recommission_regionserver": Command(
        "recommission_regionserver 'host,port'[, ['encoded region name', ...]]",
        "Take a drained server back, and move regions there.",
        recommission,
    ),
}
