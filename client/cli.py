"""The command line: `raybase start | stop | status | drain | fsck | shell | wal | hfile | demo`."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from .. import __version__
from ..config import ClusterConfig
from ..errors import IllegalArgumentError, RaybaseError, StorageError
from .status_tables import status_tables

DEFAULT_ROOT = Path("raybase-data")
"""Made on first use; any other root must exist, so that a missing mount is noticed."""

console = Console()

root_option = click.option(
    "--root",
    type=click.Path(path_type=Path),
    default=None,
    envvar="RAYBASE_ROOT",
    help=f"Directory of the cluster's files, seen by all nodes.  [default: ./{DEFAULT_ROOT}]",
)


class Commands(click.Group):
    """Turns our errors into one sentence and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RaybaseError as error:
            click.echo(f"raybase: {error}", err=True)
            sys.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="raybase")
def main() -> None:
    """A durable, ordered, strongly consistent wide-column store on Ray."""


@main.command()
@root_option
@click.option(
    "--address",
    envvar="RAY_ADDRESS",
    help="Ray to join, as host:port or 'auto'. Without it, one is started for the cluster.",
)
@click.option("--name", default="raybase", show_default=True, help="Ray namespace to live in.")
@click.option(
    "--region-servers", type=click.IntRange(1), default=3, show_default=True, help="How many."
)
@click.option("--masters", type=click.IntRange(1), default=2, show_default=True, help="How many.")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address servers bind to and are known by.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="RPC port of the first region server, others take the next; 0 takes any free one.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="A setting, such as store.flush_bytes=1048576. May be repeated.",
)
def start(
    root: Path | None,
    address: str | None,
    name: str,
    region_servers: int,
    masters: int,
    host: str,
    port: int,
    settings: tuple[str, ...],
) -> None:
    """Start a cluster on a root directory; returns when it serves."""
    from ..actors.ray_cluster import RayCluster

    config = ClusterConfig.from_environment().with_settings(
        {
            "master.region_servers": str(region_servers),
            "rpc.host": host,
            "rpc.port": str(port),
            **_parsed(settings),
        }
    )
    with console.status("starting") as progress:
        cluster = RayCluster.start(
            _root(root, make=True),
            config,
            address=address,
            namespace=name,
            masters=masters,
            progress=progress.update,
        )
        addresses = cluster.addresses()
    console.print(f"raybase serves at {addresses}", highlight=False)
    console.print(f"root {cluster.root}, Ray at {cluster.place.address}", highlight=False)


@main.command()
@root_option
def stop(root: Path | None) -> None:
    """Stop the cluster on a root, and its Ray if `start` started one."""
    from ..actors.ray_cluster import RayCluster

    with console.status("stopping") as progress:
        cluster = RayCluster.get(_root(root))
        cluster.stop(progress.update)
    console.print(f"the cluster on {cluster.root} has stopped", highlight=False)


@main.command()
@root_option
def status(root: Path | None) -> None:
    """Show servers, tables, procedures and regions in transition."""
    from ..actors.ray_cluster import RayCluster

    cluster = RayCluster.get(_root(root))
    cluster.check_version()
    for table in status_tables(cluster.status()):
        console.print(table)


@main.command()
@root_option
@click.argument("servers", nargs=-1)
@click.option("--node", help="All servers on the Ray node whose id begins so.")
@click.option("--stop", "ends", is_flag=True, help="End the servers when they are empty.")
@click.option("--undo", is_flag=True, help="Take the servers back instead.")
def drain(
    root: Path | None, servers: tuple[str, ...], node: str | None, ends: bool, undo: bool
) -> None:
    """Move all regions off SERVERS, before they or their node go.

    A server is written host:port. Returns when nothing is served there any more; others are
    started in their place, on other nodes if there are any. Without SERVERS, lists those that
    are drained.
    """
    from ..actors.ray_cluster import RayCluster
    from .drain import drain_servers

    if ends and undo:
        raise click.UsageError("--stop and --undo cannot be given together")
    cluster = RayCluster.get(_root(root))
    cluster.check_version()
    drain_servers(cluster, servers, console, node=node, ends=ends, undo=undo)


@main.command()
@root_option
@click.option("--repair", is_flag=True, help="Mend what is safe to mend.")
def fsck(root: Path | None, repair: bool) -> None:
    """Check that hbase:meta, servers and files tell one story; exit code 1 if they do not.

    The cluster may run or be stopped. Without --repair nothing is changed. With it, what an
    invariant makes safe is mended, by the master where one runs; for everything else it says
    why it was left as it is.
    """
    from ..actors.posix import PosixFiles
    from ..actors.ray_cluster import RayCluster
    from ..actors.ray_root import check_stopped_root
    from ..actors.system import SystemClock
    from .fsck import FsckCommand

    place = _root(root)
    cluster = RayCluster.find(place)
    if cluster is None:
        check_stopped_root(place)
    files = PosixFiles(str(place))

    async def call(process: str, method: str, *args: Any, timeout_s: float | None = None) -> Any:
        assert cluster is not None
        return cluster.call(process, method, *args, timeout_s=timeout_s)

    reach = call if cluster is not None else None
    command = FsckCommand(files, SystemClock(), reach, _print_line)
    try:
        sound = asyncio.run(command.run(repair=repair))
    finally:
        files.close()
    sys.exit(0 if sound else 1)


