#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A token server for docker-registry, as its "token" authentication wants one.

usage: token.py DIR USER:PASSWORD [CERTIFICATE-WITHOUT-SUFFIX]

DIR holds token.key and token.crt, by which tokens are signed, and gets token.port. Anyone may pull from
repositories below public/; the user may do all. A wrong password is an answer of 401, never an
anonymous token. Each request is a line of the standard output: "GET user-or-- scopes granted".
"""
import base64
import http.server
import json
import os
import ssl
import subprocess
import sys
import time
import urllib.parse

ISSUER, SERVICE, LIFETIME = "liblcx-test-issuer", "liblcx-test", 300


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def sign(directory, subject, access):
    with open(f"{directory}/token.crt", encoding="ascii") as file:
        chain = "".join(file.read().split("-----")[2].split())
    now = int(time.time())
    header = {"typ": "JWT", "alg": "RS256", "x5c": [chain]}
    claims = {
        "iss": ISSUER, "aud": SERVICE, "sub": subject, "access": access,
        "iat": now, "nbf": now - 5, "exp": now + LIFETIME, "jti": os.urandom(8).hex(),
    }
    body = b".".join(b64url(json.dumps(part).encode()) for part in (header, claims))
    signature = subprocess.run(
        ["openssl", "dgst", "-sha256", "-sign", f"{directory}/token.key"],
        input=body, stdout=subprocess.PIPE, check=True).stdout
    return (body + b"." + b64url(signature)).decode()


def granted(scopes, subject):
    """What of the scopes ("repository:NAME:pull,push") this subject gets."""
    access = []
    for scope in scopes:
        kind, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")
        actions = actions.split(",")
        if not subject:
            actions = ["pull"] if name.startswith("public/") and "pull" in actions else []
        if kind and actions:
            access.append({"type": kind, "name": name, "actions": actions})
    return access


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    directory = credentials = ""

    def user(self):
        """The user's name, "" for nobody, None for wrong credentials."""
        words = self.headers.get("Authorization", "").split()
        if not words:
            return ""
        given = base64.b64decode(words[1]).decode() if len(words) == 2 and words[0].lower() == "basic" else ""
        return given.partition(":")[0] if given == self.credentials else None

    def answer(self, code, value):
        body = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        user = self.user()
        scopes = [word for scope in query.get("scope", []) for word in scope.split()]
        access = granted(scopes, user)
        print(self.command, user or "-", " ".join(scopes), json.dumps(access), flush=True)
        if url.path != "/token" or query.get("service") != [SERVICE]:
            self.answer(404, {"details": "no such service"})
        elif user is None:
            self.answer(401, {"details": "wrong user or password"})
        else:
            token = sign(self.directory, user, access)
            self.answer(200, {"token": token, "access_token": token, "expires_in": LIFETIME})

    def log_message(self, *_):
        pass


def main():
    directory, credentials = sys.argv[1:3]
    Handler.directory, Handler.credentials = directory, credentials
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if len(sys.argv) > 3 and sys.argv[3]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[3] + ".crt", sys.argv[3] + ".key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    with open(f"{directory}/token.port.new", "w", encoding="ascii") as file:
        file.write(str(server.server_port))
    os.rename(f"{directory}/token.port.new", f"{directory}/token.port")
    server.serve_forever()


main()
