"""The client's page shows what works."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import raybase

PAGE = Path(__file__).parents[3] / "docs" / "client.md"


def test_every_example_of_the_page_runs(served: Any, capsys: Any) -> None:
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Any] = {"address": served.address}
    try:
        for example in examples:
            exec(compile(example, str(PAGE), "exec"), names)
    finally:
        if "connection" in names:
            names["connection"].close()
    assert names["pages"].row_count == 999
    assert "somebody else" not in capsys.readouterr().out


def test_every_public_name_can_be_had_and_says_what_it_is() -> None:
    for name in raybase.__all__:
        value = getattr(raybase, name)
        assert isinstance(value, int) or value.__doc__, name
    assert set(raybase.__all__) <= set(dir(raybase))
