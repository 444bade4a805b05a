"""A real mosquitto as a child process: started, stopped, killed, frozen; with TLS and passwords."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def mosquitto() -> str:
    """Return the broker's program, or skip the test where it is not installed."""
    path = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
    if path is None:
        pytest.skip("mosquitto is not installed")
    return path


def free_port() -> int:
    """Return a TCP port that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Broker:
    """mosquitto on one port. ``settings`` are lines of its configuration file."""

    def __init__(self, folder: Path, *settings: str, port: int | None = None) -> None:
        self.port = port or free_port()
        self._folder = folder
        self._file = folder / f"mosquitto-{self.port}.conf"
        anonymous = [] if any("allow_anonymous" in line for line in settings) else ["allow_anonymous true"]
        user = ["user root"] if os.geteuid() == 0 else []  # else it could not read the test's files
        lines = [
            *user,
            f"listener {self.port} 127.0.0.1",
            *anonymous,
            "persistence false",
            "log_type all",
            "max_queued_messages 0",  # else it drops what a slow subscriber has not fetched yet
            *settings,
        ]
        self._file.write_text("\n".join(lines) + "\n")
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def log(self) -> str:
        """What the broker has said."""
        return self._file.with_suffix(".log").read_text(errors="replace")

    def start(self) -> None:
        """Start, and return when it accepts connections."""
        with self._file.with_suffix(".log").open("ab") as log:
            self._child = subprocess.Popen(
                [mosquitto(), "-c", str(self._file)], stdout=log, stderr=log, cwd=self._folder
            )
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                if self._child.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"mosquitto did not start:\n{self.log}") from None
                time.sleep(0.01)
            else:
                return

    def stop(self) -> None:
        """Stop it the polite way."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it, frozen or not."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Freeze it: connections stay open, nobody answers."""
        assert self._child is not None
        self._child.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        assert self._child is not None
        self._child.send_signal(signal.SIGCONT)

    def reload(self) -> None:
        """Let it read its files again."""
        assert self._child is not None
        self._child.send_signal(signal.SIGHUP)

    def _end(self, how: signal.Signals) -> None:
        if self._child is not None:
            self._child.send_signal(how)
            self._child.wait(10)
            self._child = None


class Authority:
    """A certificate authority that lives for one test."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._certificate = (
            self._builder(self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(
                x509.KeyUsage(*(index in (5, 6) for index in range(9))),  # keyCertSign, cRLSign
                critical=True,
            )
            .sign(self._key, hashes.SHA256())
        )
        self.ca_file = folder / f"{name}.pem"
        self.ca_file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str) -> tuple[Path, Path]:
        """Return the files of a certificate for ``name`` (a host name or an address) and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            san: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            san = x509.DNSName(name)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = (
            self._builder(subject, key)
            .add_extension(x509.SubjectAlternativeName([san]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        cert_file, key_file = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return cert_file, key_file

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
        )


def tls_settings(authority: Authority, server: str = "127.0.0.1", *, clients: bool = False) -> list[str]:
    """Return the lines for a broker with a certificate for ``server``, which may demand one of clients."""
    cert_file, key_file = authority.issue(server)
    lines = [f"cafile {authority.ca_file}", f"certfile {cert_file}", f"keyfile {key_file}"]
    return [*lines, "require_certificate true"] if clients else lines


def password_settings(folder: Path, username: str, password: str) -> list[str]:
    """Return the lines for a broker that lets in one user only."""
    path = folder / "passwords"
    path.write_text(f"{username}:{password}\n")
    path.chmod(0o600)
    subprocess.run(["mosquitto_passwd", "-U", str(path)], check=True, capture_output=True)
    return ["allow_anonymous false", f"password_file {path}"]
