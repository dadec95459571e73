#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# A token server for docker-registry's token auth, for tests: Basic or anonymous GET, and the OAuth2
# POST with a refresh token. Anonymous clients may pull only. Signs with the openssl command.
#
# usage: token-server.py KEY CERT LOG   prints its port, then serves until it is killed
import base64
import http.server
import json
import subprocess
import sys
import time
import urllib.parse

USER, PASSWORD, REFRESH = "tester", "pass:word with spaces", "refresh me & keep me"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, form, *args):
        with open(sys.argv[3], "a", encoding="utf-8") as log:
            log.write(form % args + "\n")

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def sign(self, service, scopes, known):
        access = []
        for scope in scopes:
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            granted = [a for a in actions.split(",") if known or a == "pull"]
            access.append({"type": kind, "name": name, "actions": granted})
        with open(sys.argv[2], encoding="ascii") as cert:
            der = "".join(line.strip() for line in cert if "-----" not in line)
        now = int(time.time())
        head = {"typ": "JWT", "alg": "RS256", "x5c": [der]}
        claims = {"iss": "test", "sub": USER if known else "", "aud": service, "exp": now + 60,
                  "nbf": now - 5, "iat": now, "jti": str(time.time_ns()), "access": access}
        text = b64(json.dumps(head).encode()) + "." + b64(json.dumps(claims).encode())
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", sys.argv[1]],
                                   input=text.encode(), capture_output=True, check=True).stdout
        return text + "." + b64(signature)

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        given = self.headers.get("Authorization")
        want = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if given and given != want:
            self.answer(401, {"details": "incorrect username or password"})
            return
        scopes = [s for text in query.get("scope", []) for s in text.split(" ")]
        token = self.sign(query.get("service", [""])[0], scopes, given is not None)
        self.answer(200, {"token": token, "expires_in": 60})

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if form.get("refresh_token") != [REFRESH]:
            self.answer(401, {"details": "bad refresh token"})
            return
        scopes = form.get("scope", [""])[0].split()
        # Some servers know this name alone.
        self.answer(200, {"access_token": self.sign(form["service"][0], scopes, True)})


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
