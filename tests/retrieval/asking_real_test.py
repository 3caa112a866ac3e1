"""Asking files with the real engine and its small model, through an official client."""
import pathlib
import shutil
import tempfile
import unittest
import warnings

import openai

from harness import Tandem, until
from index_test import write


class RealEngine(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("ignore", ResourceWarning)
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        write(self.folder / "solar.md", "# Solar roof\n\nThe warranty of the solar panels ends in the year 2041.\n")
        documents = sorted(path for path in pathlib.Path("/usr/share/doc").rglob("*") if path.suffix in (".md", ".txt", ".html") and path.is_file() and path.stat().st_size < 50_000)
        for number, path in enumerate(documents[:40]):
            shutil.copy(path, self.folder / f"{number}-{path.name}")
        # The embedded engine, as it comes.
        self.tandem = Tandem(f"retrieval: {{ quiet: 50ms, collections: {{ docs: {{ folder: {self.folder}, label: private }} }} }}\n")
        self.addCleanup(self.tandem.stop)
        until(lambda: '"state":"current"' in self.tandem.cli("index", "status", "--json").stdout, "the index", 60)

    def test_the_small_model_is_given_the_files_and_its_answer_ends_with_places(self):
        client = openai.OpenAI(base_url=self.tandem.url + "/v1", api_key="x", max_retries=0, timeout=120, default_headers={"x-tandem-context": "docs"})
        question = "In which year does the warranty of the solar panels end?"
        raw = client.chat.completions.with_raw_response.create(model="auto", max_tokens=40, temperature=0, messages=[{"role": "user", "content": question}])
        answer = raw.parse().choices[0].message.content
        self.assertEqual((raw.headers["x-tandem-label"], raw.headers["x-tandem-zone"]), ("private", "local"))
        self.assertIn("2041", answer)
        self.assertIn(f"{self.folder}/solar.md:", answer.rsplit("Sources:", 1)[1])
        streamed = "".join(event.choices[0].delta.content or "" for event in client.chat.completions.create(
            model="auto", max_tokens=40, temperature=0, stream=True, messages=[{"role": "user", "content": question}]) if event.choices)
        self.assertIn(f"{self.folder}/solar.md:", streamed.rsplit("Sources:", 1)[1])
        self.assertEqual(self.tandem.egress(), [])
        best = self.tandem.explain()["inputs"]["context"]["passages"][0]
        self.assertEqual((best["path"], best["label"]), (f"{self.folder}/solar.md", "private"))


if __name__ == "__main__":
    unittest.main()
