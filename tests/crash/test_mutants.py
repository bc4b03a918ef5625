"""The hunt for mutants itself; the hunt is ``make mutants``, of which CI does a part each time."""

import pytest

from raybase.testing.mutants import MUTANTS, Mutant, Patch
from raybase.testing.mutants.checks import CHECKS
from raybase.testing.mutants.report import share, verdict_of

pytestmark = pytest.mark.simulation


def test_every_mutant_names_a_check_and_a_place_that_exist() -> None:
    for mutant in MUTANTS.values():
        assert mutant.found_by in CHECKS
        with mutant.applied():
            pass


def test_every_mutant_has_its_turn() -> None:
    turns = [mutant.name for turn in range(5) for mutant in share(turn, 5)]
    assert sorted(turns) == sorted(MUTANTS)


def test_a_bug_is_gone_after_the_block() -> None:
    class Product:
        def answer(self) -> int:
            return 42

    mutant = Mutant("m", "", "", (Patch(Product, "answer", lambda original: lambda self: 41),))
    with mutant.applied():
        assert Product().answer() == 41
    assert Product().answer() == 42


def test_what_breaks_off_counts_as_found() -> None:
    def broken() -> str:
        raise ZeroDivisionError

    assert "ZeroDivisionError" in verdict_of(broken).problem
    assert verdict_of(lambda: "").problem == ""
