"""The second tier: what comes back is what went in, and memory is what was asked for."""

from __future__ import annotations

import random

from raybase.storage.block_arena import BUCKET_BYTES, SLOT_BYTES, BlockArena


def block(number: int, length: int) -> bytes:
    return (number.to_bytes(4, "big") * (length // 4 + 1))[:length]


def test_a_block_comes_back_as_it_went_in() -> None:
    arena = BlockArena(20 * BUCKET_BYTES)
    lengths = [0, 1, *(size + more for size in SLOT_BYTES[:6] for more in (-1, 0, 1))]
    for number, length in enumerate(lengths):
        arena.put(("f", number), block(number, length))
    for number, length in enumerate(lengths):
        assert arena.get(("f", number)) == block(number, length)
    assert arena.get(("g", 0)) is None
    assert (arena.stats.hits, arena.stats.misses) == (len(lengths), 1)
    assert arena.stored_bytes == sum(lengths)


def test_a_block_larger_than_every_slot_is_not_kept() -> None:
    arena = BlockArena(BUCKET_BYTES)
    arena.put(("f", 0), bytes(SLOT_BYTES[-1] + 1))
    assert arena.get(("f", 0)) is None
    assert len(arena) == 0


def test_a_block_that_is_there_is_not_written_again() -> None:
    arena = BlockArena(BUCKET_BYTES)
    arena.put(("f", 0), b"one")
    arena.put(("f", 0), b"one")
    assert (len(arena), arena.stored_bytes) == (1, 3)


def test_the_least_recently_used_gives_way() -> None:
    arena = BlockArena(BUCKET_BYTES)
    for number in range(4):
        arena.put(("f", number), bytes(SLOT_BYTES[-1]))
    arena.get(("f", 0))
    arena.touch(("f", 1))
    arena.touch(("gone", 1))
    arena.put(("f", 4), bytes(SLOT_BYTES[-1]))
    arena.put(("f", 5), bytes(SLOT_BYTES[-1]))
    assert [arena.get(("f", number)) is not None for number in range(6)] == [
        True,
        True,
        False,
        False,
        True,
        True,
    ]
    assert arena.stats.evictions == 2


def test_memory_changes_over_to_the_sizes_that_come() -> None:
    arena = BlockArena(8 * BUCKET_BYTES)
    for number in range(8 * BUCKET_BYTES // SLOT_BYTES[0]):
        arena.put(("small", number), bytes(SLOT_BYTES[0]))
    full = arena.stored_bytes
    assert full > 0.99 * arena.capacity_bytes
    for number in range(32):
        arena.put(("large", number), bytes(SLOT_BYTES[-1]))
    assert all(arena.get(("large", number)) is not None for number in range(32))
    assert arena.get(("small", 0)) is None
    assert arena.stored_bytes == arena.capacity_bytes
    arena.put(("small", 0), b"again")
    assert arena.get(("small", 0)) == b"again"
    assert arena.get(("large", 31)) is not None


def test_any_mixture_of_sizes_is_answered_rightly_or_not_at_all() -> None:
    chance = random.Random(7)
    arena = BlockArena(14 * BUCKET_BYTES)
    sizes = (SLOT_BYTES[0], SLOT_BYTES[2], SLOT_BYTES[7], SLOT_BYTES[-1])
    lengths = [chance.choice(sizes) - chance.randrange(2_000) for _ in range(400)]
    answered = 0
    for _ in range(4_000):
        number = chance.randrange(400)
        found = arena.get(("f", number))
        if found is None:
            arena.put(("f", number), block(number, lengths[number]))
            continue
        answered += 1
        assert found == block(number, lengths[number])
        assert arena.stored_bytes <= arena.capacity_bytes
    assert answered > 100
    assert arena.stored_bytes > 0.7 * arena.capacity_bytes
    assert arena.stats.evictions > 1_000
