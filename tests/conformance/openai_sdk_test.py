"""The official OpenAI SDK for Python, against a real llama-server under Tandem as local, and a second real one, with its
own key and model name, as the cloud, behind a proxy that counts each byte."""
import json
import os
import pathlib
import signal
import threading
import time
import unittest

import openai

from harness import CountingProxy, LlamaServer, Tandem, processes_of, until

HARD = "Prove the theorem step by step and analyze the complexity of the algorithm in detail."
SECRET = "Remember my card 4111 1111 1111 1111, please."


class OpenAiSdk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cloud = LlamaServer()
        cls.proxy = CountingProxy(cls.cloud.port)
        cls.tandem = Tandem(cls.config("hybrid"))
        cls.client = openai.OpenAI(base_url=cls.tandem.url + "/v1", api_key="none", max_retries=0, timeout=120)

    @classmethod
    def config(cls, preset):
        return (f"providers:\n  home: {{ kind: engine }}\n  far: {{ kind: openai, zone: cloud, base_url: 'http://127.0.0.1:{cls.proxy.port}/v1', api_key: {cls.cloud.key} }}\n"
                "models:\n  small: { provider: home, file: smollm2-135m-instruct-q4_1.gguf, context: 4096, slots: 2, idle_unload: 1h }\n"
                "  big: { provider: far, name: big-cloud-model, context: 4096, price: { input: 1.25, output: 10 } }\n"
                f"aliases: {{ best: [big, small] }}\npolicy: {{ preset: {preset} }}\n")

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.tandem.stop()
        cls.proxy.close()
        cls.cloud.stop()

    def ask(self, content="Say hello.", model="auto", **more):
        return self.client.chat.completions.with_raw_response.create(model=model, messages=[{"role": "user", "content": content}], max_tokens=12, **more)

    def preset(self, name):
        self.tandem.write(self.config(name))
        until(lambda: f'"preset":"{name}"' in self.tandem.cli("policy", "show", "--json").stdout, "the preset")
        self.tandem.process.send_signal(signal.SIGHUP)
        until(lambda: self.served_rules() == json.loads(self.tandem.cli("policy", "show", "--json").stdout)["rules"][0]["name"], "the reload")

    def served_rules(self):
        """The rule that the server itself would use for private content: each preset's first is another."""
        dry = self.tandem.cli("explain", "--json", "--dry-run", "x", "--label", "private").stdout
        return json.loads(dry)["decision"]["rule"] if dry else None

    def test_1_whole_answers_and_where_they_ran(self):
        raw = self.ask()
        answer = raw.parse()
        self.assertTrue(answer.choices[0].message.content)
        self.assertGreater(answer.usage.completion_tokens, 0)
        self.assertEqual((raw.headers["x-tandem-zone"], raw.headers["x-tandem-model"], answer.model), ("local", "small", "small"))
        raw = self.ask(HARD)
        self.assertEqual((raw.headers["x-tandem-zone"], raw.parse().model), ("cloud", "big-cloud-model"))
        record = self.tandem.explain(raw.headers["x-tandem-decision"])
        usage = record["attempts"][0]["usage"]
        self.assertEqual(record["attempts"][0]["cost_micros"], round((usage["input"] * 1_250_000 + usage["output"] * 10_000_000) / 1_000_000 + 1e-9))

    def test_2_streams_with_and_without_usage(self):
        for model in ("small", "big"):
            chunks = list(self.client.chat.completions.create(model=model, stream=True, max_tokens=12, messages=[{"role": "user", "content": "Say hello."}]))
            self.assertTrue("".join(c.choices[0].delta.content or "" for c in chunks))
            self.assertEqual(chunks[-1].choices[0].finish_reason in ("stop", "length"), True)
            self.assertTrue(all(c.usage is None for c in chunks))
            chunks = list(self.client.chat.completions.create(model=model, stream=True, max_tokens=12, stream_options={"include_usage": True},
                                                              messages=[{"role": "user", "content": "Say hello."}]))
            self.assertGreater(chunks[-1].usage.total_tokens, 0)

    def test_3_aliases_models_and_errors(self):
        self.assertEqual([m.id for m in self.client.models.list()], ["auto", "local", "cloud", "private", "best", "small", "big"])
        self.assertEqual(self.client.models.retrieve("small").owned_by, "home")
        for alias, zone in (("local", "local"), ("cloud", "cloud"), ("best", "cloud"), ("private", "local")):
            self.assertEqual(self.ask(f"Say hello to {alias}.", alias).headers["x-tandem-zone"], zone)
        with self.assertRaises(openai.NotFoundError) as caught:
            self.ask(model="bst")
        self.assertIn("did you mean 'best'?", caught.exception.message)
        with self.assertRaises(openai.BadRequestError) as caught:
            self.ask("word " * 6000, model="small")
        self.assertEqual(caught.exception.code, "context_length_exceeded")

    def test_4_json_schema_is_obeyed_by_the_engine(self):
        schema = {"type": "object", "properties": {"city": {"type": "string", "maxLength": 12}}, "required": ["city"], "additionalProperties": False}
        answer = self.client.chat.completions.create(model="small", max_tokens=60, messages=[{"role": "user", "content": "A city, as JSON."}],
                                                     response_format={"type": "json_schema", "json_schema": {"name": "c", "schema": schema, "strict": True}})
        self.assertIn("city", json.loads(answer.choices[0].message.content))

    def test_5_presets(self):
        for preset, zone in (("cloud-first", "cloud"), ("local-first", "local"), ("hybrid", "local")):
            self.preset(preset)
            self.assertEqual(self.ask().headers["x-tandem-zone"], zone)

    def test_6_fallback_to_the_cloud_when_the_engine_is_killed_and_back(self):
        pid = self.engine_pid()
        os.kill(pid, signal.SIGKILL)
        # Until it is back: an answer from the cloud with a warning, or from the engine that was started again.
        raw = self.ask()
        self.assertTrue(raw.parse().choices[0].message.content)
        if raw.headers["x-tandem-zone"] == "cloud":
            record = self.tandem.explain(raw.headers["x-tandem-decision"])
            self.assertTrue("x-tandem-warnings" in raw.headers or record["decision"]["candidates"][-1].get("excluded") == "health", record)
        until(lambda: self.ask().headers["x-tandem-zone"] == "local", "the engine to be back", 60)
        self.assertNotEqual(self.engine_pid(), pid)

    def engine_pid(self):
        self.ask(model="small")
        return until(lambda: next((e["pid"] for e in json.loads(self.tandem.cli("engine", "list", "--json").stdout)["engines"] if e["state"] == "ready"), 0), "the engine")

    def test_7_private_with_the_local_engine_stopped_fails_and_nothing_leaves(self):
        self.preset("cloud-first")
        broken = self.config("cloud-first").replace("smollm2-135m-instruct-q4_1.gguf", "is-not-there.gguf")
        self.tandem.write(broken)
        self.tandem.process.send_signal(signal.SIGHUP)
        until(lambda: b"is not there" in self.tandem.chat(SECRET, max_tokens=4)[2], "the engine's model to be gone")
        self.assertEqual(self.ask().headers["x-tandem-zone"], "cloud")
        before, records = self.proxy.bytes, len(self.tandem.egress())
        self.assertGreater(before, 0)
        for model in ("auto", "small", "private", "best", "cloud", "big"):
            for stream in (False, True):
                with self.assertRaises(openai.APIStatusError) as caught:
                    self.client.chat.completions.create(model=model, stream=stream, messages=[{"role": "user", "content": SECRET}])
                self.assertIn(caught.exception.status_code, (422, 502, 503))
        for headers in ({"x-tandem-label": "private"}, {"x-tandem-label": "secret"}):
            with self.assertRaises(openai.APIStatusError):
                self.client.chat.completions.create(model="auto", messages=[{"role": "user", "content": "plain"}], extra_headers=headers)
        self.assertEqual((self.proxy.bytes - before, len(self.tandem.egress()) - records), (0, 0))
        self.tandem.write(self.config("hybrid"))
        until(lambda: self.tandem.chat(SECRET, max_tokens=4)[1]["x-tandem-zone"] == "local", "the engine to be back")


