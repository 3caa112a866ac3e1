"""Each page of docs/how-to is followed to the letter: its YAML goes into the config, its commands are run in their order, and what it
says that they print is compared. The reader's home is empty; Ollama, OpenAI and Anthropic are scripted, and stand at other
addresses; what needs `kind: engine` has the real llama-server."""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import model_servers
from harness import BINARY, CACHE, ENGINE, Upstream, free_port, until
from pages import DOCS, base_config, blocks, completed

SECRETS = {"OPENAI_API_KEY": "sk-test-0123456789", "ANTHROPIC_API_KEY": "sk-ant-0123456789", "OPENROUTER_API_KEY": "sk-or-0123456789", "GROQ_API_KEY": "gsk-0123456789"}


def anthropic():
    """Anthropic's API as far as the pages need it."""
    return model_servers.Server({
        "/v1/models?limit=1000": {"data": [{"type": "model", "id": "claude-sonnet-4-5", "display_name": "x", "created_at": "2026-01-01T00:00:00Z"}], "has_more": False},
        "/v1/messages": lambda asked: {"id": "msg_1", "type": "message", "role": "assistant", "model": asked["model"], "content": [{"type": "text", "text": "Hello from Claude"}],
                                       "stop_reason": "end_turn", "stop_sequence": None, "usage": {"input_tokens": 7, "output_tokens": 3}}})


class World:
    """A reader's machine: an empty home, a shell with the keys of providers, a server that runs once there is something to ask it."""

    def __init__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="howto-"))
        (self.home / "bin").mkdir()
        (self.home / "bin/tandem").symlink_to(pathlib.Path(BINARY).resolve())
        (self.home / "bin/python3").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')  # has the SDKs
        (self.home / "bin/python3").chmod(0o755)
        self.ollama, self.claude, self.vllm, self.llama = model_servers.ollama(), anthropic(), model_servers.vllm(), model_servers.llama_server()
        self.cloud = Upstream(self.answer)
        self.port, self.second = free_port(), free_port()
        self.file = self.home / ".config/tandem/tandem.yaml"
        self.file.parent.mkdir(parents=True)
        self.config = base_config()
        self.server = self.running = None

    @staticmethod
    def answer(connection, body, number):
        if not body:  # the list of models
            raw = json.dumps(model_servers.listing("gpt-5.1", "gpt-5.1-mini", "llama-3.3-70b-versatile", "openai/gpt-5.1")).encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(raw) + raw)
            return None
        return Upstream.answer_well(connection, body, number)

    def here(self, text):
        """The page's addresses, as they are in this test."""
        for theirs, ours in [("/usr/local/bin/llama-server", ENGINE), ("127.0.0.1:11434", self.ollama.address), ("https://api.openai.com/v1", self.cloud.base_url), ("https://api.anthropic.com", self.claude.url),
                             ("https://api.groq.com/openai/v1", self.cloud.base_url), ("https://openrouter.ai/api/v1", self.cloud.base_url),
                             ("http://192.168.1.20:8000", self.vllm.url), ("http://127.0.0.1:8080", self.llama.url), ("0.0.0.0:7117", f"0.0.0.0:{self.port}"),
                             ("127.0.0.1:7117", f"127.0.0.1:{self.port}"), ("localhost:7117", f"localhost:{self.port}"), ("tandem.home:7117", f"tandem.home:{self.port}")]:
            text = text.replace(theirs, ours)
        return text

    def env(self):
        return {"HOME": str(self.home), "PATH": f"{self.home}/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "TANDEM_CACHE": str(CACHE), **SECRETS}

    def add(self, text):
        self.config = completed(text, self.config)

    def serve(self):
        """The server, with the config as the page has it by now."""
        text = self.here(self.config)
        if self.running == text:
            return
        self.end()
        self.file.write_text(text)
        with open(self.home / "log", "ab") as log:
            begun = log.tell()
            self.server = subprocess.Popen([BINARY, "serve"], env=self.env(), cwd=self.home, stdout=log, stderr=log)
        def ready():
            said = (self.home / "log").read_bytes()[begun:]
            return b"tandem is ready at" in said or self.server.poll() is not None
        until(ready, "the server")
        if self.server.poll() is not None:
            raise AssertionError(f"no server with\n{text}\n{(self.home / 'log').read_text()}")
        self.running = text

    def run(self, block):
        script = self.here(block.text)
        result = subprocess.run(["bash", "-euo", "pipefail", "-c", script], env=self.env(), cwd=self.home, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
        said = result.stdout + result.stderr
        if result.returncode != 0:
            raise AssertionError(f"{block.where}: exit {result.returncode}\n{script}\n{said}\nlog:\n{(self.home / 'log').read_text()[-3000:] if (self.home / 'log').exists() else ''}")
        return said

    def javascript(self, block):
        if not (self.home / "node_modules").exists():
            (self.home / "node_modules").symlink_to(CACHE / "clients/node_modules")
        (self.home / "page.mjs").write_text(self.here(block.text))
        block.text = "node page.mjs\n"
        return self.run(block)

    def end(self):
        if self.server is not None:
            self.server.terminate()
            code = self.server.wait(60)
            self.server = None
            if code != 0:
                raise AssertionError(f"the server ended with {code}\n{(self.home / 'log').read_text()[-6000:]}")

    def close(self):
        try:
            self.end()
        finally:
            for server in (self.ollama, self.claude, self.vllm, self.llama, self.cloud):
                server.close()
            shutil.rmtree(self.home, ignore_errors=True)


def compare(expected, said, where):
    """Each line of a `text` block stands in what was said, in that order; `...` is anything."""
    at = 0
    lines = said.splitlines()
    for line in expected.splitlines():
        wanted = re.compile(r".*".join(re.escape(part.strip()).replace(r"\ ", r"\s+") for part in line.split("...")).join([r"^\s*", r"\s*$"]))
        found = next((i for i in range(at, len(lines)) if wanted.match(lines[i])), None)
        if line.strip() == "...":
            continue
        if found is None:
            raise AssertionError(f"{where}: the page says\n    {line}\nand what came is\n{said}")
        at = found + 1


class HowTo(unittest.TestCase):
    maxDiff = None

    def follow(self, page):
        world = World()
        self.addCleanup(world.close)
        said = ""
        for block in blocks(page):
            if block.kind == "yaml" and block.is_config():
                world.add(block.text)
            elif block.kind == "sh":
                world.serve()
                said = world.run(block)
            elif block.kind == "js" and shutil.which("node") and (CACHE / "clients/node_modules").exists():
                world.serve()
                said = world.javascript(block)
            elif block.kind == "text":
                compare(world.here(block.text), said, block.where)


def of(page):
    def test(self):
        self.follow(page)
    return test


for page in sorted((DOCS / "how-to").glob("*.md")):
    if page.name != "README.md":
        setattr(HowTo, "test_" + page.stem.replace("-", "_"), of(page))


if __name__ == "__main__":
    unittest.main()
