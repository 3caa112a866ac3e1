"""Servers that Tandem did not start: what `tandem engine list` says of them, by answers in the shapes that Ollama's and LM Studio's
references have. They are asked, and never told to do anything."""
import json
import unittest

import model_servers
from harness import Tandem, close_listener, free_port

PS = {"models": [
    {"name": "qwen2.5:7b", "model": "qwen2.5:7b", "size": 6591830464, "digest": "a2af", "details": {"format": "gguf", "family": "qwen2"}, "expires_at": "2026-11-27T16:47:07.93355-07:00",
     "size_vram": 5333539264, "context_length": 32768},
    {"name": "gemma3:latest", "model": "gemma3:latest", "size": 1000000000, "size_vram": 0, "expires_at": "2026-11-27T16:47:07Z"},
    {"name": "somebody-elses:1b", "model": "somebody-elses:1b", "size": 2000000000, "size_vram": 0, "expires_at": "2026-11-27T16:47:07Z"}]}
V1 = {"models": [
    {"type": "llm", "publisher": "qwen", "key": "qwen/qwen3-14b", "display_name": "Qwen3 14B", "architecture": "qwen3", "quantization": {"name": "Q4_K_M", "bits_per_weight": 4}, "size_bytes": 9000000000,
     "params_string": "14B", "loaded_instances": [{"id": "qwen/qwen3-14b", "config": {"context_length": 12000}}], "max_context_length": 40960, "format": "gguf"},
    {"type": "llm", "publisher": "google", "key": "google/gemma-3-4b", "size_bytes": 3000000000, "loaded_instances": [], "max_context_length": 131072, "format": "gguf"}]}


def config(ollama, studio, cloud):
    return f"""providers:
  home:   {{ kind: ollama, zone: local, base_url: {ollama} }}
  studio: {{ kind: lmstudio, zone: local, base_url: {studio}/v1, api_key: studio-key }}
  away:   {{ kind: ollama, zone: cloud, base_url: {cloud} }}
models:
  mine:  {{ provider: home, name: 'qwen2.5:7b', context: 32768 }}
  gemma: {{ provider: home, name: gemma3, context: 8192 }}
  cold:  {{ provider: home, name: 'llama3:8b', context: 8192 }}
  big:   {{ provider: studio, name: qwen/qwen3-14b }}
  small: {{ provider: studio, name: google/gemma-3-4b }}
  rented: {{ provider: away, name: 'x:1b', context: 8192 }}
"""


class Adopted(unittest.TestCase):
    def server(self, paths):
        server = model_servers.Server(paths)
        self.addCleanup(server.close)
        return server

    def serve(self, ollama, studio, cloud="http://127.0.0.1:9"):
        self.tandem = Tandem(config(ollama, studio, cloud))
        self.addCleanup(self.tandem.stop)

    def adopted(self):
        answer = json.loads(self.tandem.request("/tandem/v1/engines")[2])
        self.assertEqual(answer["engines"], [])
        return {one.get("model", "-" + one["name"]): one for one in answer["adopted"]}

    def test_what_is_in_memory_is_listed_with_its_bytes(self):
        cloud = self.server({"/api/ps": PS})
        ollama, studio = self.server({"/api/ps": PS}), self.server({"/api/v1/models": V1})
        self.serve(ollama.url, studio.url, cloud.url)
        seen = self.adopted()
        self.assertEqual(set(seen), {"mine", "gemma", "cold", "big", "small", "-somebody-elses:1b"})
        self.assertEqual((seen["mine"]["state"], seen["mine"]["bytes"], seen["mine"]["gpu_bytes"], seen["mine"]["context_tokens"]), ("loaded", 6591830464, 5333539264, 32768))
        self.assertEqual((seen["gemma"]["state"], seen["gemma"]["bytes"]), ("loaded", 1000000000), "a name without a tag means latest")
        self.assertEqual(seen["cold"]["state"], "not loaded")
        self.assertEqual((seen["big"]["state"], seen["big"]["bytes_are"], seen["big"]["context_tokens"]), ("loaded", "of its file", 12000))
        self.assertEqual(seen["small"]["state"], "not loaded")
        shown = self.tandem.cli("engine", "list").stdout
        self.assertRegex(shown, r"mine +loaded +home +6\.6 GB +5\.3 GB +qwen2\.5:7b")
        self.assertRegex(shown, r"\(not in tandem\.yaml\) +loaded")

    def test_an_older_lm_studio_is_read_too_and_one_that_is_down_is_said(self):
        self.serve(f"http://127.0.0.1:{free_port()}", model_servers.lm_studio().url)
        seen = self.adopted()
        self.assertEqual((seen["mine"]["state"], seen["gemma"]["state"]), ("unreachable", "unreachable"))
        self.assertTrue(seen["mine"]["error"])
        self.assertEqual((seen["big"]["state"], seen["big"]["context_tokens"], seen["small"]["state"]), ("loaded", 12000, "not loaded"))

    def test_nonsense_is_said_and_nothing_is_believed(self):
        for nonsense in (b"<html>", b"[]", b"{\"models\": 3}", b"{\"models\": [3, {\"size\": \"much\"}]}"):
            with self.subTest(nonsense=nonsense):
                server = self.server({"/api/ps": (200, "application/json", nonsense), "/api/v1/models": (200, "application/json", nonsense)})
                self.serve(server.url, server.url)
                self.assertFalse({one["state"] for one in self.adopted().values() if one.get("model")} & {"loaded"})
                self.tandem.stop()

    def test_a_request_goes_to_lm_studio_by_chat_completions(self):
        studio = self.server({"/v1/chat/completions": model_servers.chat("Hello from the studio"), "/api/v1/models": V1})
        self.serve("http://127.0.0.1:9", studio.url)
        status, _, raw = self.tandem.chat("hello", model="big")
        self.assertEqual(status, 200, raw)
        self.assertIn(b"Hello from the studio", raw)


if __name__ == "__main__":
    unittest.main()
