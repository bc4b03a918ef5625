"""Addresses of servers as users write them."""

from __future__ import annotations

from ..errors import IllegalArgumentError
from .effects import Address

_PORT_MAX = 65535


def parse_addresses(text: str) -> list[Address]:
    """``host:port[,host:port]``; an IPv6 host stands in brackets.

    Raises IllegalArgumentError.
    """
    return [_parse(one.strip()) for one in text.split(",")]


def _parse(text: str) -> Address:
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isascii() or not port.isdigit():
        raise IllegalArgumentError(f"a server is written host:port, not {text!r}")
    if not 0 < int(port) <= _PORT_MAX:
        raise IllegalArgumentError(f"{port} is not a port")
    return host, int(port)
