"""`lamppost enrol`: a key that never leaves the box, and a certificate for it."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lamppost.provisioning.cli.enrolment_texts import TEXTS as _TEXTS  # noqa: F401 - makes them known
from lamppost.provisioning.cli.options import ConfigFile
from lamppost.provisioning.words import say

if TYPE_CHECKING:
    from lamppost.agent.config import Config
    from lamppost.provisioning.enrolment.enrol import Enrolment
    from lamppost.provisioning.enrolment.label import Office

#: An office that decides at once is waited for.
PATIENCE_S = 60.0


def enrol(
    config: ConfigFile,
    label: Annotated[
        str | None,
        typer.Argument(metavar="[LABEL]", help="What the label's QR code says; - reads it from stdin."),
    ] = None,
    url: Annotated[str, typer.Option(help="The office instead of a label: https://HOST:PORT.")] = "",
    ca: Annotated[str, typer.Option("--ca-fingerprint", help="SHA-256 of the office's authority.")] = "",
    password: Annotated[
        str, typer.Option(help="Password for one certificate; else it is asked, and not shown.")
    ] = "",
    renew: Annotated[bool, typer.Option("--renew", help="Renew the certificate if it is due.")] = False,
    csr_out: Annotated[
        Path | None, typer.Option("--csr-out", metavar="FILE", help="Write the request, to be carried away.")
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option("--certificate", exists=True, dir_okay=False, help="Take the one that came back."),
    ] = None,
    ca_file: Annotated[
        Path | None,
        typer.Option("--ca", exists=True, dir_okay=False, help="Authority of the hub, with --certificate."),
    ] = None,
    show: Annotated[bool, typer.Option("--state", help="Only say how the box stands.")] = False,
    trial: Annotated[
        bool, typer.Option("--trial/--no-trial", help="Try the certificate at the hub before it is used.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print what came of it as JSON.")] = False,
) -> int:
    """Enrol this box at the city's office, or renew its certificate.

    The key is made here and stays here. What was interrupted is taken up again by the same command: an issued
    certificate is never lost. The new one is tried at the hub before it takes the place of the old.

    Examples: `lamppost enrol "https://est.example/.well-known/est#password=...&ca=..."`,
    `lamppost enrol --renew`, `lamppost enrol --csr-out pole-17.csr`,
    `lamppost enrol --certificate pole-17.pem`.
    """
    from lamppost.provisioning.enrolment.enrol import Enrolment  # noqa: PLC0415 - `--help` needs none of it
    from lamppost.provisioning.enrolment.settings import load_unenrolled  # noqa: PLC0415

    settings = load_unenrolled(config)
    enrolment = Enrolment(settings)
    if show:
        return _show(settings, as_json=as_json)
    with enrolment.alone():
        if csr_out is not None:
            return _carry(enrolment, settings, csr_out, as_json=as_json)
        if renew and enrolment.waiting() is None and not _is_due(settings, as_json=as_json):
            return 0

        wanted = _Wanted(enrolment, settings, label, url, ca, password, renew, trial=trial, as_json=as_json)
        if certificate is not None:
            brought = certificate.read_bytes(), ca_file.read_bytes() if ca_file else b""
            return wanted.take(enrolment.bring(*brought))
        return wanted.go_on()


@dataclass(frozen=True)
class _Wanted:
    """What the options ask for."""

    enrolment: Enrolment
    settings: Config
    label: str | None
    url: str
    ca: str
    password: str
    renew: bool
    _: KW_ONLY
    trial: bool
    as_json: bool

    def go_on(self) -> int:
        """Use what was issued before, else get a new pair and use that."""
        from lamppost.provisioning.enrolment import EnrolmentError  # noqa: PLC0415

        waiting = self.enrolment.waiting()
        if waiting is None:
            return self.take(self.new_pair())
        print(say("enrol.again"), file=sys.stderr)
        try:
            return self.take(waiting)
        except EnrolmentError as refused:
            if not self.label and not self.url:
                raise
            try:
                pair = self.new_pair()
            except EnrolmentError:
                # A label that is spent is no news: it gave the certificate that was refused.
                raise refused from None
            return self.take(pair)

    def new_pair(self) -> Path:
        """Return a pair that is not in use yet. Raises EnrolmentError."""
        if self.renew:
            return self.enrolment.renew()
        if not self.label and not self.url and (pair := self.enrolment.unnamed()) is not None:
            return pair
        office, password = _asked(self.label, self.url, self.ca, self.password)
        return _issued(self.enrolment, office, password)

    def take(self, pair: Path) -> int:
        """Try a pair, use it, and say so."""
        return _taken(self.enrolment, self.settings, pair, trial=self.trial, as_json=self.as_json)


def _asked(label: str | None, url: str, ca: str, password: str) -> tuple[Office, str]:
    """Return office and password by options, label or question. Raises BadParameter."""
    from lamppost.provisioning.enrolment import EnrolmentError  # noqa: PLC0415
    from lamppost.provisioning.enrolment.label import office, read  # noqa: PLC0415

    try:
        if url:
            found = office(url, ca)
            return found, password or typer.prompt(say("enrol.password"), hide_input=True)
        if label == "-":
            label = sys.stdin.readline()
        if label is None and sys.stdin.isatty():
            label = typer.prompt(say("enrol.label"), hide_input=True)
        if label is None:
            raise typer.BadParameter("give what the label says, or --url, --ca-fingerprint and --password")
        return read(label)
    except EnrolmentError as error:
        raise typer.BadParameter(str(error), param_hint="--url" if url else "LABEL") from None


def _issued(enrolment: Enrolment, office: Office, password: str) -> Path:
    """Ask, and for a moment ask again. Raises EnrolmentError."""
    from lamppost.provisioning.enrolment.est import PendingError  # noqa: PLC0415

    ends = time.monotonic() + PATIENCE_S
    while True:
        try:
            return enrolment.ask(office, password)
        except PendingError as pending:
            if time.monotonic() + pending.retry_s > ends:
                raise
            print(say("enrol.wait", seconds=pending.retry_s), file=sys.stderr)
            time.sleep(max(0.1, pending.retry_s))


def _taken(enrolment: Enrolment, settings: Config, pair: Path, *, trial: bool, as_json: bool) -> int:
    """Try the pair, use it, and say so."""
    from lamppost.provisioning.enrolment.enrol import as_json as told  # noqa: PLC0415
    from lamppost.provisioning.enrolment.state import state  # noqa: PLC0415
    from lamppost.provisioning.enrolment.trial import tried  # noqa: PLC0415

    async def at_hub(folder: Path, authorities: Path | None) -> str:
        return await tried(settings, folder, authorities)

    done = asyncio.run(enrolment.take(pair, at_hub if trial else None))
    identity = state(settings)
    if as_json:
        _print({**identity.as_json(), **told(done)})
        return 0
    if done.tried:
        print(say("enrol.tried", where=done.tried))
    else:
        print(say("enrol.untried", why=say("enrol.no-hub" if trial else "enrol.no-trial")))
    print(say("enrol.done", node=settings.node.id, **_shown(identity)))
    if done.backup is not None:
        print(say("enrol.backup", file=settings.path, backup=done.backup))
    print(say(f"enrol.agent.{told(done)['agent']}"))
    return 0


def _carry(enrolment: Enrolment, settings: Config, file: Path, *, as_json: bool) -> int:
    """Write the request; it is public."""
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    from lamppost.agent.rundir import write_whole  # noqa: PLC0415

    write_whole(file.absolute(), enrolment.request().public_bytes(Encoding.PEM).decode("ascii"))
    if as_json:
        _print({"state": "pending", "request": str(file)})
    else:
        print(say("enrol.request", file=file, node=settings.node.id))
    return 0


def _is_due(settings: Config, *, as_json: bool) -> bool:
    """Say whether the certificate is due; tell if it is not. Raises EnrolmentError without one."""
    from lamppost.provisioning.enrolment import EnrolmentError  # noqa: PLC0415
    from lamppost.provisioning.enrolment.state import Standing, state  # noqa: PLC0415

    identity = state(settings)
    if identity.certificate is None:
        raise EnrolmentError(f"{say(f'state.{identity.standing}')}; enrol first: lamppost enrol LABEL")
    if identity.standing is not Standing.ENROLLED:
        return True
    if as_json:
        _print(identity.as_json())
    else:
        print(say("enrol.not-due", **_shown(identity)))
    return False


def _show(settings: Config, *, as_json: bool) -> int:
    from lamppost.provisioning.enrolment.state import Standing, state  # noqa: PLC0415

    identity = state(settings)
    if as_json:
        _print(identity.as_json())
    else:
        print(say(f"state.{identity.standing}", **_shown(identity)))
    return 0 if identity.standing in (Standing.ENROLLED, Standing.DUE) else 1


def _shown(identity: Any) -> dict[str, str]:
    own = identity.certificate
    if own is None:
        return {}
    return {
        "subject": own.subject.rfc4514_string(),
        "ends": f"{own.not_valid_after_utc:%Y-%m-%d %H:%M}",
        "due": f"{identity.due:%Y-%m-%d %H:%M}",
    }


def _print(found: dict[str, Any]) -> None:
    print(json.dumps(found, indent=2, ensure_ascii=False))
