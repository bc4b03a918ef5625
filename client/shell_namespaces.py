"""The shell's commands about namespaces. Source: create_namespace.rb and its like."""

from __future__ import annotations

import re
from typing import Any, Final

from ..errors import IllegalArgumentError
from .shell_command import Command, Terminal
from .shell_options import argument, string
from .shell_parser import Line


def create(terminal: Terminal, line: Line) -> None:
    name = string(argument(line, 0, "a namespace"))
    configuration: dict[str, str] = {}
    for one in line.maps:
        configuration |= _texts(one)
    terminal.connection.admin.create_namespace(name, configuration)
    terminal.say(f"created namespace {name}")


def alter(terminal: Terminal, line: Line) -> None:
    """METHOD => 'set' sets what else is named; 'unset' forgets what NAME names."""
    name = string(argument(line, 0, "a namespace"))
    if not line.maps:
        raise IllegalArgumentError(
            "alter_namespace needs what to do: {METHOD => 'set', 'KEY' => 'value'}, or "
            "{METHOD => 'unset', NAME => 'KEY'}"
        )
    admin = terminal.connection.admin
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
    terminal.say(f"altered namespace {name}")


def describe(terminal: Terminal, line: Line) -> None:
    name = string(argument(line, 0, "a namespace"))
    found = terminal.connection.admin.describe_namespace(name)
    settings = "".join(f", {key} => '{text}'" for key, text in found.configuration.items())
    terminal.say(f"{{NAME => '{found.name}'{settings}}}")


def drop(terminal: Terminal, line: Line) -> None:
    name = string(argument(line, 0, "a namespace"))
    terminal.connection.admin.delete_namespace(name)
    terminal.say(f"dropped namespace {name}")


def list_all(terminal: Terminal, line: Line) -> None:
    """Those that fit a pattern, if one is given."""
    text = string(line.values[0]) if line.values else ".*"
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise IllegalArgumentError(f"not a pattern: {text!r}: {error}") from None
    terminal.say("NAMESPACE")
    for one in terminal.connection.admin.namespaces():
        if pattern.fullmatch(one.name):
            terminal.say(one.name)


def list_tables(terminal: Terminal, line: Line) -> None:
    terminal.say("TABLE")
    for one in terminal.connection.admin.tables(namespace=string(argument(line, 0, "a namespace"))):
        terminal.say(str(one))


COMMANDS: Final[dict[str, Command]] = {
    "create_namespace": Command(
        "create_namespace 'ns'[, {'KEY' => 'value'}]",
        "Make a namespace, for tables called 'ns:t'.",
        create,
    ),
    "alter_namespace": Command(
        "alter_namespace 'ns', {METHOD => 'set', 'KEY' => 'value'}",
        "Set what is named; METHOD => 'unset', NAME => 'KEY' forgets it.",
        alter,
    ),
    "describe_namespace": Command("describe_namespace 'ns'", "Show what is set for it.", describe),
    "drop_namespace": Command("drop_namespace 'ns'", "Remove a namespace without tables.", drop),
    "list_namespace": Command("list_namespace ['pattern']", "List the namespaces.", list_all),
    "list_namespace_tables": Command(
        "list_namespace_tables 'ns'",
        "List a namespace's tables.",
        list_tables,
    ),
}


def _texts(options: dict[str, Any]) -> dict[str, str]:
    return {key: string(one) for key, one in options.items()}
