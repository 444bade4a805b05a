"""Failures in words that say what to do about them."""

from __future__ import annotations

import socket
import ssl

from paho.mqtt.reasoncodes import ReasonCode

# MQTT 5, section 3.2.2.2; paho translates the codes of 3.1.1 into these.
_REFUSALS = {
    0x84: "the hub does not speak this MQTT version: try the other hub.protocol",
    0x85: "the hub does not accept the client id: see hub.client_id",
    0x86: "wrong user name or password: see hub.username and hub.password",
    0x87: "not authorised: check hub.username and hub.password, and what the hub allows this box",
    0x88: "the hub is not available now",
    0x89: "the hub is busy now",
    0x8A: "the hub has banned this box",
    0x8C: "the hub wants another way of authentication",
    0x97: "the hub's quota is exceeded",
    0x9F: "the hub takes no more connections at this rate",
}
_ALERTS = {
    "CERTIFICATE_REQUIRED": "the hub wants a client certificate: set hub.cert_file and hub.key_file",
    "HANDSHAKE_FAILURE": "the hub refuses our TLS or wants a client certificate",
    "UNKNOWN_CA": "the hub does not trust the client certificate's issuer: see hub.cert_file",
    "BAD_CERTIFICATE": "the hub refuses the client certificate: see hub.cert_file",
    "CERTIFICATE_EXPIRED": "the hub says that the client certificate has expired: see hub.cert_file",
    "CERTIFICATE_REVOKED": "the hub says that the client certificate is revoked: see hub.cert_file",
    "CERTIFICATE_UNKNOWN": "the hub refuses the client certificate: see hub.cert_file",
    "PROTOCOL_VERSION": "the hub speaks no TLS of version 1.2 or later",
    "WRONG_VERSION_NUMBER": "the hub does not speak TLS at this port: see hub.url",
    "UNEXPECTED_EOF_WHILE_READING": "the hub hung up during the TLS handshake",
}


def dialling(error: Exception, host: str, port: int, within_s: float) -> str:
    """Say why no connection came about."""
    where = f"{host}:{port}"
    if isinstance(error, socket.gaierror):
        return f"unknown host {host} ({error.strerror}): check hub.url and the name service"
    if isinstance(error, ssl.SSLError):
        return f"{where}: {tls(error)}"
    if isinstance(error, TimeoutError):
        return f"{where} does not answer within {within_s:g} s"
    if isinstance(error, ConnectionResetError):
        return f"{where} hung up during the TLS handshake: does it speak TLS at this port? See hub.url"
    if isinstance(error, ConnectionRefusedError):
        return f"{where} refuses connections: no broker is running there"
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"{where}: {reason or type(error).__name__}"


def tls(error: ssl.SSLError) -> str:
    """Say what is wrong with a certificate or a handshake."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the hub's certificate is not accepted: {error.verify_message}: see hub.ca_file and hub.url"
    reason = error.reason or ""
    for alert, words in _ALERTS.items():
        if alert in reason:
            return words
    return f"TLS failed: {reason or error}"


def refusal(code: ReasonCode) -> str:
    """Say why the hub refused to let us in."""
    return _REFUSALS.get(code.value, f"the hub refuses: {code}")


def ending(code: ReasonCode, error: BaseException | None, *, by_packet: bool, greeting: bool) -> str:
    """Say why a connection ended.

    ``by_packet``: the hub said so itself (MQTT 5); ``greeting``: it was not up yet, but TLS was.
    """
    if by_packet:
        return f"the hub ended the connection: {code}"
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
        return tls(error)
    if greeting and error is not None:
        # TLS 1.3: a client certificate is refused after the handshake, and the alert may be lost.
        return "the hub hung up: it may want a client certificate, or another one: see hub.cert_file"
    if error is not None:
        return f"the connection broke: {error}"
    if code.getName() == "Keep alive timeout":
        return "the hub no longer answers: the link is dead"
    return "the hub closed the connection"
