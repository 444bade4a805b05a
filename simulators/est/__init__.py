"""An office that gives certificates to boxes: an authority of its own behind EST (RFC 7030)."""

from lamppost.simulators.est.authority import Authority
from lamppost.simulators.est.server import EstServer

__all__ = ["Authority", "EstServer"]