@main.command()
@root_option
@click.option("--address", help="A server's host:port, instead of a root.")
@click.option("-c", "--command", "commands", multiple=True, help="Run this and exit.")
def shell(root: Path | None, address: str | None, commands: tuple[str, ...]) -> None:
    """Talk to tables: create, put, get, scan, ... (`help` inside)."""
    from .shell import run_shell

    sys.exit(run_shell(address or bootstrap(_root(root)), commands, console))


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-t", "--tables", default="", help="Only these, with commas between them.")
@click.option("-r", "--region", default="", help="Only this region, by its encoded name.")
@click.option("-s", "--sequence", type=int, help="Only the record of this sequence id.")
@click.option("-w", "--row", default="", help="Only cells of this row, as it is printed.")
@click.option("-f", "--row-prefix", default="", help="Only cells of rows that begin so.")
@click.option("-g", "--goto", "position", default=0, help="Begin at this offset of each file.")
@click.option("-k", "--output-only-row-key", "keys_only", is_flag=True, help="Only row keys.")
@click.option("-p", "--printvals", "values", is_flag=True, help="Values, too.")
@click.option("-j", "--json", "as_json", is_flag=True, help="One JSON list.")
def wal(
    files: tuple[Path, ...],
    tables: str,
    sequence: int | None,
    row: str,
    row_prefix: str,
    **more: Any,
) -> None:
    """Print write-ahead logs, of WALs/, oldWALs/ or a region's recovered.edits/."""
    from .wal_printer import WalOptions, WalPrinter

    if row and row_prefix:
        raise click.UsageError("--row and --row-prefix cannot be given together")
    wanted = tuple(filter(None, tables.split(",")))
    options = WalOptions(wanted, sequence_id=sequence, row=row, row_prefix=row_prefix, **more)
    printer = WalPrinter(options, lambda piece: click.echo(piece, nl=False), _time_text)
    printer.begin()
    try:
        for file in files:
            ending = printer.print_log(str(file), _read(file))
            if ending:
                click.echo(f"raybase: {ending}", err=True)
    finally:
        printer.end()


@main.command(context_settings={"help_option_names": ["--help"]})
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("-f", "--file", "file", type=click.Path(path_type=Path), help="File to print.")
@click.option("-v", "--verbose", is_flag=True, help="Name the file, count its cells.")
@click.option("-p", "--printkv", "print_values", is_flag=True, help="Print keys and values.")
@click.option("-e", "--printkey", "print_keys", is_flag=True, help="Print keys.")
@click.option("-m", "--printmeta", "print_meta", is_flag=True, help="Print what it says of itself.")
@click.option("-b", "--printblocks", "print_blocks", is_flag=True, help="Print the block index.")
@click.option(
    "-h", "--printblockheaders", "print_block_headers", is_flag=True, help="Print block headers."
)
@click.option("-k", "--checkrow", "check_row", is_flag=True, help="Check the order of rows.")
@click.option("-a", "--checkfamily", "check_family", is_flag=True, help="Check the family.")
@click.option("-w", "--seekToRow", "row", default="", help="Only this row, as it is printed.")
@click.option("-s", "--stats", is_flag=True, help="Print statistics.")
@click.option("-d", "--details", is_flag=True, help="Print statistics with counts by range.")
def hfile(paths: tuple[Path, ...], file: Path | None, row: str, **flags: bool) -> None:
    """Print store files, ours and HBase's, as `hbase hfile` does."""
    from .hfile_printer import HFileOptions, HFilePrinter
    from .hfile_text import binary_bytes

    files = (*((file,) if file else ()), *paths)
    if not files:
        raise click.UsageError("name a file")
    printer = HFilePrinter(
        HFileOptions(row=binary_bytes(row), **flags),
        click.echo,
        lambda line: click.echo(line, err=True),
    )
    for one in files:
        printer.print_file(str(one), memoryview(_read(one)))
    printer.end()


@main.command()
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    help="An empty directory for the cluster's files.  [default: a temporary one]",
)
@click.option("--address", envvar="RAY_ADDRESS", help="Ray to join, as host:port or 'auto'.")
@click.option("--keep", is_flag=True, help="Leave the cluster running at the end.")
@click.option(
    "--break",
    "damage",
    type=click.Choice(["cell", "file", "ack"]),
    help="Damage one on purpose; the checks must find it.",
)
@click.option("--modules", type=click.IntRange(1), help="Load only so many modules.")
def demo(
    root: Path | None,
    address: str | None,
    keep: bool,
    damage: str | None,
    modules: int | None,
) -> None:
    """Bigtable's webtable, loaded, moved, killed, started cold, and checked cell by cell."""
    from .demo.story import run_demo

    sys.exit(run_demo(root=root, address=address, keep=keep, damage=damage, modules=modules))


def bootstrap(root: Path) -> str:
    """RPC addresses of the cluster on a root."""
    from ..actors.ray_cluster import RayCluster

    cluster = RayCluster.get(root)
    cluster.check_version()
    return cluster.addresses()


def _print_line(line: str) -> None:
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise StorageError(f"cannot read {file}: {error.strerror}") from None


def _time_text(time_ms: int) -> str:
    """As `date` writes it, with milliseconds."""
    try:
        when = datetime.fromtimestamp(time_ms / 1000, tz=UTC)
    except (OverflowError, ValueError, OSError):
        return str(time_ms)
    return f"{when:%a %b %d %H:%M:%S}.{when.microsecond // 1000:03} UTC {when.year}"


def _root(given: Path | None, *, make: bool = False) -> Path:
    if given is not None:
        return given
    if make:
        DEFAULT_ROOT.mkdir(exist_ok=True)
    return DEFAULT_ROOT


def _parsed(settings: tuple[str, ...]) -> dict[str, str]:
    parsed = {}
    for one in settings:
        name, equals, value = one.partition("=")
        if not equals:
            raise IllegalArgumentError(f"--set takes NAME=VALUE, not {one!r}")
        parsed[name] = value
    return parsed
