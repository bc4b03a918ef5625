"""Joining a Ray that runs already, as a driver."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import ray
from ray import exceptions as ray_errors
from ray._private import worker as ray_worker
from ray._raylet import AuthenticationTokenLoader, Config  # type: ignore[attr-defined]

from ..errors import ClusterError


def join_ray(address: str, namespace: str) -> None:
    """Joins this process to the Ray at ``address`` as a driver.

    Raises ClusterError if nothing answers there, or Ray refuses us (a wrong token).
    """
    if ray.is_initialized():
        if ray.get_runtime_context().gcs_address == address or address == "auto":
            return
        ray.shutdown()
    if address.startswith("ray://"):
        raise ClusterError(
            f"{address} is an address for Ray Client; give the address of the head node, such "
            "as 10.0.0.1:6379, and run on a machine of the cluster"
        )
    if address != "auto" and not answers_at(address):
        raise ClusterError(f"no Ray answers at {address}; is it running, is the port right?")
    read_token_again()
    # log_to_driver leaves Ray's notes on dead workers, whose deaths are our business.
    ray_worker._worker_logs_enabled = False
    try:
        with _native_output_dropped():
            ray.init(
                address=address,
                namespace=namespace,
                log_to_driver=False,
                logging_level=logging.ERROR,
                configure_logging=False,
            )
    except (ray_errors.RayError, RuntimeError, ConnectionError, ValueError) as error:
        text = str(error).strip() or type(error).__name__
        if "auth" in text.lower() or "Failed to connect" in text:
            # Its port answered above, so what failed is the first call with our token.
            raise ClusterError(
                f"the Ray at {address} does not accept our token, or is not Ray; set "
                "RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH to the token it was started with"
            ) from None
        raise ClusterError(f"cannot join the Ray at {address}: {text.splitlines()[0]}") from None


@contextmanager
def _native_output_dropped() -> Iterator[None]:
    """Keeps what Ray's C++ side writes to the terminal away: it becomes a sentence of ours."""
    sys.stderr.flush()
    saved = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


def read_token_again() -> None:
    """Makes Ray see RAY_AUTH_MODE and the token as they are now, not as at its import."""
    Config.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()


def answers_at(address: str) -> bool:
    """Whether anything listens at ``host:port``."""
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        return False
    try:
        with socket.create_connection((host, int(port)), timeout=3.0):
            return True
    except OSError:
        return False
