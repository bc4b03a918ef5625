"""Tries, pauses and the error that ends them."""

from __future__ import annotations

import pytest

from raybase.client.effects import Sleep
from raybase.client.retry import Attempts, is_retryable, pause_s
from raybase.config import ClientConfig
from raybase.errors import (
    BadFrameError,
    ClusterError,
    CorruptionError,
    FencedError,
    NoSuchFamilyError,
    NotServingRegionError,
    RaybaseError,
    RegionMovedError,
    RegionSplitError,
    RetriesExhaustedError,
    ScannerResetError,
    TableNotFoundError,
    WrongRegionError,
)


class FakeClock:
    def __init__(self) -> None:
        self.time_s = 100.0

    def monotonic_s(self) -> float:
        return self.time_s


class LowEntropy:
    """Always the low end."""

    def uniform(self, low: float, high: float) -> float:
        return low

    def integer(self, bits: int) -> int:
        return 1


class HighEntropy(LowEntropy):
    def uniform(self, low: float, high: float) -> float:
        return high


def attempts(config: ClientConfig | None = None, clock: FakeClock | None = None) -> Attempts:
    return Attempts(
        lambda: "a get of row b'x'", config or ClientConfig(), clock or FakeClock(), LowEntropy()
    )


def test_pauses_follow_hbases_table() -> None:
    pauses = [pause_s(0.1, tries, LowEntropy()) for tries in range(1, 16)]
    factors = [1, 2, 3, 5, 10, 20, 40, 100, 100, 100, 100, 200, 200, 200, 200]
    assert pauses == pytest.approx([0.1 * one for one in factors])


def test_jitter_adds_at_most_one_percent() -> None:
    assert pause_s(0.1, 4, HighEntropy()) == pytest.approx(0.505)


def test_sixteen_tries_are_made_and_the_last_errors_are_told() -> None:
    tries = attempts(ClientConfig(operation_timeout_s=1e6))
    for _ in range(15):
        assert isinstance(tries.failed(NotServingRegionError("not here"), ("h", 1)), Sleep)
    with pytest.raises(RetriesExhaustedError) as caught:
        tries.failed(NotServingRegionError("still not"), ("h", 2))
    text = str(caught.value)
    assert "a get of row b'x' after 16 tries" in text
    assert "at h:2: NotServingRegionError: still not" in text
    assert "not here" in text
    assert isinstance(caught.value.__cause__, NotServingRegionError)


def test_no_pause_goes_past_the_operations_time() -> None:
    clock = FakeClock()
    tries = attempts(ClientConfig(operation_timeout_s=1.0), clock)
    tries.failed(NotServingRegionError("x"))
    clock.time_s += 0.9
    with pytest.raises(RetriesExhaustedError, match="its 1 s would pass"):
        tries.failed(NotServingRegionError("x"))


def test_a_call_gets_no_more_time_than_its_operation_has_left() -> None:
    clock = FakeClock()
    tries = attempts(ClientConfig(operation_timeout_s=70.0, call_timeout_s=60.0), clock)
    assert tries.call_timeout_s() == 60.0
    tries.failed(NotServingRegionError("x"))
    clock.time_s += 50.0
    assert tries.call_timeout_s() == pytest.approx(20.0)


@pytest.mark.parametrize("error", [RegionMovedError("h", 1, 1, 1), RegionSplitError(b"m", 2)])
def test_the_first_word_of_a_move_or_split_is_followed_without_a_pause(error: RaybaseError) -> None:
    tries = attempts()
    assert tries.failed(error).delay_s == 0.0
    assert tries.failed(error).delay_s > 0.0


@pytest.mark.parametrize(
    "error",
    [
        NoSuchFamilyError("f"),
        TableNotFoundError("t"),
        BadFrameError("x"),
        CorruptionError("p", 1, "r"),
        ClusterError("x"),
    ],
)
def test_what_cannot_get_better_is_raised_at_once(error: RaybaseError) -> None:
    with pytest.raises(type(error)):
        attempts().failed(error)


@pytest.mark.parametrize(
    "error", [FencedError("x"), WrongRegionError("x"), ScannerResetError("x"), RaybaseError("x")]
)
def test_what_may_get_better_is_tried_again(error: RaybaseError) -> None:
    assert is_retryable(error)


def test_progress_gives_all_tries_and_all_time_back() -> None:
    clock = FakeClock()
    tries = attempts(ClientConfig(operation_timeout_s=10.0), clock)
    tries.failed(NotServingRegionError("x"))
    clock.time_s += 9.0
    tries.progressed()
    assert tries.tries == 0
    assert tries.remaining_s() == 10.0
