"""yaml-language-server over standard input and output: just enough of LSP to ask what an editor asks."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

DEADLINE_S = 60  # for one answer; the first one loads the schema, on a busy machine

Message = dict[str, Any]


class NoAnswer(Exception):
    """The server ended, or did not answer in time."""


class LanguageServer:
    """One server process with some schemas. Use as a context manager.

    Every document gets a name of its own and the schema of its kind through the server's settings, as
    an editor's ``yaml.schemas`` does, unless a modeline in its text says otherwise.
    """

    def __init__(self, program: Path, folder: Path, schemas: dict[str, Path]) -> None:
        self._folder = folder
        self._kind = next(iter(schemas))
        self._settings = {
            "yaml": {
                "schemas": {path.as_uri(): f"*.{kind}.yaml" for kind, path in schemas.items()},
                "schemaStore": {"enable": False},  # nothing is to be fetched
                "completion": True,
                "validate": True,
                "hover": True,
            },
            "http": {"proxy": "", "proxyStrictSSL": False},
        }
        self._log = folder / "language-server.txt"
        self._errors = self._log.open("wb")
        self._process = subprocess.Popen(
            ["node", str(program), "--stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=folder,
        )
        self._messages: queue.Queue[Message | None] = queue.Queue()
        self._diagnostics: dict[str, list[Message]] = {}
        self._last_id = 0
        self._documents = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        self._request(
            "initialize",
            {
                "processId": None,
                "rootUri": self._folder.as_uri(),
                "capabilities": {
                    "textDocument": {
                        "completion": {"completionItem": {"documentationFormat": ["markdown", "plaintext"]}},
                        "publishDiagnostics": {},
                    },
                    "workspace": {"configuration": True},
                },
            },
        )
        self._send({"method": "initialized", "params": {}})
        self._send({"method": "workspace/didChangeConfiguration", "params": {"settings": self._settings}})
        # The server asks for its settings only now; until it has them it finds every text in order.
        probe = self._open("no_such_key: 1\n", self._kind)
        while not self._diagnostics.get(probe):
            self._take("a first diagnosis under the settings")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._request("shutdown", None)
            self._send({"method": "exit"})
            self._process.wait(DEADLINE_S)
        except (NoAnswer, OSError, subprocess.TimeoutExpired):
            if error is None:
                raise
        finally:
            self._process.kill()
            self._process.wait(DEADLINE_S)
            self._reader.join(DEADLINE_S)
            for stream in (self._process.stdin, self._process.stdout, self._errors):
                if stream is not None:
                    stream.close()

    def complete(self, text: str, kind: str) -> dict[str, Message]:
        """What is offered at the ``|`` in the text, by label."""
        answer = self._request("textDocument/completion", self._place(text, kind))
        items = answer["items"] if isinstance(answer, dict) else answer or []
        return {item["label"]: item for item in items}

    def hover(self, text: str, kind: str) -> str:
        """What is shown for the word at the ``|`` in the text."""
        answer = self._request("textDocument/hover", self._place(text, kind))
        return "" if answer is None else str(answer["contents"]["value"])

    def diagnose(self, text: str, kind: str) -> list[tuple[int, str]]:
        """Line (from 1) and message of everything marked in the text."""
        return self.diagnose_all([text], kind)[0]

    def diagnose_all(self, texts: Sequence[str], kind: str) -> list[list[tuple[int, str]]]:
        """The same for many texts; the server waits a little before each, but for all at once."""
        uris = [self._open(text, kind) for text in texts]
        for uri in uris:
            while uri not in self._diagnostics:
                self._take("diagnostics of " + uri)
        return [
            sorted((item["range"]["start"]["line"] + 1, item["message"]) for item in self._diagnostics[uri])
            for uri in uris
        ]

    def _place(self, text: str, kind: str) -> Message:
        """Opens the text without its ``|``; document and position to ask about."""
        before, _, after = text.partition("|")
        position = {"line": before.count("\n"), "character": len(before) - (before.rfind("\n") + 1)}
        return {"textDocument": {"uri": self._open(before + after, kind)}, "position": position}

    def _open(self, text: str, kind: str) -> str:
        self._documents += 1
        uri = (self._folder / f"document_{self._documents}.{kind}.yaml").as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        return uri

    def _request(self, method: str, params: Any) -> Any:
        self._last_id += 1
        wanted = self._last_id
        self._send({"id": wanted, "method": method, "params": params})
        while True:
            message = self._take(method)
            if message.get("id") == wanted and "method" not in message:
                if "error" in message:
                    raise NoAnswer(f"{method}: {message['error']}")
                return message.get("result")

    def _take(self, waiting_for: str) -> Message:
        """The next message, within the deadline; what the server asks or tells is dealt with."""
        try:
            message = self._messages.get(timeout=DEADLINE_S)
        except queue.Empty:
            raise NoAnswer(f"{waiting_for}: nothing within {DEADLINE_S} s; {self._said()}") from None
        if message is None:
            raise NoAnswer(f"{waiting_for}: the server ended; {self._said()}")
        method = message.get("method")
        if method == "textDocument/publishDiagnostics":
            self._diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif method is not None and "id" in message:
            self._send({"id": message["id"], "result": self._reply(method, message.get("params"))})
        return message

    def _reply(self, method: str, params: Any) -> Any:
        if method != "workspace/configuration":
            return None
        return [self._settings.get(item.get("section")) for item in params["items"]]

    def _said(self) -> str:
        text = self._log.read_text(encoding="utf-8", errors="replace").strip()
        return f"it said: {text[-500:]}" if text else "it said nothing"

    def _send(self, message: Message) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._process.stdin.flush()

    def _read(self) -> None:
        """Put every message of the server into the queue; None when its output has ended."""
        assert self._process.stdout is not None
        try:
            while (message := _read_message(self._process.stdout)) is not None:
                self._messages.put(message)
        finally:
            self._messages.put(None)


def _read_message(stream: IO[bytes]) -> Message | None:
    length = 0
    while (line := stream.readline().strip()) != b"" or length == 0:
        if not line:
            return None  # the end of the stream; an empty line cannot come before the length
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    body = stream.read(length)
    return json.loads(body) if len(body) == length else None  # type: ignore[no-any-return]
