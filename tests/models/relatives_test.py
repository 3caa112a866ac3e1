"""`tandem compare --quants` and `--engines`: the models of tandem.yaml that are the same model in another quantization, or the same file on another
engine. Nothing is started: what belongs together is in the headers of the files."""
# ctest: starts no real engine
import json
import unittest

import made_models
from harness import Tandem

SHAPE = {"architecture": "llama", "layers": 2, "embedding": 256, "heads": 4, "kv_heads": 2, "head": 64, "feed_forward": 512, "vocabulary": 1000}


class Relatives(unittest.TestCase):
    def setUp(self):
        self.tandem = Tandem("", start=False)
        self.addCleanup(self.tandem.stop)
        for name, more in {"half": {}, "four": {"quant": made_models.Q4_K}, "deeper": {"layers": 3, "quant": made_models.Q4_K}}.items():
            made_models.write(self.tandem.folder / f"{name}.gguf", {**SHAPE, **more})
        file = "{ provider: home, file: FOLDER/half.gguf, context: 512"
        self.tandem.write(f"""providers: {{ home: {{ kind: engine }}, other: {{ kind: engine }}, cloud: {{ kind: openai, zone: cloud, base_url: 'http://127.0.0.1:9/v1', api_key: k }} }}
models:
  half: {file} }}
  half-again: {file}, args: [--threads, '1'] }}
  half-other: {file.replace("home", "other")} }}
  four: {file.replace("half", "four")} }}
  deeper: {file.replace("half", "deeper")} }}
  rented: {{ provider: cloud }}
""".replace("FOLDER", str(self.tandem.folder)))
        self.tandem.start()

    def compared(self, *arguments):
        result = self.tandem.cli("compare", "--json", *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return {one["model"]: one for one in json.loads(result.stdout)["models"]}

    def test_the_same_model_in_other_quantizations_is_found(self):
        found = self.compared("half", "--quants")
        self.assertEqual(list(found), ["half", "four"])
        self.assertEqual([one["quantization"] for one in found.values()], ["F16", "Q4_K"])
        self.assertEqual(list(self.compared("four", "--quants")), ["four", "half", "half-again", "half-other"])

    def test_the_same_file_on_other_engines_is_found(self):
        found = self.compared("half", "--engines")
        self.assertEqual({name: one["engine"] for name, one in found.items()}, {"half": "home", "half-again": "home: --threads 1", "half-other": "other"})
        self.assertEqual(list(self.compared("half")), ["half"])
        self.assertEqual(list(self.compared("rented", "half", "--quants", "--engines")), ["rented", "half", "half-again", "half-other", "four"])

    def test_what_has_no_relatives_is_said(self):
        said = self.tandem.cli("compare", "rented", "--quants")
        self.assertIn("tandem.yaml has no other quantization of it", said.stdout)


if __name__ == "__main__":
    unittest.main()
