#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A registry that lies, for tests: each repository name is one way to lie.

usage: liar.py DIR

Several servers, whose ports are written to DIR/port, DIR/other (a second host, on all addresses), DIR/mirror and DIR/proxy.
What they are asked is one line a request, with its Authorization header, in DIR/log, DIR/other.log, DIR/mirror.log and
DIR/proxy.log. Tokens are given by DIR/port for user:secret, or for the refresh token "identity".
The repository "honest" tells the truth, and all others are like it but for the point in their name.
"""
import base64
import email.utils
import gzip
import hashlib
import http.server
import io
import json
import os
import socket
import sys
import tarfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

OCI = "application/vnd.oci.image."
DIR = sys.argv[1]


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def make_layer(name, size):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        info = tarfile.TarInfo(name)
        data = os.urandom(size // 2) + b"x" * (size // 2)
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    plain = stream.getvalue()
    return plain, gzip.compress(plain, mtime=0)


PLAIN, LAYER = make_layer("file", 400_000)
EVIL_PLAIN, EVIL = make_layer("../../evil", 1000)


def config(plain):
    return json.dumps({
        "architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/true"]},
        "rootfs": {"type": "layers", "diff_ids": [digest(plain)]}}).encode()


def descriptor(kind, data, size=None):
    return {"mediaType": OCI + kind, "digest": digest(data), "size": len(data) if size is None else size}


def manifest(cfg, layer, size=None, **more):
    return json.dumps({
        "schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
        "config": descriptor("config.v1+json", cfg),
        "layers": [descriptor("layer.v1.tar+gzip", layer, size)], **more}).encode()


CONFIG = config(PLAIN)
BLOBS = {digest(d): d for d in (LAYER, EVIL, CONFIG, config(EVIL_PLAIN), config(b"other"), config(b""), b"")}

MANIFESTS = {
    "evil-layer": manifest(config(EVIL_PLAIN), EVIL),
    "no-byte": manifest(config(b""), b""),
    "wrong-diff-id": manifest(config(b"other"), LAYER),
    "size-too-small": manifest(CONFIG, LAYER, len(LAYER) - 1),
    "size-too-large": manifest(CONFIG, LAYER, len(LAYER) + 1),
    "size-huge": manifest(CONFIG, LAYER, 2**63 - 2),
    "both-kinds": manifest(CONFIG, LAYER, manifests=[]),
    "urls": manifest(CONFIG, LAYER).replace(b'"layers": [{', b'"layers": [{"urls": ["http://127.0.0.1:1/x"], '),
    "bad-digest": manifest(CONFIG, LAYER).replace(digest(LAYER).encode(), b"sha256:../../../../etc/passwd"),
    "not-json": b"<html>hello</html>",
    "endless-manifest": b"",
}
TOKEN_REPOSITORIES = ("token-expires", "token-redirects", "token-moves", "token-injects", "identity")
# Repositories whose lie is about one path of the layer's blob: see Handler.lie.
HONEST = manifest(CONFIG, LAYER)
state = {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    log_name = "log"

    def log_message(self, *args):
        pass

    def note(self):
        with open(f"{DIR}/{self.log_name}", "a", encoding="utf-8") as log:
            log.write(f"{self.path} range={self.headers.get('Range', '-')} "
                      f"authorization={self.headers.get('Authorization', '-')}\n")

    def send(self, data, code=200, kind="application/octet-stream", length=None, **headers):
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def redirect(self, location, code=307):
        self.send(b"", code, Location=location)

    def endless(self):
        self.send_response(200)
        self.send_header("Content-Type", OCI + "manifest.v1+json")
        self.end_headers()
        self.close_connection = True
        try:
            while True:
                self.wfile.write(b" " * 65536)
        except OSError:
            pass

    def endless_headers(self, line):
        self.close_connection = True
        try:
            if line[:1] == b"X":
                self.send_response(200)
                self.flush_headers()
            while True:
                self.wfile.write(line * 1000)
        except OSError:
            pass

    def ranged(self, data):
        """As a good registry answers, with ranges."""
        wanted = self.headers.get("Range", "")
        if wanted.startswith("bytes="):
            first = int(wanted[6:].split("-")[0])
            self.send(data[first:], 206, Content_Range=f"bytes {first}-{len(data) - 1}/{len(data)}")
        else:
            self.send(data)

    def cut(self, data, at):
        """A connection that breaks."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[:at])
        self.wfile.flush()
        self.close_connection = True

    def once(self, repository):
        count = state.get(repository, 0)
        state[repository] = count + 1
        return count == 0

    def do_GET(self):
        self.note()
        parts = self.path.split("?")[0].strip("/").split("/")
        if parts == ["token"]:
            return self.token(urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query))
        if len(parts) != 4 or parts[0] != "v2":
            return self.send(b"{}", 404)
        _, repository, kind, target = parts
        if kind == "manifests":
            return self.manifest(repository)
        data = BLOBS.get(target)
        if data is None:
            return self.send(b"{}", 404)
        if data is not LAYER:
            return self.send(data)
        return self.lie(repository, data)

    def manifest(self, repository):
        if repository == "endless-manifest":
            return self.endless()
        if repository in ("endless-headers", "endless-beginnings"):
            return self.endless_headers(b"HTTP/1.1 103 Early Hints\r\n\r\n" if repository == "endless-beginnings" else b"X: y\r\n")
        if repository == "busy" and state.get("busy", 0) < 2:
            state["busy"] = state.get("busy", 0) + 1
            return self.send(b'{"errors":[{"message":"slow down"}]}', 429, Retry_After="0")
        if repository == "always-busy":
            return self.send(b'{"errors":[{"message":"slow\\u001b[31m down"}]}', 503, Retry_After="0")
        if repository == "busy-long":
            return self.send(b"{}", 429, Retry_After="3600")
        if repository == "busy-date" and self.once(repository):
            later = email.utils.formatdate(time.time() + 1, usegmt=True)
            return self.send(b"{}", 503, Retry_After=later)
        if repository in TOKEN_REPOSITORIES and not self.headers.get("Authorization", "").startswith("Bearer "):
            return self.send(b"{}", 401, WWW_Authenticate=self.bearer(repository))
        if repository == "wants-basic" and not self.headers.get("Authorization"):
            return self.send(b"{}", 401, WWW_Authenticate='Basic realm="x"')
        if repository == "wants-file-token":
            return self.send(b"{}", 401, WWW_Authenticate='Bearer realm="file:///etc/passwd"')
        if repository == "wants-any":
            return self.send(b"{}", 401, WWW_Authenticate="Negotiate")
        if repository == "manifest-as-index":
            return self.send(HONEST, kind=OCI + "index.v1+json")
        if repository == "lost":
            return self.send(b'{"errors":[{"message":"gone"}]}', 404)
        self.send(MANIFESTS.get(repository, HONEST), kind=OCI + "manifest.v1+json")

    def bearer(self, repository):
        return f'Bearer realm="http://{self.headers["Host"]}/token",service="{repository}",scope="repository:secrets:pull"'

    def token(self, form):
        """The token server: a user or a refresh token, in exchange for "token-N"."""
        service = form.get("service", [""])[0]
        if service == "token-moves":
            return self.redirect(f"http://127.0.0.1:{OTHER}/token")
        known = (form.get("refresh_token") == ["identity"] if self.command == "POST" else
                 self.headers.get("Authorization") == "Basic " + base64.b64encode(b"user:secret").decode())
        if not known:
            return self.send(b"{}", 401)
        state["tokens"] = state.get("tokens", 0) + 1
        name = "access_token" if self.command == "POST" else "token"
        answer = {name: f"token-{state['tokens']}"}
        if service == "token-injects":
            answer = {name: "a\r\nX-Evil: 1"}
        return self.send(json.dumps(answer).encode())

    def do_POST(self):
        self.note()
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        if self.path != "/token":
            return self.send(b"{}", 404)
        with open(f"{DIR}/forms", "a", encoding="utf-8") as log:
            log.write(body + "\n")
        return self.token(urllib.parse.parse_qs(body))

    def lie(self, repository, data):
        token = self.headers.get("Authorization")
        if repository == "token-expires":
            # The connection breaks, and what was a good token is none any more.
            if self.once(repository):
                state["expired"] = token
                return self.cut(data, len(data) // 2)
            if token == state["expired"]:
                return self.send(b"{}", 401, WWW_Authenticate=self.bearer(repository))
        if repository == "mirrored" and not token:
            return self.send(b"{}", 401, WWW_Authenticate='Basic realm="x"')
        if repository == "flipped":
            return self.send(data[:1000] + bytes([data[1000] ^ 1]) + data[1001:])
        if repository == "short":
            return self.send(data[:-10])
        if repository == "long":
            return self.send(data + b"more")
        if repository == "endless":
            return self.endless()
        if repository == "cut-once" and self.once(repository):
            return self.cut(data, len(data) // 2)
        if repository == "cut-always":
            return self.cut(data, 1000)
        if repository == "stalled":
            self.cut(data, 1000)
            time.sleep(20)
            return None
        if repository == "slow":
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[:1000])
            self.wfile.flush()
            time.sleep(1)
            return self.wfile.write(data[1000:])
        if repository == "200-for-206":
            return self.cut(data, len(data) // 2) if self.once(repository) else self.send(data)
        if repository == "wrong-range":
            if self.once(repository):
                return self.cut(data, len(data) // 2)
            return self.send(data[:100], 206, Content_Range=f"bytes 0-99/{len(data)}")
        if repository in ("range-of-another", "range-beyond", "range-signed"):
            if self.once(repository):
                return self.cut(data, len(data) // 2)
            first = int(self.headers["Range"][6:].split("-")[0])
            stated = {"range-of-another": f"{first}-{len(data) - 1}/{len(data) + 1}", "range-beyond": f"{first}-{len(data)}/*",
                      "range-signed": f"+{first}-{len(data) - 1}/{len(data)}"}[repository]
            return self.send(data[first:], 206, Content_Range="bytes " + stated)
        if repository == "range-of-part":
            if self.once(repository):
                return self.cut(data, len(data) // 2)
            first = int(self.headers["Range"][6:].split("-")[0])
            part = data[first:first + len(data) // 5]
            return self.send(part, 206, Content_Range=f"bytes {first}-{first + len(part) - 1}/{len(data)}")
        if repository == "byte-by-byte":
            if self.once(repository):
                return self.cut(data, len(data) // 2)
            first = int(self.headers["Range"][6:].split("-")[0])
            return self.send(data[first:first + 1], 206, Content_Range=f"bytes {first}-{first}/{len(data)}")
        if repository == "206-unasked":
            return self.send(data, 206, Content_Range=f"bytes 0-{len(data) - 1}/{len(data)}")
        if repository == "evil-resume":
            return self.cut(b"\0" * len(data), len(data) // 2) if self.once(repository) else self.ranged(data)
        if repository in ("redirect-other", "wants-basic", "token-redirects"):
            return self.redirect(f"http://127.0.0.1:{OTHER}/v2/{repository}/blobs/{digest(data)}?signed=1")
        places = {
            "redirect-file": "file:///etc/passwd",
            "redirect-gopher": "gopher://127.0.0.1:1/x",
            "redirect-link-local": f"http://169.254.169.254:{OTHER}/latest/meta-data",
            "redirect-link-local-name": f"http://metadata.example:{OTHER}/latest/meta-data",
            "redirect-loop": self.path,
            "redirect-nowhere": "http://",
        }
        if repository in places:
            return self.redirect(places[repository])
        return self.ranged(data)


class Other(Handler):
    """The second host: where redirects lead."""
    log_name = "other.log"

    def do_GET(self):
        self.note()
        self.ranged(LAYER)


def serve(handler, address="127.0.0.1"):
    server = http.server.ThreadingHTTPServer((address, 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


class Mirror(Handler):
    """A mirror whose layers are damaged."""
    log_name = "mirror.log"

    def do_GET(self):
        self.note()
        if "/manifests/" in self.path:
            return self.send(HONEST, kind=OCI + "manifest.v1+json")
        return self.send(LAYER[:1000] + bytes([LAYER[1000] ^ 1]) + LAYER[1001:] if self.path.endswith(digest(LAYER)) else CONFIG)


def pump(source, target):
    while data := source.recv(65536):
        target.sendall(data)
    target.shutdown(socket.SHUT_WR)


class Proxy(Handler):
    """An HTTP proxy, for GET and CONNECT and only as far as here."""
    log_name = "proxy.log"

    def do_CONNECT(self):
        self.note()
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port))) as other:
            self.send_response(200)
            self.end_headers()
            there = threading.Thread(target=pump, args=(self.connection, other), daemon=True)
            there.start()
            pump(other, self.connection)
            there.join()
        self.close_connection = True

    def do_GET(self):
        self.note()
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("proxy-connection", "host")}
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            answer = opener.open(urllib.request.Request(self.path, headers=headers))
        except urllib.error.HTTPError as error:
            answer = error
        return self.send(answer.read(), answer.status, answer.headers.get("Content-Type", ""))


OTHER = serve(Other, "")
PORT = serve(Handler)
for name, port in (("other", OTHER), ("mirror", serve(Mirror)), ("proxy", serve(Proxy)), ("port", PORT)):
    with open(f"{DIR}/{name}.new", "w", encoding="ascii") as file:
        file.write(str(port))
    os.rename(f"{DIR}/{name}.new", f"{DIR}/{name}")
threading.Event().wait()