class Engine(unittest.TestCase):
    """The supervision of the embedded engine."""

    def start(self, more="", model=""):
        self.tandem = Tandem("models:\n  small: { provider: home, file: smollm2-135m-instruct-q4_1.gguf, context: 2048" + model + " }\nproviders: { home: { kind: engine } }\n" + more)
        self.addCleanup(self.tandem.stop)
        return self.tandem

    def engines(self):
        return json.loads(self.tandem.cli("engine", "list", "--json").stdout)["engines"]

    def test_requests_that_arrive_while_it_loads_wait_and_it_is_started_once(self):
        t = self.start()
        results = []
        threads = [threading.Thread(target=lambda: results.append(t.chat(max_tokens=4)[0])) for _ in range(4)]
        [x.start() for x in threads]
        [x.join() for x in threads]
        self.assertEqual(results, [200] * 4)
        running = [p for p in processes_of("smollm2-135m") if str(t.folder).encode() in pathlib.Path(f"/proc/{p}/environ").read_bytes()]
        self.assertEqual(running, [self.engines()[0]["pid"]])
        command = pathlib.Path(f"/proc/{self.engines()[0]['pid']}/cmdline").read_bytes()
        self.assertNotIn(b"api-key", command, "its key is not for everyone to see")

    def test_it_is_unloaded_when_idle_and_loaded_again(self):
        t = self.start(model=", idle_unload: 500ms")
        self.assertEqual(t.chat(max_tokens=4)[0], 200)
        pid = self.engines()[0]["pid"]
        until(lambda: self.engines()[0]["state"] == "stopped", "the engine to be unloaded")
        self.assertFalse(pathlib.Path(f"/proc/{pid}").exists())
        self.assertEqual(t.chat(max_tokens=4)[0], 200)

    def test_one_that_stops_answering_is_replaced(self):
        t = self.start()
        t.chat(max_tokens=4)
        pid = self.engines()[0]["pid"]
        os.kill(pid, signal.SIGSTOP)
        until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), "the stuck engine to be ended", 60)
        until(lambda: t.chat(max_tokens=4)[0] == 200, "another one", 60)

    def test_a_model_that_does_not_load_is_an_error_that_says_so(self):
        t = self.start(model="")
        (t.folder / "broken.gguf").write_bytes(b"GGUF" + b"\0" * 100)
        t.write("models: { small: { provider: home, file: broken.gguf } }\nproviders: { home: { kind: engine } }\n")
        t.process.send_signal(signal.SIGHUP)
        status, _, body = until(lambda: (r := t.chat(max_tokens=4))[0] != 200 and r, "the broken model")
        self.assertEqual(status, 503)
        self.assertIn("engine of small does not run", json.loads(body)["error"]["message"])
        self.assertIn("broken.gguf", t.cli("engine", "logs", "small").stdout)

    def test_a_waiting_request_is_bounded_by_its_deadline(self):
        t = self.start(model=", args: ['--warmup']")
        stop = threading.Event()
        def freeze():  # the engine loads in half a second; stopped, it takes for ever
            while not stop.is_set():
                for pid in processes_of("smollm2-135m"):
                    if str(t.folder) not in pathlib.Path(f"/proc/{pid}/environ").read_text(errors="replace"):
                        continue
                    os.kill(pid, signal.SIGSTOP)
                    return
        thread = threading.Thread(target=freeze)
        thread.start()
        start = time.monotonic()
        status, _, body = t.chat(headers={"x-tandem-timeout": "2"})
        stop.set()
        thread.join()
        if status != 200:
            self.assertEqual((status, json.loads(body)["error"]["code"]), (504, "deadline_passed"))
        self.assertLess(time.monotonic() - start, 8)

    def test_nothing_is_left_behind_after_a_stop_and_after_a_kill(self):
        for act in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            t = self.start()
            t.chat(max_tokens=4)
            pid = self.engines()[0]["pid"]
            t.process.send_signal(act)
            t.process.wait(20)
            until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), "the engine to be gone", 5)

    def test_a_stop_does_not_wait_for_an_engine_that_never_loads(self):
        t = self.start(more="server: { listen: 127.0.0.1:PORT, drain_timeout: 500ms }\nengine: { binary: FOLDER/fake }\n".replace("FOLDER", "/tmp"))
        fake = t.folder / "fake"
        fake.write_text("#!/bin/sh\nexec sleep 600\n")
        fake.chmod(0o755)
        t.write(t.file.read_text().split("\n", 1)[1].replace("/tmp/fake", str(fake)))
        t.process.send_signal(signal.SIGHUP)
        thread = threading.Thread(target=lambda: t.chat(timeout=30))
        until(lambda: t.log_text().count("read again"), "the reload")
        thread.start()
        until(lambda: self.engines()[0]["state"] == "starting", "the engine to begin")
        t.process.terminate()
        self.assertEqual(t.process.wait(15), 0)
        thread.join()

    def test_start_stop_and_unknown_engines_by_command(self):
        t = self.start()
        self.assertEqual(t.cli("engine", "start", "small").returncode, 0)
        self.assertEqual(self.engines()[0]["state"], "ready")
        self.assertEqual(t.cli("engine", "stop", "small").returncode, 0)
        until(lambda: self.engines()[0]["state"] == "stopped", "the stop")
        self.assertNotEqual(t.cli("engine", "start", "nothing").returncode, 0)
        self.assertIn("did you mean 'small'?", t.cli("engine", "logs", "smal").stderr)


if __name__ == "__main__":
    unittest.main()
