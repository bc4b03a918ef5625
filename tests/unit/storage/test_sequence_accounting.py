"""Log files go when every region's edits are in store files, and not before."""

from __future__ import annotations

from raybase.storage.sequence_accounting import SequenceAccounting


def test_a_file_is_archivable_when_all_its_regions_are_flushed() -> None:
    accounting = SequenceAccounting()
    accounting.roll("1")
    accounting.appended("a", 1)
    accounting.appended("b", 7)
    accounting.roll("2")
    accounting.appended("a", 2)
    accounting.roll("3")
    assert accounting.archivable() == []
    accounting.flushed("a", 1)
    assert accounting.archivable() == []
    accounting.flushed("b", 7)
    assert accounting.archivable() == ["1"]
    accounting.archived("1")
    assert accounting.files == ["2", "3"]
    accounting.closed("a")
    assert accounting.archivable() == ["2"]


def test_the_file_being_written_is_never_archivable() -> None:
    accounting = SequenceAccounting()
    accounting.roll("1")
    assert accounting.archivable() == []


def test_regions_that_pin_surplus_files_are_named_oldest_first_with_their_last_edit_there() -> None:
    accounting = SequenceAccounting()
    for number in range(1, 5):
        accounting.roll(str(number))
        accounting.appended(f"r{number}", number)
        accounting.appended("all", number)
    pinning = accounting.pinning(2)
    assert list(pinning.items()) == [("r1", 1), ("all", 2), ("r2", 2)]
    accounting.flushed("r1", 1)
    accounting.flushed("all", 1)
    assert accounting.pinning(2) == {"r2": 2, "all": 2}
    accounting.flushed("all", 2)
    assert accounting.pinning(2) == {"r2": 2}
    assert accounting.pinning(9) == {}


def test_the_file_being_written_pins_nothing_even_if_no_file_may_stay() -> None:
    accounting = SequenceAccounting()
    accounting.roll("1")
    accounting.appended("r", 1)
    assert accounting.pinning(0) == {}
