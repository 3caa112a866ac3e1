"""Official SDKs in JavaScript (openai, anthropic, ollama, google genai, Vercel's ai): js/sdks.mjs against a real llama-server
and scripted providers of foreign dialects."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from harness import CACHE, MODEL, Tandem
from strict import DIALECTS, StrictUpstream, providers_and_models

KEY = "my-key-0123456789"


class JavaScript(unittest.TestCase):
    def test_official_sdks(self):
        upstreams = {name: StrictUpstream(name) for name in DIALECTS}
        providers, models = providers_and_models(upstreams)
        tandem = Tandem(f"""
providers:
  home: {{ kind: engine }}
{providers}
models:
  small: {{ provider: home, file: {MODEL}, context: 8192, slots: 2 }}
  embed: {{ provider: home, file: {MODEL}, context: 2048, capabilities: [embeddings], args: [--embeddings, --pooling, mean] }}
{models}
policy: {{ preset: local-first }}
keys: {{ me: {{ secret: {KEY} }} }}
""")
        folder = pathlib.Path(tempfile.mkdtemp(prefix="js-"))
        try:
            shutil.copy(pathlib.Path(__file__).parent / "js/sdks.mjs", folder)
            (folder / "node_modules").symlink_to(CACHE / "clients/node_modules")
            result = subprocess.run(["node", "sdks.mjs"], cwd=folder, env={**os.environ, "TANDEM_URL": tandem.url, "TANDEM_KEY": KEY}, capture_output=True, text=True, timeout=300)
            rejected = {n: [r[0] for r in u.rejected] for n, u in upstreams.items() if u.rejected}
            self.assertEqual((result.returncode, rejected), (0, {}), result.stdout + result.stderr[-4000:])
            self.assertEqual(len(result.stdout.splitlines()), 9)
        finally:
            tandem.stop()
            shutil.rmtree(folder, ignore_errors=True)
            for u in upstreams.values():
                u.close()


if __name__ == "__main__":
    unittest.main()
