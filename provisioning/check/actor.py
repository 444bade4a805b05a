"""Whose rights count: those of the agent's user while it runs, else those of who looks."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import NamedTuple

from lamppost.provisioning.check.bench import Bench


class Actor(NamedTuple):
    """A user with the groups that the process really has; a unit file may give it more than its account."""

    uid: int
    groups: frozenset[int]

    @property
    def name(self) -> str:
        """The user's name, or its number where it has none."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)

    def may(self, path: Path, rights: int) -> bool:
        """Say whether it has rights (os.R_OK and so on) to a file that is there."""
        if self.uid == os.geteuid():
            return os.access(path, rights)
        if self.uid == 0:
            return True
        try:
            about = path.stat()
        except OSError:
            return True  # not ours to see; the agent says if it fails
        shift = 6 if about.st_uid == self.uid else 3 if about.st_gid in self.groups else 0
        return (about.st_mode >> shift) & rights == rights


def actor(bench: Bench) -> Actor:
    """Return the running agent's user and groups, or ours if none runs or nobody may see them."""
    pid = None if bench.status is None else bench.status.get("pid")
    said = bench.text(f"proc/{pid}/status") if pid else None
    fields = dict(line.split(":", 1) for line in (said or "").splitlines() if ":" in line)
    try:
        uid, gid = int(fields["Uid"].split()[1]), int(fields["Gid"].split()[1])  # the effective ones
        groups = frozenset(int(one) for one in fields["Groups"].split())
    except (KeyError, ValueError, IndexError):
        return Actor(os.geteuid(), frozenset({os.getegid(), *os.getgroups()}))
    return Actor(uid, groups | {gid})
