"""The shell's commands that drain servers. Source: decommission_regionservers.rb and its like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import IllegalArgumentError
from .shell_options import argument, flat, string, target_of
from .shell_parser import Line

if TYPE_CHECKING:
    from .shell_commands import Commands


def decommission(commands: Commands, line: Line) -> None:
    """As in HBase, regions are moved off only when the last value is true."""
    values = list(line.values)
    offload = isinstance(values[-1], bool) and values.pop() if values else False
    servers = [string(one) for one in flat(values)]
    if not servers:
        raise IllegalArgumentError("name a server; see `help decommission_regionservers`")
    commands.connection.admin.decommission(*servers, offload=offload)
    state = "has no regions" if offload else "is given no new regions"
    for one in servers:
        commands.say(f"{one} {state}")


def list_decommissioned(commands: Commands, line: Line) -> None:
    commands.say("DECOMMISSIONED REGION SERVERS")
    for one in commands.connection.admin.decommissioned():
        commands.say(str(one))


def recommission(commands: Commands, line: Line) -> None:
    server = string(argument(line, 0, "a server"))
    regions = [target_of(one) for one in flat(line.values[1:])]
    commands.connection.admin.recommission(server, regions)
    commands.say(f"{server} may be given regions again")
