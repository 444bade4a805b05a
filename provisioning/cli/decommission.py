"""`lamppost decommission`: a box that goes out of service takes no secrets along."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from lamppost.provisioning.cli.enrolment_texts import TEXTS as _TEXTS  # noqa: F401 - makes them known
from lamppost.provisioning.cli.options import ConfigFile
from lamppost.provisioning.words import say


def decommission(
    config: ConfigFile,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for the box's id first.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was wiped as JSON.")] = False,
) -> int:
    """Wipe the keys, certificates, spool and evidence of this box, after a confirmation.

    What waits to be sent is lost. The configuration stays, without the files that are gone. Exit code 130 if
    another id is typed, 1 while the agent runs or if something could not be wiped.

    Examples: `lamppost decommission`, `lamppost decommission --yes --json`.
    """
    from lamppost.provisioning.enrolment.enrol import Enrolment  # noqa: PLC0415 - not for `--help`
    from lamppost.provisioning.enrolment.settings import load_unenrolled  # noqa: PLC0415
    from lamppost.provisioning.enrolment.wipe import wipe  # noqa: PLC0415
    from lamppost.provisioning.running import running  # noqa: PLC0415

    settings = load_unenrolled(config)
    node = settings.node.id
    if running(settings.node.run_dir):
        print(f"lamppost: {say('decommission.runs')}", file=sys.stderr)
        return 1
    if not yes and typer.prompt(say("decommission.ask", node=node), err=True).strip() != node:
        print(f"lamppost: {say('decommission.no')}", file=sys.stderr)
        return 130
    with Enrolment(settings).alone():
        wiped = wipe(settings)
    if as_json:
        print(json.dumps({"node": node, **wiped._asdict()}, ensure_ascii=False))
    else:
        counts = {"keys": wiped.keys, "spool": wiped.spool, "evidence": wiped.evidence}
        print(say("decommission.done", node=node, **counts))
        print(say("decommission.flash"))
    for path in wiped.left:
        print(f"lamppost: {say('decommission.left', path=path)}", file=sys.stderr)
    return 1 if wiped.left else 0
