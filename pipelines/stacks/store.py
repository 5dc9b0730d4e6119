"""The ZenML store that is in use: opened in bounded time, or an error that says why it cannot be."""

from __future__ import annotations

import contextlib
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from florence2.errors import StackError

if TYPE_CHECKING:
    from zenml.client import Client

__all__ = ["SECONDS", "check_answers", "is_on_this_machine", "open_store", "store_errors"]

SECONDS = 10
"""Time in which a server must answer."""


def open_store() -> Client:
    """Return a client of the ZenML store, logged in.

    ZenML tries an unreachable server again and again; so this checks first that it answers.

    Raises:
        StackError: the server does not answer within 10 seconds, or does not accept the credentials.
    """
    from zenml.client import Client
    from zenml.config.global_config import GlobalConfiguration

    configuration = GlobalConfiguration()
    url = configuration.store_configuration.url
    if configuration.store_configuration.type == "rest":
        check_answers(url, verify=getattr(configuration.store_configuration, "verify_ssl", True))
    with store_errors():
        client = Client()
        client.active_user  # noqa: B018  the first thing that needs valid credentials
        return client


@contextlib.contextmanager
def store_errors() -> Iterator[None]:
    """Raise what the ZenML store refuses as an error with a message.

    Raises:
        StackError: it does not accept the credentials, does not answer any more, or does not allow it.
    """
    from zenml.config.global_config import GlobalConfiguration
    from zenml.exceptions import AuthorizationException, ZenMLBaseException

    url = GlobalConfiguration().store_configuration.url
    try:
        yield
    except AuthorizationException as exc:
        raise StackError(
            f"the ZenML server {url} does not accept your credentials, or they have expired: {exc}\n"
            f"  zenml login {url}\n  (a service account: export ZENML_STORE_API_KEY=... with a key that is valid)"
        ) from exc
    except (OSError, RuntimeError, ZenMLBaseException) as exc:
        raise StackError(f"the ZenML store {url} refuses: {' '.join(str(exc).split())}") from exc


def is_on_this_machine(client: Client) -> bool:
    """Return whether a step on another machine cannot reach the store: a file, or a server on localhost."""
    host = urlsplit(client.zen_store.url).hostname
    return client.zen_store.is_local_store() or host in (None, "localhost", "127.0.0.1", "::1", "0.0.0.0")


def check_answers(url: str, *, verify: bool | str) -> None:
    """Check that a ZenML server answers.

    Args:
        url: of the server.
        verify: whether its certificate is checked, or the file of certificates to check it with.

    Raises:
        StackError: it does not answer in time, or it is broken.
    """
    context = None
    if url.startswith("https:"):
        context = ssl.create_default_context(cafile=verify if isinstance(verify, str) else None)
        if verify is False:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/health", timeout=SECONDS, context=context):
            return
    except urllib.error.HTTPError as exc:
        if exc.code < 500:
            return  # a server answers; whether it is ZenML's shows when logging in
        reason = f"it answers with status {exc.code}"
    except urllib.error.URLError as exc:
        reason = str(exc.reason)
    except OSError as exc:
        reason = str(exc)
    raise StackError(
        f"the ZenML server {url} cannot be reached: {reason}; check the address, the network, the VPN\n"
        "  zenml login URL     connects to another\n  zenml logout        goes back to the store on this machine"
    )
