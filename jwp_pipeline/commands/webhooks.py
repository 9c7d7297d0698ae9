"""`jwp-pipeline webhooks`: receives JW Platform's events, and registers, lists and removes webhooks at JW Platform.

Put here arguments, the server, and what is printed. webhooks/ receives, and jwplatform/webhooks.py asks JW Platform.
"""

from __future__ import annotations

import argparse
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jwp_pipeline.commands.arguments import port_number
from jwp_pipeline.commands.metrics import metrics
from jwp_pipeline.errors import JWPlatformError, PipelineError, SettingsError
from jwp_pipeline.processes import stop_requests
from jwp_pipeline.proxies import is_loopback

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from rich.console import Console

    from jwp_pipeline.settings import Settings

HOST, PORT = "127.0.0.1", 8300
_STOP_SECONDS = 10
_LOOK_SECONDS = 0.1
# More requests at once than this are answered with 503. Each holds a connection, but only a few the database.
_MOST_REQUESTS = 100


def add_verb(
    verbs: Any, parents: Sequence[argparse.ArgumentParser], of_actions: Sequence[argparse.ArgumentParser]
) -> None:
    """Add the verb and its actions to the parser of `jwp-pipeline`, with parsers of the options that they share."""
    webhooks = verbs.add_parser(
        "webhooks",
        help="receive JW Platform's own events; register, list and unregister webhooks",
        description="Receive JW Platform's own events over HTTP, until interrupted.",
        parents=parents,
    )
    webhooks.add_argument("--host", default=HOST, help=f"address to listen on (default {HOST})")
    webhooks.add_argument(
        "--port", type=port_number, help=f"port to listen on (default: JWP_WEBHOOK_PORT, else {PORT})"
    )
    webhooks.add_argument(
        "--metrics",
        action="store_true",
        help="also answer GET /metrics, to everybody who reaches the receiver (`jwp-pipeline metrics --port` serves "
        "this machine only)",
    )
    actions = webhooks.add_subparsers(dest="action")
    register = actions.add_parser(
        "register", parents=of_actions, help="make a webhook at JW Platform that sends its events to a URL"
    )
    register.add_argument("--url", required=True, help="the public https address of the receiver")
    register.add_argument("--name", default="jwp_pipeline", help="name of the webhook in JW Platform's dashboard")
    kept = register.add_mutually_exclusive_group()
    kept.add_argument(
        "--secret-file",
        type=Path,
        metavar="PATH",
        help="file that the webhook's secret is added to (default: JWP_WEBHOOK_SECRETS_FILE)",
    )
    kept.add_argument("--show-secret", action="store_true", help="print the secret, once, on this terminal instead")
    actions.add_parser("list", parents=of_actions, help="list the webhooks of the account")
    unregister = actions.add_parser("unregister", parents=of_actions, help="remove a webhook at JW Platform")
    unregister.add_argument("webhook_id", metavar="ID", help="as `list` shows it")


