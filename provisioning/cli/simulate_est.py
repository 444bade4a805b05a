"""`lamppost simulate est`."""

from __future__ import annotations

import json
import signal
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer


def est(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 8443,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    folder: Annotated[
        Path | None, typer.Option(help="Where the authority's files go; else they are gone at the end.")
    ] = None,
    password: Annotated[
        list[str] | None, typer.Option("--password", help="Good for one certificate; again for more.")
    ] = None,
    life_s: Annotated[
        float, typer.Option("--life-s", min=1, help="How long certificates are valid, in seconds.")
    ] = 90 * 86400.0,
    fault: Annotated[
        list[str] | None, typer.Option("--fault", "-f", help="What goes wrong, once each, in this order.")
    ] = None,
    hub_name: Annotated[
        str, typer.Option("--hub-name", help="Make a certificate for a hub of this name, too.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print where it is as one JSON object.")] = False,
) -> int:
    """Be the city's office that gives certificates to boxes (EST, RFC 7030), until Ctrl-C.

    Prints the label of a box for each password. Faults: drop, error, pending, garbled, wrong-key, wrong-name,
    early.

    Examples: `lamppost simulate est`, `lamppost simulate est --folder office --life-s 600 --fault pending`.
    """
    from lamppost.simulators.est import Authority, EstServer  # noqa: PLC0415 - heavy, and here only
    from lamppost.simulators.est.server import FAULTS, new_password  # noqa: PLC0415

    for one in fault or ():
        if one not in FAULTS:
            raise typer.BadParameter(f"{one!r}; there are {', '.join(FAULTS)}", param_hint="--fault")
    words = password or [new_password()]
    with TemporaryDirectory(prefix="lamppost-est-") as temporary:
        authority = Authority(folder or Path(temporary))
        if hub_name:
            authority.serve_as([hub_name], "hub")
        office = EstServer(authority, passwords=words, life=timedelta(seconds=life_s), host=host, port=port)
        office.faults = list(fault or ())
        with office:
            labels = [office.label_for(one) for one in words]
            if as_json:
                told = {"url": office.url, "ca": authority.fingerprint, "folder": str(authority.folder)}
                print(json.dumps({**told, "labels": labels}), flush=True)
            else:
                print(f"{office.url}\nauthority {authority.file}, SHA-256 {authority.fingerprint}")
                print(*(f"label {one}" for one in labels), "(Ctrl-C ends)", sep="\n", flush=True)
            ends = {signal.SIGINT, signal.SIGTERM}
            before = signal.pthread_sigmask(signal.SIG_BLOCK, ends)
            try:
                signal.sigwait(ends)
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return 0
