"""What all tests share: unit tests and simulations never start Ray."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

# A change is judged by the same examples every time; make long looks for new ones.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("random", derandomize=False, deadline=None)
settings.load_profile("repeatable")

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks tests by their folder."""
    for item in items:
        folder = item.path.relative_to(HERE).parts[0]
        if folder in ("cluster", "simulation", "chaos"):
            item.add_marker(getattr(pytest.mark, folder))


def pytest_collection_finish() -> None:
    """Leaves modules and thousands of collected tests to no further collection of garbage, each
    of which took half a second of looking at them: a fifth of all unit tests' time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _no_ray_in_unit_tests(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.path.relative_to(HERE).parts[0] in ("unit", "simulation"):

        def refuse(*_args: object, **_kwargs: object) -> None:
            raise AssertionError("a unit test or a simulation must not start Ray")

        import ray

        monkeypatch.setattr(ray, "init", refuse)
