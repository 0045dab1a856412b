# SPDX-License-Identifier: Apache-2.0
"""relay.py: whoever stands between a client and its gateway: keeps all that passes, may change it.

HTTP/1.1 in clear, as the test's own. `spoil(path, status, headers, body)` returns the answer.
"""
import http.client
import http.server
import threading


class Relay:
    def __init__(self, gateway):
        self.gateway = gateway
        self.seen = []  # (method, path, headers, body) of all that clients sent
        self.spoil = None
        self.down = False
        relay = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def relayed(self):
                size = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(size)
                relay.seen.append((self.command, self.path, str(self.headers), body))
                if relay.down:
                    self.close_connection = True
                    return
                relay.answer(self, body)

            do_GET = do_POST = relayed

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, handler, body):
        host = self.gateway.split("//")[1]
        connection = http.client.HTTPConnection(host, timeout=30)
        headers = {name: value for name, value in handler.headers.items()
                   if name.lower() not in ("host", "content-length")}
        try:
            connection.request(handler.command, handler.path, body or None, headers)
            got = connection.getresponse()
            status, kept, body = got.status, dict(got.getheaders()), got.read()
        except OSError:
            status, kept, body = 502, {}, b""
        finally:
            connection.close()
        if self.spoil is not None:
            try:
                status, kept, body = self.spoil(handler.path, status, kept, body)
            except ConnectionError:
                handler.close_connection = True
                return
        handler.send_response(status)
        for name, value in kept.items():
            if name.lower() not in ("content-length", "connection", "date", "server"):
                handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def posts(self):
        return [one for one in self.seen if one[0] == "POST"]

    def saw(self, text):
        return any(text in part for one in self.seen
                   for part in (one[1].encode(), one[2].encode(), one[3]))

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