def run(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Do what the arguments say, and return the exit code. Raises PipelineError."""
    match options.action:
        case "register":
            _register(options, settings, console)
        case "list":
            _list(settings, console)
        case "unregister":
            _unregister(options.webhook_id, settings, console)
        case _:
            port = options.port or settings.jwp_webhook_port or PORT
            with metrics(settings) if options.metrics else nullcontext() as registry:
                _serve(options.host, port, settings, console, registry)
    return 0


def _serve(host: str, port: int, settings: Settings, console: Console, registry: CollectorRegistry | None) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with stop_requests() as stop, receiving(settings, host, port, registry) as server:
        url = server.url
        console.print(f"Webhooks are received at {url}; {url}healthz says whether they can be stored. Ctrl-C stops.")
        while not stop:
            if not server.thread.is_alive():
                raise PipelineError("The receiver of webhooks ended by itself; the lines above say why.")
            time.sleep(_LOOK_SECONDS)


@dataclass(frozen=True, slots=True)
class Receiving:
    """A receiver that serves."""

    url: str
    thread: threading.Thread
    """Ends when the receiver does."""


@contextmanager
def receiving(
    settings: Settings, host: str, port: int, registry: CollectorRegistry | None = None
) -> Iterator[Receiving]:
    """Receive webhooks in a thread during the block. Requests that have begun are answered first.

    The metrics of `registry` are served beside them, if it is given.

    Raises SettingsError if the settings name no site or no secret, and PipelineError if the port cannot be used.
    """
    import uvicorn

    from jwp_pipeline.webhooks import app

    application = app(settings, metrics=registry)
    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        raise PipelineError(f"Port {port} of {host} cannot be listened on: {error}. Give another --port.") from None
    server = uvicorn.Server(
        uvicorn.Config(
            application,
            log_config=None,
            # A URL may hold a secret of whoever registered it.
            access_log=False,
            server_header=False,
            # Nothing is done with the address of the client, so nobody has to be believed about it.
            proxy_headers=False,
            limit_concurrency=_MOST_REQUESTS,
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
    )
    thread = threading.Thread(target=server.run, args=([listener],), name="webhooks", daemon=True)
    with closing(listener):
        thread.start()
        try:
            shown = f"[{host}]" if ":" in host else host
            yield Receiving(f"http://{shown}:{listener.getsockname()[1]}/", thread)
        finally:
            server.should_exit = True
            thread.join()


def _register(options: argparse.Namespace, settings: Settings, console: Console) -> None:
    from jwp_pipeline.jwplatform.connect import connect_registry
    from jwp_pipeline.jwplatform.webhooks import LONGEST_NAME
    from jwp_pipeline.webhooks.secrets import add_secret, open_for_secrets

    if not options.url.startswith("https://") and not is_loopback(options.url):
        raise SettingsError(
            "JW Platform sends webhooks to https addresses only: give a --url that begins with https://."
        )
    if len(options.name) > LONGEST_NAME:
        raise SettingsError(f"JW Platform takes names of up to {LONGEST_NAME} characters: give a shorter --name.")
    path = options.secret_file or settings.jwp_webhook_secrets_file
    if options.show_secret and not console.is_terminal:
        raise SettingsError("--show-secret prints the secret on a terminal only, because other output may be kept.")
    if not options.show_secret and path is None:
        raise SettingsError(
            "JW Platform tells the secret of a webhook only once. Say where to keep it: set JWP_WEBHOOK_SECRETS_FILE, "
            "or give --secret-file or --show-secret."
        )
    registry = connect_registry(settings)
    # The file is opened first, so that no secret is told that cannot be kept.
    descriptor = None if options.show_secret or path is None else open_for_secrets(path)
    try:
        made = registry.register(options.url, name=options.name, site_id=settings.jwplatform_api_key or "")
        if descriptor is not None:
            try:
                add_secret(descriptor, made.id, made.secret)
            except OSError as error:
                with suppress(JWPlatformError):
                    registry.unregister(made.id)
                raise PipelineError(
                    f"The secret of webhook {made.id} could not be written to {path}: {error.strerror}. The webhook "
                    "was removed again, unless `jwp-pipeline webhooks list` still shows it."
                ) from None
    finally:
        if descriptor is not None:
            os.close(descriptor)
    console.print(f"Webhook {made.id} is registered.", highlight=False)
    if options.show_secret:
        console.print(
            f"Its secret, which JW Platform never shows again: {made.secret}", highlight=False, soft_wrap=True
        )
    else:
        where = "" if path == settings.jwp_webhook_secrets_file else "; name that file in JWP_WEBHOOK_SECRETS_FILE"
        console.print(f"Its secret was added to {path}{where}.", highlight=False, soft_wrap=True)


def _list(settings: Settings, console: Console) -> None:
    from jwp_pipeline.jwplatform.connect import connect_registry

    found = connect_registry(settings).list()
    for webhook in found:
        ours = "" if settings.jwplatform_api_key in webhook.site_ids else " (of other sites)"
        console.print(
            f"{webhook.id}  {webhook.name}{ours}\n  {webhook.url}\n  {', '.join(webhook.events)}",
            highlight=False,
            soft_wrap=True,
        )
    if not found:
        console.print("The account has no webhooks.")


def _unregister(webhook_id: str, settings: Settings, console: Console) -> None:
    from jwp_pipeline.jwplatform.connect import connect_registry

    connect_registry(settings).unregister(webhook_id)
    console.print(
        f"Webhook {webhook_id} is removed. Its secret may now be removed from JWP_WEBHOOK_SECRETS_FILE, or from "
        "JWP_WEBHOOK_SECRETS, as well.",
        highlight=False,
        soft_wrap=True,
    )
