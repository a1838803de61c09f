"""The review app: a person decides fast, and every decision is a verdict of the ledger.

It runs on this machine and answers only to whoever holds the link of this start. `create_app` makes it, `serve` runs
it.
"""

import contextlib
import secrets
import socket
import ssl
import sys
import threading
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from safelight.errors import UsageError
from safelight.review.app import create_app
from safelight.review.desk import Desk
from safelight.review.security import LOCAL, Door
from safelight.store.library import Library

PORT = 8421


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How the app is opened. Beyond this machine only with `certificate` and `key`."""

    name: str
    host: str = "localhost"
    port: int | None = None  # None: 8421, or any that is free where that is taken; 0: any that is free
    token: str | None = None  # None: a new one
    certificate: Path | None = None
    key: Path | None = None
    cache: Path | None = None
    browser: bool = True


def serve(library: Library, folder: Path | None, opening: Opening, tell: Callable[[str], None] = print) -> None:
    """Runs the app until it is interrupted. `tell` gets the link to open.

    Raises UsageError for a host beyond this machine without TLS, and for a port that is taken."""
    door = door_of(opening)
    desk = desk_of(library, folder, opening)
    app = create_app(desk, door)
    config = uvicorn.Config(
        app, host=opening.host, port=0, log_level="warning", access_log=False, server_header=False,
        timeout_graceful_shutdown=3, ssl_certfile=opening.certificate, ssl_keyfile=opening.key,
    )  # fmt: skip
    listening = _bound(opening)
    address = link(opening, door, listening.getsockname()[1], desk.first)
    tell(f"Review app: {address}")
    if desk.first is not None:  # while the browser opens, the shoot is read
        threading.Thread(target=desk.session, args=(desk.first,), daemon=True).start()
    if opening.browser:
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    server = uvicorn.Server(config)
    app.state.ending = lambda: server.should_exit  # streams end by themselves, so that nothing has to be cut off
    with contextlib.suppress(KeyboardInterrupt):  # that is how one ends it
        server.run(sockets=[listening])


def door_of(opening: Opening) -> Door:
    """What a request must bring. Raises UsageError for a host beyond this machine without TLS or with a weak token."""
    far = opening.host not in LOCAL
    tls = opening.certificate is not None and opening.key is not None
    if far and not tls:
        raise UsageError(
            f"{opening.host} can be reached from other machines, and what goes there could be read on the way.",
            remedy="Give --certificate and --key for TLS, or leave --host away to stay on this machine.",
        )
    if tls:
        _usable(opening)
    if opening.token is not None and len(opening.token) < 16:
        raise UsageError("The token is too short to keep others out.", remedy="Use 16 characters or more.")
    hosts = LOCAL | ({opening.host.lower()} if far else set())
    return Door(token=opening.token or secrets.token_urlsafe(24), hosts=frozenset(hosts), tls=tls)


def desk_of(library: Library, folder: Path | None, opening: Opening) -> Desk:
    """The desk with the shoot that was asked for, or with what is wrong with its folder."""
    desk = Desk(library=library, name=opening.name, cache=opening.cache, wanted=folder)
    desk.look()
    return desk


def link(opening: Opening, door: Door, port: int, shoot: str | None) -> str:
    """The address to open, with the key of this start."""
    name = f"[{opening.host}]" if ":" in opening.host else opening.host
    path = f"shoots/{shoot}/cull" if shoot else ""
    return f"{'https' if door.tls else 'http'}://{name}:{port}/{path}?token={door.token}"


def _usable(opening: Opening) -> None:
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(str(opening.certificate), str(opening.key))
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"The certificate {opening.certificate} cannot be used with its key ({error}).",
            remedy="Give a certificate and its key as PEM files.",
        ) from error


def _bound(opening: Opening) -> socket.socket:
    wanted = PORT if opening.port is None else opening.port
    family = socket.AF_INET6 if ":" in opening.host else socket.AF_INET
    for port in (wanted, 0) if opening.port is None else (wanted,):
        made = socket.socket(family)
        if sys.platform != "win32":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((opening.host, port))
        except OSError as error:
            made.close()
            reason = error
        else:
            return made
    raise UsageError(
        f"Port {wanted} of {opening.host} cannot be used ({reason.strerror}).",
        remedy="Name another with --port, or 0 for any that is free.",
    )
