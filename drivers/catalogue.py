"""Where profiles are found: data files that teach a driver one product."""

from __future__ import annotations

import os
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

SHIPPED = Path(__file__).parent / "profiles"
SITE = Path("/etc/lamppost/profiles")

P = TypeVar("P", bound=BaseModel)


class ProfileError(ValueError):
    """A profile that is not there or does not hold together."""


def folders(base: Path | None) -> list[Path]:
    """Return where profiles are looked for, nearest first; a user's file wins over a shipped one."""
    own = [Path(p) for p in os.environ.get("LAMPPOST_PROFILES", "").split(":") if p]
    return [*([base / "profiles"] if base else []), *own, SITE, SHIPPED]


class Catalogue(Generic[P]):
    """The profiles of one driver. ``table`` is the part of a file that its ``[defaults]`` go into."""

    def __init__(self, driver: str, model: type[P], table: str) -> None:
        self._driver = driver
        self._model = model
        self._table = table
        self._loaded = lru_cache(maxsize=32)(self._load)

    def available(self, base: Path | None = None) -> dict[str, Path]:
        """Return the installed profiles by name."""
        found: dict[str, Path] = {}
        for folder in folders(base):
            for path in sorted(folder.glob("*.toml")) if folder.is_dir() else ():
                if path.stem not in found and _driver_of(path) == self._driver:
                    found[path.stem] = path
        return found

    def find(self, name: str, base: Path | None = None) -> P:
        """Return the profile called ``name``, or the one in the file that it names. Raises ProfileError."""
        if "/" in name or name.endswith(".toml"):
            path = (base or Path()) / name
            if not path.is_file():
                raise ProfileError(f"there is no profile file {path}")
            return self.load(path)
        other = ""
        for folder in folders(base):
            path = folder / f"{name}.toml"
            if path.is_file():
                if _driver_of(path) == self._driver:
                    return self.load(path)
                other = other or f" It is one of driver {_driver_of(path)!r}."
        names = sorted(self.available(base))
        import difflib  # noqa: PLC0415 - a good configuration has nothing to guess

        near = difflib.get_close_matches(name, names, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ProfileError(f"unknown profile {name!r}{hint}{other} Installed: {', '.join(names)}")

    def load(self, path: Path) -> P:
        """Read one profile file. Raises ProfileError that names the file, the key and what is expected."""
        try:
            return self._loaded(path, path.stat().st_mtime_ns)
        except OSError as error:
            raise ProfileError(f"profile {path} cannot be read: {error.strerror}") from error

    def titles(self) -> dict[str, str]:
        """Return the installed profiles: name and title, or what is wrong with them."""
        titles = {}
        for name in self.available():
            try:
                titles[name] = str(getattr(self.find(name), "title", ""))
            except ProfileError as error:
                titles[name] = f"cannot be used: {error}"
        return titles

    def _load(self, path: Path, _changed_ns: int) -> P:
        try:
            return self._model.model_validate(self._read(path))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ProfileError(f"profile {path} is no TOML: {error}") from error
        except ValidationError as error:
            lines = "; ".join(f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors())
            raise ProfileError(f"profile {path}: {lines}") from error

    def _read(self, path: Path) -> dict[str, Any]:
        """Return the file with ``[defaults]`` written into every entry that does not say otherwise."""
        with path.open("rb") as file:
            data = tomllib.load(file)
        defaults, entries = data.pop("defaults", {}), data.get(self._table)
        if isinstance(entries, dict) and isinstance(defaults, dict):
            data[self._table] = {
                k: {**defaults, **v} if isinstance(v, dict) else v for k, v in entries.items()
            }
        return data


@lru_cache(maxsize=256)
def _driver_of(path: Path) -> str:
    """Return whose profile a file is, unvalidated; one that cannot be read is Modbus's to refuse."""
    try:
        with path.open("rb") as file:
            return str(tomllib.load(file).get("driver", "modbus"))
    except (OSError, ValueError):
        return "modbus"
