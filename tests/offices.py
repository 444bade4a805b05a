"""Boxes and an office of the openssl program, for tests of enrolment."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lamppost.provisioning.cli import main


def openssl(*words, data=None, folder=None):
    """Return what openssl prints; fail if it does."""
    done = subprocess.run(
        ["openssl", *map(str, words)], input=data, capture_output=True, cwd=folder, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


class Openssl:
    """An authority made and used with the openssl program only."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        own = ("-keyout", "ca.key", "-out", "ca.pem", "-days", 30, "-subj", "/CN=Office")
        openssl("req", "-x509", *curve, *own, folder=folder)
        openssl(
            "req", *curve, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=est", folder=folder
        )
        (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        self.sign("server.csr", "server.pem", "-extfile", "names")
        fingerprint = openssl("x509", "-in", "ca.pem", "-noout", "-fingerprint", "-sha256", folder=folder)
        self.fingerprint = fingerprint.decode().strip().partition("=")[2]

    def sign(self, request, out, *more, days=30):
        openssl("x509", "-req", "-in", request, "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", days, "-out", out, *more, folder=self.folder)  # fmt: skip

    @contextmanager
    def est(self, password):
        """Serve EST with the openssl program behind it; yields the label."""
        office = self

        class Handler(BaseHTTPRequestHandler):
            def reply(self, *files):
                named = [word for file in files for word in ("-certfile", file)]
                pkcs7 = openssl("crl2pkcs7", "-nocrl", *named, "-outform", "DER", folder=office.folder)
                body = base64.encodebytes(pkcs7)
                self.send_response(200)
                self.send_header("Content-Type", "application/pkcs7-mime")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                self.reply("ca.pem")

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                login = base64.b64encode(f":{password}".encode()).decode()
                if self.headers.get("authorization") != f"Basic {login}":
                    self.send_error(401)
                    return
                (office.folder / "box.der").write_bytes(base64.b64decode(body))
                openssl("req", "-inform", "DER", "-in", "box.der", "-verify", "-noout", folder=office.folder)
                openssl("req", "-inform", "DER", "-in", "box.der", "-out", "box.csr", folder=office.folder)
                office.sign("box.csr", "box.pem")
                self.reply("box.pem")

            def log_message(self, *words):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trust.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")
        server.socket = trust.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield (
                f"https://localhost:{server.server_address[1]}/.well-known/est"
                f"#password={password}&ca={self.fingerprint}"
            )
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class Box:
    """A box in a folder, and `lamppost` on it."""

    def __init__(self, folder, capsys, hub=""):
        self.file = folder / "lamppost.toml"
        self.identity = folder / "state/identity"
        self.file.write_text(
            f'# mine\n[node]\nid = "pole-1"\nsite = "s1"\nrun_dir = "{folder}/run"\n'
            f'state_dir = "{folder}/state"\n{hub}'
        )
        self._capsys = capsys

    def __call__(self, *words):
        """Return exit code, stdout and stderr of a command."""
        self._capsys.readouterr()
        code = main([words[0], "--config", str(self.file), *map(str, words[1:])])
        said = self._capsys.readouterr()
        return code, said.out, said.err

    def standing(self):
        return json.loads(self("enrol", "--state", "--json")[1])["state"]

    def pair(self):
        current = self.identity / "current"
        return (current / "key.pem").read_bytes(), (current / "cert.pem").read_bytes()
