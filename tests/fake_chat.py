"""An OpenAI-compatible endpoint on loopback that answers what a test tells it to."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = dict[str, Any] | int | bytes


class FakeChat:
    """What the endpoint was asked, and where it stands."""

    def __init__(self, answer: Callable[[dict[str, Any]], Reply]) -> None:
        self.answer = answer
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""


@contextmanager
def fake_chat(answer: Callable[[dict[str, Any]], Reply]) -> Iterator[FakeChat]:
    """Serve until the block ends; ``answer`` gives the object to send, an HTTP status, or raw bytes."""
    fake = FakeChat(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            fake.asked.append({"path": self.path, **body})
            fake.headers.append(dict(self.headers))
            reply = fake.answer(body)
            status = reply if isinstance(reply, int) else 200
            content = reply if isinstance(reply, bytes) else b""
            if isinstance(reply, dict):
                message = {"role": "assistant", "content": json.dumps(reply, ensure_ascii=False)}
                content = json.dumps({"choices": [{"message": message}]}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
