#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A registry that takes images, badly: each repository name is one way to do it.

usage: taker.py DIR

Two servers; their ports are written to DIR/port and DIR/other. Requests are one line each, with their
Content-Range and Authorization headers, in DIR/log and DIR/other.log. Sessions are shared, so that one can be moved.
"""
import hashlib
import http.server
import itertools
import os
import socket
import sys
import threading
import time
import urllib.parse

DIR = sys.argv[1]
blobs, sessions, counts = {}, {}, {}
# Sessions end while others begin: a number is given once, to one thread.
numbers = itertools.count()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    log_name = "log"

    def log_message(self, *args):
        pass

    def note(self):
        with open(f"{DIR}/{self.log_name}", "a", encoding="utf-8") as log:
            log.write(f"{self.command} {self.path} range={self.headers.get('Content-Range', '-')} "
                      f"authorization={self.headers.get('Authorization', '-')}\n")

    def answer(self, code, **headers):
        self.send_response(code)
        if code != 204:
            self.send_header("Content-Length", "0")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def body(self, at_most=None):
        length = int(self.headers.get("Content-Length", "0"))
        if self.split()[0] == "slow":
            return self.slow_body(length)
        return self.rfile.read(length if at_most is None else min(length, at_most))

    def slow_body(self, length):
        data = b""
        while len(data) < length:
            data += self.rfile.read(min(length - len(data), 64 << 10))
            time.sleep(0.005)
        return data

    def times(self, what):
        counts[what] = counts.get(what, 0) + 1
        return counts[what]

    def split(self):
        """Repository, kind, rest, query."""
        url = urllib.parse.urlsplit(self.path)
        _, repository, kind, rest = (url.path.strip("/") + "//").split("/", 3)
        return repository, kind, rest.strip("/"), urllib.parse.parse_qs(url.query)

    def session_url(self, repository, number):
        host = f"http://127.0.0.1:{OTHER}" if repository == "elsewhere" else ""
        return f"{host}/v2/{repository}/blobs/uploads/{number}?state={len(sessions[number])}"

    def do_HEAD(self):
        self.note()
        repository, _, rest, _ = self.split()
        self.answer(200 if (repository, rest) in blobs else 404)

    def do_POST(self):
        self.note()
        self.body()
        repository, _, _, _ = self.split()
        if repository == "to-file":
            return self.answer(202, Location="file:///etc/passwd")
        if repository == "hangs":
            return threading.Event().wait(60)
        if repository == "to-nowhere":
            return self.answer(202)
        if repository == "needs-login" and not self.headers.get("Authorization"):
            return self.answer(401, WWW_Authenticate='Basic realm="x"')
        number = str(next(numbers))
        sessions[number] = b""
        more = {"OCI_Chunk_Min_Length": "150000"} if repository == "large-chunks" else {}
        return self.answer(202, Location=self.session_url(repository, number), **more)

    def do_GET(self):
        """How far is it?"""
        self.note()
        repository, _, rest, _ = self.split()
        number = rest.split("/")[-1]
        if number not in sessions:
            return self.answer(404)
        return self.answer(204, Location=self.session_url(repository, number),
                           Range=f"0-{max(len(sessions[number]) - 1, 0)}")

    def do_PATCH(self):
        self.note()
        repository, _, rest, _ = self.split()
        number = rest.split("/")[-1]
        first = int(self.headers["Content-Range"].split("-")[0])
        if first != len(sessions.get(number, b"")):
            return self.answer(416)
        if repository == "cuts" and self.times("cuts") == 2:
            sessions[number] += self.body(1000)
            self.close_connection = True
            return None
        if repository == "forgets" and self.times("forgets") == 2:
            self.body()
            del sessions[number]
            return self.answer(404)
        data = self.body()
        if repository == "busy" and self.times("busy") == 2:
            return self.answer(503, Retry_After="0")
        if repository == "stuck":
            return self.answer(202, Location=self.session_url(repository, number), Range="0-0")
        if repository == "nibbles":
            sessions[number] += data[:2]
            return self.answer(202, Location=self.session_url(repository, number), Range=f"0-{len(sessions[number]) - 1}")
        if repository == "boasts":
            return self.answer(202, Location=self.session_url(repository, number), Range="0-999999999")
        sessions[number] += data
        return self.answer(202, Location=self.session_url(repository, number), Range=f"0-{len(sessions[number]) - 1}")

    def do_PUT(self):
        self.note()
        repository, kind, rest, query = self.split()
        if repository == "denied":
            self.body()
            return self.answer(403)
        if kind == "manifests":
            digest = "sha256:" + hashlib.sha256(self.body()).hexdigest()
            return self.answer(201, Docker_Content_Digest="sha256:" + "0" * 64 if repository == "mistakes" else digest)
        if repository == "redirects":
            self.body()
            return self.answer(307, Location=f"http://127.0.0.1:{OTHER}/")
        number = rest.split("/")[-1]
        if repository == "loses-answer" and self.times(self.path.split("?")[0]) == 1:
            blobs[repository, query["digest"][0]] = sessions.pop(number) + self.body()
            self.close_connection = True
            return None
        if number not in sessions:
            self.body()
            return self.answer(404)
        data = sessions.pop(number) + self.body()
        if "sha256:" + hashlib.sha256(data).hexdigest() != query["digest"][0]:
            return self.answer(400)
        blobs[repository, query["digest"][0]] = data
        return self.answer(201)


class Other(Handler):
    log_name = "other.log"


def serve(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    # Little is on its way: who sends sees how fast it is taken.
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


OTHER = serve(Other)
PORT = serve(Handler)
for name, port in (("other", OTHER), ("port", PORT)):
    with open(f"{DIR}/{name}.new", "w", encoding="ascii") as file:
        file.write(str(port))
    os.rename(f"{DIR}/{name}.new", f"{DIR}/{name}")
threading.Event().wait()
