"""The shell's commands about namespaces. Source: create_namespace.rb and its like."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from ..errors import IllegalArgumentError
from .shell_options import argument, string
from .shell_parser import Line

if TYPE_CHECKING:
    from .shell_commands import Commands

Run = Callable[["Commands", Line], None]


def create(commands: Commands, line: Line) -> None:
    name = string(argument(line, 0, "a namespace"))
    configuration: dict[str, str] = {}
    for one in line.maps:
        configuration |= _texts(one)
    commands.connection.admin.create_namespace(name, configuration)
    commands.say(f"created namespace {name}")


def alter(commands: Commands, line: Line) -> None:
    """METHOD => 'set' sets what else is named; 'unset' forgets what NAME names."""
    name = string(argument(line, 0, "a namespace"))
    if not line.maps:
        raise IllegalArgumentError(
            "alter_namespace needs what to do: {METHOD => 'set', 'KEY' => 'value'}, or "
            "{METHOD => 'unset', NAME => 'KEY'}"
        )
    admin = commands.connection.admin
    configuration = dict(admin.describe_namespace(name).configuration)
    for one in line.maps:
        texts = _texts(one)
        method = texts.pop("METHOD", "set")
        if method == "unset":
            configuration.pop(texts.get("NAME", ""), None)
        elif method == "set":
            configuration |= texts
        else:
            raise IllegalArgumentError(f"METHOD is 'set' or 'unset', not {method!r}")
    admin.alter_namespace(name, configuration)
    commands.say(f"altered namespace {name}")


def describe(commands: Commands, line: Line) -> None:
    name = string(argument(line, 0, "a namespace"))
    found = commands.connection.admin.describe_namespace(name)
    settings = "".join(f", {key} => '{text}'" for key, text in found.configuration.items())
    commands.say(f"{{NAME => '{found.name}'{settings}}}")


def drop(commands: Commands, line: Line) -> None:
    name = string(argument(line, 0, "a namespace"))
    commands.connection.admin.delete_namespace(name)
    commands.say(f"dropped namespace {name}")


def list_all(commands: Commands, line: Line) -> None:
    """Those that fit a pattern, if one is given."""
    text = string(line.values[0]) if line.values else ".*"
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise IllegalArgumentError(f"not a pattern: {text!r}: {error}") from None
    commands.say("NAMESPACE")
    for one in commands.connection.admin.namespaces():
        if pattern.fullmatch(one.name):
            commands.say(one.name)


def list_tables(commands: Commands, line: Line) -> None:
    commands.say("TABLE")
    for one in commands.connection.admin.tables(namespace=string(argument(line, 0, "a namespace"))):
        commands.say(str(one))


COMMANDS: Final[dict[str, tuple[str, str, Run]]] = {
    "create_namespace": (
        "create_namespace 'ns'[, {'KEY' => 'value'}]",
        "Make a namespace, for tables called 'ns:t'.",
        create,
    ),
    "alter_namespace": (
        "alter_namespace 'ns', {METHOD => 'set', 'KEY' => 'value'}",
        "Set what is named; METHOD => 'unset', NAME => 'KEY' forgets it.",
        alter,
    ),
    "describe_namespace": ("describe_namespace 'ns'", "Show what is set for it.", describe),
    "drop_namespace": ("drop_namespace 'ns'", "Remove a namespace without tables.", drop),
    "list_namespace": ("list_namespace ['pattern']", "List the namespaces.", list_all),
    "list_namespace_tables": (
        "list_namespace_tables 'ns'",
        "List a namespace's tables.",
        list_tables,
    ),
}
"""Usage, summary, and what runs it."""


def _texts(options: dict[str, Any]) -> dict[str, str]:
    return {key: string(one) for key, one in options.items()}
