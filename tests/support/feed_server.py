#!/usr/bin/env python3
"""A web server of feeds for tests: it serves what lies in a folder (or in memory), with ETag, Last-Modified, Range and
conditional requests as a good server does, and misbehaves on demand.

    feed_server.py DIR [PORT]     serves DIR until it is killed

In tests: s = FeedServer({"cisa-kev/x.json": b"..."}), s.url, s.fault[path] = Fault(...), s.requests."""
import gzip
import hashlib
import http.server
import os
import socketserver
import sys
import threading
import time


class Fault:
    """What goes wrong with one path. Each of them may be left out."""

    def __init__(self, status=None, times=None, headers=None, cut=None, cuts=None, no_range=False, no_validators=False,
                 no_condition=False, length=None, no_length=False, pace=None, endless=False, redirect=None, gzip=False,
                 body=None, hang=False, hook=None):
        self.status, self.times, self.headers = status, times, headers or {}  # answer this, so many times
        self.cut, self.cuts = cut, cuts  # close after so many bytes of the body, so many times
        self.no_range, self.no_validators, self.no_condition = no_range, no_validators, no_condition
        self.length, self.no_length = length, no_length  # a Content-Length that is wrong, or none
        self.pace = pace  # (bytes, seconds): so many at once, then a pause
        self.endless, self.redirect, self.gzip = endless, redirect, gzip
        self.body, self.hang = body, hang
        self.hook = hook  # called with the number of bytes that have been sent

    def once(self):
        """Whether it (still) applies to this request."""
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


class FeedServer:
    def __init__(self, files=None, folder=None, port=0):
        self.files, self.folder = dict(files or {}), folder
        self.fault, self.requests, self.etags = {}, [], {}
        self.sent = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                try:
                    outer.serve(self)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def asked(self, path):
        return [r for r in self.requests if r[0] == path]

    def content(self, path):
        if path in self.files:
            return self.files[path], self.etags.get(path) or '"%s"' % hashlib.sha256(self.files[path]).hexdigest()[:16], None
        file = self.folder and os.path.join(self.folder, path)
        if file and os.path.isfile(file):
            with open(file, "rb") as f:
                data = f.read()
            s = os.stat(file)
            return data, f'"{s.st_size:x}-{s.st_mtime_ns:x}"', s.st_mtime
        return None, None, None

    def serve(self, h):
        path = h.path.lstrip("/").replace("%20", " ")
        headers = {k.lower(): v for k, v in h.headers.items()}
        self.requests.append((path, headers))
        f = self.fault.get(path) or Fault()
        if f.hang:
            time.sleep(3600)
        if f.status and f.once():
            return self.answer(h, f.status, f.headers, b"told to\n")
        if f.redirect:
            return self.answer(h, 302, {"Location": f.redirect}, b"")
        data, etag, mtime = self.content(path)
        if f.body is not None:
            data, etag = f.body, '"fault"'
        if data is None:
            return self.answer(h, 404, {}, b"no such feed\n")
        out = {}
        if f.gzip:
            data, out["Content-Encoding"] = gzip.compress(data), "gzip"
        if not f.no_validators:
            out["ETag"] = etag
            if mtime:
                out["Last-Modified"] = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(mtime))
        if not f.no_condition:
            if headers.get("if-none-match") == etag and not f.no_validators:
                return self.answer(h, 304, out, b"")
            if headers.get("if-match", etag) != etag:
                return self.answer(h, 412, out, b"")
        first = 0
        if "range" in headers and not f.no_range and headers.get("if-range", etag) == etag:
            first = int(headers["range"].split("=")[1].split("-")[0])
            if first >= len(data):
                return self.answer(h, 416, {"Content-Range": f"bytes */{len(data)}"}, b"")
            out["Content-Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
        self.body(h, f, 206 if first else 200, out, data[first:])

    def answer(self, h, status, headers, body):
        h.send_response(status)
        for k, v in headers.items():
            h.send_header(k, v)
        if status != 304:
            h.send_header("Content-Length", str(len(body)))
        h.end_headers()
        if status != 304:
            h.wfile.write(body)

    def body(self, h, f, status, headers, data):
        h.send_response(status)
        for k, v in headers.items():
            h.send_header(k, v)
        if f.no_length or f.endless:
            h.send_header("Connection", "close")
            h.close_connection = True
        else:
            h.send_header("Content-Length", str(f.length if f.length is not None else len(data)))
        h.end_headers()
        end = len(data)
        if f.cut is not None and (f.cuts is None or f.cuts > 0):
            end = min(end, f.cut)
            if f.cuts is not None:
                f.cuts -= 1
            h.close_connection = True
        step, pause = f.pace or (65536, 0)
        for at in range(0, end, step):
            h.wfile.write(data[at:min(end, at + step)])
            self.sent += min(end, at + step) - at
            if f.hook:
                f.hook(self.sent)
            if pause:
                time.sleep(pause)
        while f.endless:
            h.wfile.write(b"\0" * 65536)
        if f.length is not None or end < len(data):
            h.wfile.flush()
            h.close_connection = True


if __name__ == "__main__":
    server = FeedServer(folder=sys.argv[1], port=int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    print(server.url, flush=True)
    while True:
        time.sleep(3600)
