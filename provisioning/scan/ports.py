"""Serial ports by their stable names, and the hosts of the box's own networks."""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

DEV = Path("/dev")
#: Real ports of a board that have no adapter's name.
PATTERNS = ("ttyUSB*", "ttyACM*", "ttyAMA*", "ttyTHS*", "ttyS[0-9]", "ttymxc*", "serial0")
#: A larger network is not scanned: a street's has a few dozen devices.
LARGEST = 1024
SIOCGIFADDR, SIOCGIFNETMASK = 0x8915, 0x891B


class SerialPort(NamedTuple):
    """A port: ``path`` is its stable name where it has one, ``device`` the node behind it."""

    path: str
    device: str


def serial_ports(dev: Path = DEV) -> list[SerialPort]:
    """Return the serial ports: adapters by /dev/serial/by-id, then others that are real."""
    found: dict[str, str] = {}
    for folder in ("by-id", "by-path"):
        links = dev / "serial" / folder
        for link in sorted(links.iterdir()) if links.is_dir() else ():
            found.setdefault(str(link.resolve()), str(link))
    for pattern in PATTERNS:
        for node in sorted(dev.glob(pattern)):
            if _is_real(node):
                found.setdefault(str(node.resolve()), str(node))
    return [SerialPort(path, device) for device, path in found.items()]


def _is_real(node: Path) -> bool:
    """Leave out the many ttyS that no chip stands behind."""
    kind = Path("/sys/class/tty") / node.name / "type"
    try:
        return not node.name.startswith("ttyS") or kind.read_text().strip() != "0"
    except OSError:
        return True


def local_hosts(subnet: str | None = None) -> list[str]:
    """Return the addresses of the box's private networks but its own, or those of ``subnet``.

    Raises ValueError for a network that is public or too large.
    """
    if subnet is not None:
        return [str(host) for host in _checked(subnet).hosts()]
    hosts: dict[str, None] = {}
    for network, own in _networks():
        for host in network.hosts():
            if host != own:
                hosts.setdefault(str(host))
    return list(hosts)


def _checked(text: str) -> ipaddress.IPv4Network:
    network = ipaddress.IPv4Network(text, strict=False)
    if not network.is_private:
        raise ValueError(f"{text} is a public network; only private ones are scanned")
    if network.num_addresses > LARGEST:
        raise ValueError(f"{text} has {network.num_addresses} addresses; at most {LARGEST} are scanned")
    return network


def _networks() -> Iterator[tuple[ipaddress.IPv4Network, ipaddress.IPv4Address]]:
    """Yield the private networks of the box's interfaces, larger ones cut to the /24 around the box."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            try:
                own = _told(asking, name, SIOCGIFADDR)
                mask = _told(asking, name, SIOCGIFNETMASK)
            except OSError:
                continue  # an interface without an IPv4 address
            if own.is_loopback or own.is_link_local or not own.is_private:
                continue
            length = max(24, ipaddress.IPv4Network(f"0.0.0.0/{mask}").prefixlen)
            yield ipaddress.IPv4Network(f"{own}/{length}", strict=False), own


def addresses() -> dict[str, str]:
    """Return the IPv4 address of each interface that has one."""
    found = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            with contextlib.suppress(OSError):
                found[name] = str(_told(asking, name, SIOCGIFADDR))
    return found


def _told(asking: socket.socket, name: str, what: int) -> ipaddress.IPv4Address:
    """Ask the kernel for an address of an interface (netdevice(7))."""
    answer = fcntl.ioctl(asking.fileno(), what, struct.pack("256s", name.encode()[:15]))
    return ipaddress.IPv4Address(answer[20:24])
