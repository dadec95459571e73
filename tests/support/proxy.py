#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# A proxy for tests: CONNECT tunnels and plain HTTP by absolute URL, over HTTP or, with a certificate,
# HTTPS. Every name leads to TARGET. It asks for a password and logs a line a request: what was asked,
# the credentials for the proxy and those for the server, "-" where there are none.
#
# usage: proxy.py TARGET LOG [CERT KEY]   prints its port, then serves until it is killed
import base64
import http.client
import http.server
import select
import socket
import ssl
import sys
import urllib.parse

TARGET, LOG = sys.argv[1], sys.argv[2]
WANT = "Basic " + base64.b64encode(b"user:proxy secret").decode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, form, *args):
        pass

    def admit(self):
        given = self.headers.get("Proxy-Authorization", "-")
        with open(LOG, "a", encoding="utf-8") as log:
            log.write(f"{self.command} {self.path} | {given} | {self.headers.get('Authorization', '-')}\n")
        if given == WANT:
            return True
        self.send_response(407)
        self.send_header("Proxy-Authenticate", 'Basic realm="proxy"')
        self.send_header("Content-Length", "0")
        self.end_headers()
        return False

    def do_CONNECT(self):
        if not self.admit():
            return
        host, port = TARGET.rsplit(":", 1)
        with socket.create_connection((host, int(port))) as server:
            self.send_response(200, "Connection established")
            self.end_headers()
            ends = {self.connection: server, server: self.connection}
            while True:
                # TLS may have read ahead.
                ready = [e for e in ends if isinstance(e, ssl.SSLSocket) and e.pending()]
                for end in ready or select.select(list(ends), [], [])[0]:
                    try:
                        data = end.recv(65536)
                    except OSError:
                        data = b""
                    if not data:
                        self.close_connection = True
                        return
                    ends[end].sendall(data)

    def forward(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.admit():
            return
        url = urllib.parse.urlsplit(self.path)
        server = http.client.HTTPConnection(TARGET)
        headers = {n: v for n, v in self.headers.items() if n.lower() != "proxy-authorization"}
        server.request(self.command, url.path + ("?" + url.query if url.query else ""), body, headers)
        answer = server.getresponse()
        data = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        if answer.getheader("Content-Length") is None:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = forward


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
if len(sys.argv) > 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3], sys.argv[4])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
