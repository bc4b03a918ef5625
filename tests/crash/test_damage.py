"""Bytes flip, files end early, lengths lie: the right answer or an error, in little memory."""

import pytest

from raybase.testing.crash.damage import (
    MEMORY_BYTES_MAX,
    cut,
    flipped,
    memory_of,
    problems,
    specimens,
    zeroed,
)

SPECIMENS = specimens()


@pytest.mark.parametrize("kind", SPECIMENS)
def test_any_damage_gives_the_right_answer_or_an_error(kind: str) -> None:
    assert list(problems(SPECIMENS[kind])) == []


@pytest.mark.parametrize("kind", SPECIMENS)
def test_a_lying_length_takes_no_memory(kind: str) -> None:
    """Every stretch of the file says "very many"."""
    specimen = SPECIMENS[kind]
    step = max(len(specimen.data) // 200, 1)
    for offset in range(0, len(specimen.data) - 8, step):
        damaged = bytearray(specimen.data)
        damaged[offset : offset + 4] = b"\x7f\xff\xff\xf0"
        assert memory_of(specimen.read, bytes(damaged)) < MEMORY_BYTES_MAX, f"at {offset}"


def test_every_kind_of_damage_is_done() -> None:
    for specimen in SPECIMENS.values():
        assert len(list(cut(specimen))) == len(specimen.data)
        assert len(list(flipped(specimen))) == len(specimen.data)
        assert len(list(zeroed(specimen))) > 5
