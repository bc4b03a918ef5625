"""`raybase shell`: HBase's notation, tables as answers, one sentence for an error."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from raybase.client.shell import run_shell
from raybase.client.shell_commands import COMMANDS
from raybase.client.shell_options import scan_options
from raybase.client.shell_parser import parse
from raybase.client.table import Table
from raybase.errors import IllegalArgumentError
from raybase.operations import Delete

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(served: Any) -> Run:
    def run(*commands: str) -> tuple[int, str]:
        printed = io.StringIO()
        console = Console(file=printed, width=120)
        return run_shell(served.address, commands, console), printed.getvalue()

    return run


def test_a_line_is_a_command_and_its_values() -> None:
    line = parse("put 't', 'r\\x00', \"f:q\", 'it\\'s'")
    assert line is not None
    assert line.command == "put"
    assert line.values == [b"t", b"r\0", b"f:q", b"it's"]


def test_quotes_and_commas_may_be_left_out() -> None:
    line = parse("put t row-1 f:q a=b;")
    assert line is not None
    assert line.values == [b"t", b"row-1", b"f:q", b"a=b"]


def test_options_are_pairs_in_braces_or_without() -> None:
    line = parse("create 't', {NAME => 'f', VERSIONS => 3}, 'g', SPLITS => ['a', 'b']")
    assert line is not None
    assert line.values == [b"t", b"g"]
    assert line.maps == [{"NAME": b"f", "VERSIONS": b"3"}]
    assert line.options["SPLITS"] == [b"a", b"b"]
    scan = parse("scan 't', {REVERSED => true, LIMIT=>2}")
    assert scan is not None
    assert scan.options == {"REVERSED": True, "LIMIT": b"2"}


def test_empty_lines_and_comments_are_nothing() -> None:
    assert parse("   ") is None
    assert parse("# put 't'") is None


@pytest.mark.parametrize(
    "line", ["put 'open", "scan 't', {LIMIT", "create t, {a}", "'x'", "get t =>"]
)
def test_what_cannot_be_read_is_an_error(line: str) -> None:
    with pytest.raises(IllegalArgumentError):
        parse(line)


def test_rows_are_put_read_counted_and_deleted(run: Run) -> None:
    code, printed = run(
        "create 't', {NAME => 'f', VERSIONS => 3}, SPLITS => ['m']",
        "put 't', 'a', 'f:q', 'value one'",
        "put t z f:q two",
        "get 't', 'a'",
        "scan 't', {STARTROW => 'b'}",
        "count 't'",
        "incr t a f:n 5",
        "append t a f:q !",
        "delete 't', 'a', 'f:n'",
        "deleteall t z",
        "count t",
    )
    assert code == 0
    for expected in ("value one", "f:q", "2 rows", "counter is 5", "value one!", "1 row"):
        assert expected in printed


def test_delete_takes_one_version(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Delete] = []
    monkeypatch.setattr(Table, "delete", lambda _, delete: sent.append(delete))
    assert run("create t f", "delete t a f:q", "delete t a f:q 7")[0] == 0
    newest, seventh = Delete(b"a"), Delete(b"a")
    newest.version(b"f", b"q")
    seventh.version(b"f", b"q", 7)
    assert [one.cells for one in sent] == [newest.cells, seventh.cells]


def test_reads_take_filters_and_what_else_is_wanted_of_a_row(run: Run) -> None:
    line = parse("scan 't', {FILTER => \"PrefixFilter('a')\", BATCH => 2, RAW => true}")
    assert line is not None
    options = {"filter": b"PrefixFilter('a')", "batch": 2, "raw": True}
    assert scan_options(line) == options
    code, printed = run("create t f", *("put t a f:q v", "scan t, {RAW => true}", "show_filters"))
    assert code == 0
    assert "SingleColumnValueExcludeFilter" in printed
    assert run("scan 't', {FILTER => 'NoFilter()'}")[0] == 1


def test_tables_are_listed_described_altered_and_dropped(run: Run) -> None:
    code, printed = run(
        "create t f",
        "alter t, {NAME => 'f', VERSIONS => 7}, {NAME => 'g', TTL => 60}",
        "describe t",
        "list",
        "exists t",
        "disable t",
        "enable t",
        "disable t",
        "drop t",
        "exists t",
    )
    assert code == 0
    for expected in ("7", "60", "enabled", "table t exists", "table t does not exist"):
        assert expected in printed


def test_every_option_of_a_family_is_set_shown_and_changed(run: Run) -> None:
    code, printed = run(
        "create t, {NAME => f, KEEP_DELETED_CELLS => true, NEW_VERSION_BEHAVIOR => 'true', "
        "IN_MEMORY => true, BLOCKCACHE => false, COMPRESSION => gz, "
        "BLOOMFILTER => ROWPREFIX_FIXED_LENGTH, DATA_BLOCK_ENCODING => 'FAST_DIFF', "
        "CONFIGURATION => {'RowPrefixBloomFilter.prefix_length' => '4', "
        "'raybase.file.format' => 'hbase', 'hbase.hstore.compaction.min' => '4'}}, "
        "CONFIGURATION => {'hbase.hregion.majorcompaction' => '0'}",
        "describe t",
        "alter t, {NAME => f, KEEP_DELETED_CELLS => TTL, CONFIGURATION => {'a.b' => 'c', "
        "'hbase.hstore.compaction.min' => ''}}",
        "describe t",
    )
    assert code == 0
    first, second = printed.split("altered table t")
    for expected in (
        "KEEP_DELETED_CELLS TRUE",
        "NEW_VERSION_BEHAVIOR true",
        "IN_MEMORY true",
        "BLOCKCACHE false",
        "COMPRESSION GZ",
        "BLOOMFILTER ROWPREFIX_FIXED_LENGTH",
        "DATA_BLOCK_ENCODING FAST_DIFF",
        "RowPrefixBloomFilter.prefix_length 4",
        "raybase.file.format hbase",
        "hbase.hstore.compaction.min 4",
        "hbase.hregion.majorcompaction 0",
    ):
        assert expected in " ".join(first.replace("│", " ").split())
    assert "KEEP_DELETED_CELLS TTL" in second
    assert "a.b c" in second
    assert "compaction.min" not in second


def test_regions_are_split_moved_flushed_and_compacted(cluster: Any, run: Run) -> None:
    code, printed = run("create t f", "split t m", "flush t", "compact t", "major_compact t")
    assert code == 0
    encoded = cluster.places[0].info.encoded_name
    code, printed = run(f"move {encoded}", "regions t", "balance", "status")
    assert code == 0
    assert encoded in printed
    assert "2 servers with 2 regions" in printed


def test_what_is_under_way_is_shown_with_its_reason(cluster: Any, run: Run) -> None:
    assert run("create t f")[0] == 0
    code, printed = run("rit")
    assert "0 regions in transition" in printed
    cluster.transitions[cluster.places[0].info] = "waits for a server"
    for command in ("rit", "status"):
        code, printed = run(command)
        assert code == 0
        assert "OPENING" in printed
        assert " 5 " in printed
        assert "waits for a server" in " ".join(printed.split())
    code, printed = run("list_procedures", "list_locks")
    assert code == 0
    for words in ("move web", "hand_over", "cannot be split", "2 procedures", "2 locks", "shared"):
        assert words in printed, printed


def test_procedures_are_aborted_as_in_hbases_shell(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("abort_procedure 7") == (0, "true\n")
    assert run("abort_procedure 7, false") == (0, "false\n")
    assert run("abort_procedure 8, false") == (0, "true\n")
    assert run("abort_procedure 9") == (0, "false\n")
    assert run("abort_procedure move")[0] == 1
    assert "is a number, not 'move'" in capsys.readouterr().err


def test_the_balancer_says_what_it_moved_and_why(run: Run) -> None:
    code, printed = run("balance", "get_balancer_decisions")
    assert code == 0
    assert printed.count("region count skew falls from 0.5 to 0.2") == 3
    assert "1 moves calculated, 1 made" in printed
    assert "cost 0.5000: moves 0.0 (weight 7)" in printed
    code, printed = run("balance_switch false", "balancer_enabled", "balance", "balance dry_run")
    assert code == 0
    assert "the balancer was on\nthe balancer is off\nthe balancer did not run" in printed
    assert "1 moves calculated, 0 made" in printed
    assert run("balance_switch perhaps")[0] == 1
    assert run("balance now")[0] == 1


def test_the_normalizer_is_switched_and_run(cluster: Any, run: Run) -> None:
    code, printed = run(
        "normalize t u", "normalizer_switch false", "normalizer_enabled", "normalize"
    )
    assert code == 0
    assert "the normalizer has begun\nthe normalizer was on\nthe normalizer is off" in printed
    assert printed.endswith("the normalizer is off\n")
    assert cluster.normalized == []
    assert run("normalizer_switch")[0] == 1


def test_servers_are_drained_as_in_hbases_shell(cluster: Any, run: Run) -> None:
    assert run("create t f")[0] == 0
    victim = cluster.places[0].server
    name = f"{victim.host},{victim.port}"
    assert run(f"decommission_regionservers '{name}'")[0] == 0
    assert cluster.places[0].server == victim, "by default regions stay"
    cluster.draining.clear()
    code, printed = run(
        f"decommission_regionservers ['{victim}'], true", "list_decommissioned_regionservers"
    )
    assert code == 0
    assert cluster.places[0].server != victim
    assert f"DECOMMISSIONED REGION SERVERS\n{victim}" in printed
    encoded = cluster.places[0].info.encoded_name
    code, printed = run(
        f"recommission_regionserver '{victim}', ['{encoded}']", "list_decommissioned_regionservers"
    )
    assert code == 0
    assert cluster.places[0].server == victim
    assert printed.count(str(victim)) == 1
    assert run("decommission_regionservers")[0] == 1
    assert run("decommission_regionservers nowhere:1")[0] == 1


def test_a_table_is_emptied_with_and_without_its_splits(run: Run, cluster: Any) -> None:
    assert run("create t f, SPLITS => ['m']", "put t r f:q v", "truncate_preserve t")[0] == 0
    assert cluster.truncated == [("t", True)]
    assert run("disable t", "truncate t")[0] == 0
    assert cluster.truncated == [("t", True), ("t", False)]


def test_namespaces_hold_tables(run: Run) -> None:
    code, printed = run(
        "create_namespace 'a', {'k' => 'v', 'x' => 'y'}",
        "alter_namespace 'a', {METHOD => 'set', 'k' => 'w'}, {METHOD => 'unset', NAME => 'x'}",
        "describe_namespace 'a'",
        "create a:t, f",
        "list_namespace_tables 'a'",
        "list_namespace 'a.*'",
    )
    assert code == 0
    assert "{NAME => 'a', k => 'w'}" in printed
    assert "TABLE\na:t" in printed
    assert "NAMESPACE\na\n" in printed
    assert run("drop_namespace 'a'")[0] == 1, "it has a table"
    assert run("disable a:t", "drop a:t", "drop_namespace 'a'")[0] == 0
    code, printed = run("list_namespace")
    assert "NAMESPACE\ndefault\nhbase\n" in printed
    assert run("alter_namespace 'default'")[0] == 1
    assert run("alter_namespace 'default', {METHOD => 'x'}")[0] == 1
    assert run("list_namespace '('")[0] == 1


def test_cells_that_look_like_markup_are_printed_as_they_are(run: Run) -> None:
    code, printed = run("create t f", "put t r f:q '[red]x[/red]'", "get t r")
    assert code == 0
    assert "[red]x[/red]" in printed


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("get nope r", "there is no table nope"),
        ("frobnicate", "there is no command 'frobnicate'"),
        ("put t r", "put needs a column"),
        ("put t r f v", "written 'family:qualifier'"),
        ("create t", "create needs a column family"),
        ("create t, {NAME => f, IN_MEMORY => 1}", "IN_MEMORY is true or false"),
        ("create t, {NAME => f, BLOOMFILTER => ROWS}", "bloom is one of NONE, ROW"),
        ("create t, {NAME => f, CONFIGURATION => 1}", "CONFIGURATION takes pairs"),
        ("create t, {NAME => f, NOPE => 1}", "NOPE is not an option of a family"),
        ("create t, f, NUMREGIONS => 5", "NUMREGIONS is not an option of a table"),
        ("create t, f, SPLITS => 5", "SPLITS takes a list"),
        ("scan t, {NOPE => 1}", "NOPE is not an option of scan"),
        ("scan t, {LIMIT => x}", "LIMIT takes a number"),
        ("create ../etc f", "illegal table name"),
        ("move 00000000000000000000000000000000", "no region is called"),
    ],
)
def test_an_error_is_one_sentence_and_ends_with_1(
    run: Run, capsys: pytest.CaptureFixture[str], command: str, sentence: str
) -> None:
    code, printed = run(command, "list")
    assert code == 1
    assert sentence in capsys.readouterr().err
    assert printed == ""


def test_help_names_every_command(run: Run) -> None:
    code, printed = run("help", "help scan")
    assert code == 0
    for name in COMMANDS:
        assert name in printed


def test_commands_are_read_from_a_pipe(
    run: Run, monkeypatch: pytest.MonkeyPatch, cluster: Any
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("create t f\n\n# note\nlist\nexit\nnope\n"))
    code, printed = run()
    assert code == 0
    assert "created table t" in printed


def test_a_person_is_told_an_error_and_asked_again(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = iter(["nope", "create t f", "list"])

    def typed(prompt: str) -> str:
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", typed)
    code, printed = run()
    assert code == 0
    assert "created table t" in printed
    assert "there is no command 'nope'" in capsys.readouterr().err
