"""Trying a new certificate at the hub before it takes the place of the old one."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Final

from lamppost.agent.config import Config, Hub
from lamppost.agent.uplink import LinkError, tls, words
from lamppost.agent.uplink.connection import Connection
from lamppost.agent.uplink.dial import dial
from lamppost.agent.wire import segment
from lamppost.provisioning.check.hub import alert
from lamppost.provisioning.enrolment import EnrolmentError
from lamppost.provisioning.enrolment.state import AUTHORITIES
from lamppost.provisioning.enrolment.store import CERTIFICATE, CURRENT, KEY

WITHIN_S: Final = 10.0
_CLOSE_S: Final = 0.5


async def tried(config: Config, pair: Path, authorities: Path | None) -> str:
    """Connect to the hub with a new pair; return where, or an empty text if there is no hub with TLS.

    The agent's own connection is left alone. Raises EnrolmentError if the hub cannot be reached, or does not
    take the certificate.
    """
    if config.hub is None or not config.hub.tls:
        return ""
    hub = _with(config.hub, pair, authorities)
    where = f"{hub.host}:{hub.port}"
    name = f"lamppost-{segment(config.node.site)}-{segment(config.node.id)}-trial"
    connection = Connection(hub, name, None, lambda _id, _code: None, lambda: None)
    trust: ssl.SSLContext | None = None
    try:
        trust = await asyncio.to_thread(tls.context, hub)
        sock = await dial(hub.host, hub.port, trust, WITHIN_S)
        await connection.open(sock, WITHIN_S)
    except (OSError, UnicodeError) as error:
        raise EnrolmentError(_not_taken(words.dialling(error, hub.host, hub.port, WITHIN_S))) from error
    except LinkError as error:
        said = await alert(hub, trust) if trust is not None else ""
        raise EnrolmentError(_not_taken(said or str(error))) from error
    await connection.close(_CLOSE_S)
    return where


def _with(hub: Hub, pair: Path, authorities: Path | None) -> Hub:
    """Return the hub's settings with a new pair; an authority that was set by hand is not changed."""
    # Through the link it would be the authority of the pair in use.
    link = (pair.parent / CURRENT / AUTHORITIES).resolve()
    ca_file = authorities if hub.ca_file is None or hub.ca_file.resolve() == link else hub.ca_file
    new = {"cert_file": pair / CERTIFICATE, "key_file": pair / KEY, "ca_file": ca_file}
    return hub.model_copy(update=new)


def _not_taken(why: str) -> str:
    return (
        f"the new certificate was tried at the hub, without success: {why}. It is kept, and what was in use "
        "stays in use; run the same command again when the hub is there, or with --no-trial"
    )
