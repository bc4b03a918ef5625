"""Whether regions of a table could be opened: asked before it is created or altered.

Source: TableDescriptorChecker.java.
"""

from __future__ import annotations

from ..config import StoreConfig
from ..model import TableDescriptor
from .compaction_policy import compaction_policy
from .flush_policy import flush_policy
from .settings import family_config, table_config, texts_of
from .split_policy import split_policy


def check_table(table: TableDescriptor) -> None:
    """Raises IllegalArgumentError for a policy that does not exist, or a value that does not
    fit its key."""
    config = table_config(StoreConfig(), table)
    split_policy(config, texts_of(table))
    flush_policy(config)
    for family in table.families:
        compaction_policy(family_config(config, family), family)
