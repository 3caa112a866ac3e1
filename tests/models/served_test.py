"""A model that was pulled is served with the lines that the pull printed, by a real llama-server."""
import json
import os
import pathlib
import unittest

import harness
from harness import Tandem
from hubs import Hub

MIB = 1 << 20


@unittest.skipUnless(os.path.exists(harness.MODEL) and os.path.exists(harness.ENGINE), "no engine or model on this machine")
class Served(unittest.TestCase):
    def test_with_the_lines_that_are_printed(self):
        data = pathlib.Path(harness.MODEL).read_bytes()
        hub = Hub({"SmolLM2-135M-Instruct-Q4_1.gguf": data}, repository="acme/SmolLM2-135M-Instruct-GGUF")
        self.addCleanup(hub.close)
        hub.cuts, hub.cut_after = 5, 2 * MIB
        tandem = Tandem("providers:\n  engine: { kind: engine }\n", start=False, env={"HF_ENDPOINT": hub.url})
        self.addCleanup(tandem.stop)
        pulled = tandem.cli("model", "pull", "hf:acme/SmolLM2-135M-Instruct-GGUF:Q4_1", timeout=300)
        self.assertEqual(pulled.returncode, 0, pulled.stderr)
        lines = pulled.stdout.split("models:\n", 1)[1]
        tandem.write(tandem.file.read_text().split("\n", 1)[1] + "models:\n" + lines)
        tandem.start()
        status, _, body = tandem.chat("Say hello.", model="smollm2-135m-instruct-q4_1", max_tokens=8, timeout=180)
        self.assertEqual(status, 200, body)
        self.assertTrue(json.loads(body)["choices"][0]["message"]["content"])


if __name__ == "__main__":
    unittest.main()
