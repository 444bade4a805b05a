"""Taking a box out of service: its keys and what it has seen are wiped."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from lamppost.agent.config import Config
from lamppost.agent.durable import sync_folder
from lamppost.provisioning.enrolment.enrol import LOCK
from lamppost.provisioning.enrolment.settings import forget
from lamppost.provisioning.enrolment.state import identity_folder

_CHUNK = 1 << 20


class Wiped(NamedTuple):
    """What was wiped, by what it was, and what could not be and why."""

    keys: int
    spool: int
    evidence: int
    left: tuple[str, ...]


def wipe(config: Config) -> Wiped:
    """Overwrite and delete keys, certificates, spool and evidence; the configuration names them no more.

    Key and certificate that were put elsewhere by hand are among them; the hub's authority there is not.

    The agent must not run. Raises ConfigError and EditError where the file cannot be changed; all else is
    wiped by then.

    On flash an overwrite proves nothing: the card keeps old blocks where no program reaches them.
    """
    identity = identity_folder(config)
    spool = config.spool.path
    left: list[str] = []
    evidence = config.node.state_dir / "evidence"

    def count(paths: Iterable[Path]) -> int:
        return sum(_gone(path, left) and path.name != LOCK for path in list(paths))

    keys, waiting, seen = (
        count([*_files(identity), *_by_hand(config, identity)]),
        count(spool.parent.glob(f"{spool.name}*")),
        count(_files(evidence)),
    )
    for folder in (identity, evidence):
        for path in sorted(folder.rglob("*"), reverse=True):
            with contextlib.suppress(OSError):
                path.rmdir()
        with contextlib.suppress(OSError):
            folder.rmdir()
    with contextlib.suppress(OSError):
        sync_folder(config.node.state_dir)
    forget(config.path)
    return Wiped(keys, waiting, seen, tuple(left))


def _by_hand(config: Config, identity: Path) -> Iterator[Path]:
    """Yield key and certificate that do not lie in the identity's folder."""
    hub = config.hub
    for path in (hub.key_file, hub.cert_file) if hub is not None else ():
        if path is not None and not path.resolve().is_relative_to(identity.resolve()):
            yield path.resolve()


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_symlink() or path.is_file())


def _gone(path: Path, left: list[str]) -> bool:
    """Overwrite and delete a file; say whether there was one."""
    try:
        if not path.is_symlink():
            with path.open("r+b", buffering=0) as file:
                rest = os.fstat(file.fileno()).st_size
                while rest > 0:
                    rest -= file.write(bytes(min(_CHUNK, rest)))
                os.fsync(file.fileno())
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        left.append(f"{path}: {error.strerror}")
        return False
    return True
