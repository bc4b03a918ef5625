"""By what name servers know the calls of this process."""

from __future__ import annotations

import getpass


def current_user() -> str:
    """The operating system's name for the user, or ``unknown``."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container's user need not have a name.
        return "unknown"
