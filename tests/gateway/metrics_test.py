"""GET /metrics: Prometheus' text format, read strictly, and the numbers in it."""
import re
import unittest

from harness import Tandem, Upstream, free_port, until

SAMPLE = re.compile(r'(\w+)\{((?:\w+="(?:[^"\\\n]|\\["\\n])*",?)*)\} (-?[\d.]+(?:e[+-]?\d+)?)$')


def read(text):
    """{(name, labels): value}; every line is a sample of the family that was announced last, or an announcement."""
    values, family = {}, None
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            continue
        if line.startswith("# TYPE "):
            _, _, family, kind = line.split(" ")
            assert kind in ("counter", "gauge", "histogram"), line
            continue
        found = SAMPLE.fullmatch(line)
        assert found, line
        assert re.sub("_(bucket|sum|count)$", "", found[1]) == family or found[1] == family, line
        key = (found[1], tuple(sorted(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', found[2]))))
        assert key not in values, line
        values[key] = float(found[3])
    return values


def scraped_with(tandem, owner, sample):
    """The metrics once they have a sample: a request is counted when its answer is already on its way."""
    def scraped():
        text = tandem.request("/metrics", headers=owner)[2].decode()
        return text if sample in text else None
    return until(scraped, sample)


class Metrics(unittest.TestCase):
    def test_count_what_happened(self):
        good = Upstream()
        self.addCleanup(good.close)
        tandem = Tandem(f"providers:\n  g: {good.provider()}\n  dead: {{ kind: openai, zone: cloud, base_url: 'http://127.0.0.1:{free_port()}/v1' }}\n"
                        "models:\n  m: { provider: g, price: { input: 1, output: 2 } }\n  d: { provider: dead }\naliases: { both: [d, m] }\n"
                        "keys: { own: { secret: owner-key-0123456789, admin: true }, guest: { secret: guest-key-0123456789 } }\n")
        self.addCleanup(tandem.stop)
        guest, owner = {"authorization": "Bearer guest-key-0123456789"}, {"authorization": "Bearer owner-key-0123456789"}
        for _ in range(3):
            self.assertEqual(tandem.chat(model="m", headers=guest)[0], 200)
        self.assertEqual(tandem.chat(model="both", headers=guest)[0], 200)
        scraped_with(tandem, owner, 'status="200"} 3\n')
        status, headers, body = tandem.request("/metrics", headers=owner)
        self.assertEqual(status, 200)
        self.assertTrue(headers["content-type"].startswith("text/plain; version=0.0.4"))
        values = read(body.decode())
        def value(name, **labels):
            found = [v for (n, l), v in values.items() if n == "tandem_" + name and all(dict(l).get(k) == w for k, w in labels.items())]
            self.assertEqual(len(found), 1, (name, labels))
            return found[0]
        self.assertEqual(value("attempts_total", provider="g", model="m", outcome="answered"), 4)
        self.assertEqual(value("attempts_total", provider="dead", model="d", outcome="failed"), 2)
        self.assertEqual(value("tokens_total", model="m", kind="output"), 12)
        self.assertAlmostEqual(value("cost_total", model="m", currency="USD"), 4 * (7 + 3 * 2) / 1e6)
        self.assertEqual(value("first_byte_seconds_count", model="m"), 4)
        self.assertEqual(value("first_byte_seconds_bucket", model="m", le="+Inf"), 4)
        self.assertEqual(value("provider_up", provider="g"), 1)
        self.assertGreater(value("provider_failure_share", provider="dead"), 0)
        self.assertEqual(value("provider_running", provider="g"), 0)
        self.assertEqual(value("key_attempts_total", key="guest"), 6)
        self.assertEqual(value("key_tokens_total", key="guest", kind="input"), 28)
        self.assertAlmostEqual(value("key_cost_total", key="guest", currency="USD"), 4 * (7 + 3 * 2) / 1e6)
        self.assertEqual(value("requests_total", alias="m", label="public", zone="local", status="200"), 3)
        self.assertEqual(value("fallbacks_total"), 1)
        # No secret, and not for everybody.
        self.assertNotIn("key-0123456789", body.decode())
        self.assertEqual(tandem.request("/metrics", headers=guest)[0], 403)
        self.assertEqual(tandem.request("/metrics")[0], 401)

    def test_of_the_cache_of_redaction_and_of_budgets(self):
        cloud = Upstream()
        self.addCleanup(cloud.close)
        tandem = Tandem(f"providers: {{ c: {cloud.provider('cloud')} }}\nmodels: {{ m: {{ provider: c, price: {{ input: 1, output: 2 }} }} }}\ncache: {{ ttl: 10m }}\n"
                        "privacy: { actions: { cloud: { private: redact } } }\n"
                        "keys: { guest: { secret: guest-key-0123456789, budgets: [{ limit: 2.50, window: month }] }, own: { secret: owner-key-0123456789, admin: true } }\n")
        self.addCleanup(tandem.stop)
        guest, owner = {"authorization": "Bearer guest-key-0123456789"}, {"authorization": "Bearer owner-key-0123456789"}
        for _ in range(2):
            self.assertEqual(tandem.chat("hello", model="m", headers=guest)[0], 200)
        self.assertEqual(tandem.chat("pay DE89 3704 0044 0532 0130 00 please", model="m", headers=guest)[0], 200)
        for alias in ("made-up-by-the-client", 'quo"te\\n', "x" * 1000):
            self.assertEqual(tandem.chat("hello", model=alias, headers=guest)[0], 404)
        text = scraped_with(tandem, owner, 'status="404"} 3\n')
        values = read(text)
        def value(name, **labels):
            (found,) = [v for (n, l), v in values.items() if n == "tandem_" + name and all(dict(l).get(k) == w for k, w in labels.items())]
            return found
        self.assertEqual(value("requests_total", alias="", status="404"), 3)
        self.assertEqual(value("cache_answers_total"), 1)
        self.assertEqual(value("redactions_total", type="IBAN_CODE"), 1)
        self.assertEqual(value("key_budget", key="guest", window="month", what="limit"), 2.5)
        self.assertAlmostEqual(value("key_budget", key="guest", window="month", what="spent"), 2 * 13 / 1e6)
        self.assertNotIn("made-up", text)

    def test_names_that_clients_write_for_a_pattern_are_no_series(self):
        home = Upstream()
        self.addCleanup(home.close)
        tandem = Tandem(f"providers: {{ h: {home.provider()} }}\nmodels: {{ 'lab/*': {{ provider: h }}, small: {{ provider: h }} }}\n")
        self.addCleanup(tandem.stop)
        for name in [f"lab/secret-name-{i}" for i in range(40)] + ["small"]:
            self.assertEqual(tandem.chat(model=name)[0], 200)
        text = scraped_with(tandem, {}, 'model="small"')
        self.assertNotIn("secret-name", text)
        values = read(text)
        counts = {dict(labels)["model"]: v for (name, labels), v in values.items() if name == "tandem_attempts_total"}
        self.assertEqual(counts, {"lab/*": 40, "small": 1})

    def test_a_key_that_may_scrape_may_do_nothing_else(self):
        home = Upstream()
        self.addCleanup(home.close)
        tandem = Tandem(f"providers: {{ h: {home.provider()} }}\nmodels: {{ m: {{ provider: h }} }}\n"
                        "keys: { prometheus: { secret: scrape-key-0123456789, metrics: true }, a: { secret: other-key-0123456789 } }\n")
        self.addCleanup(tandem.stop)
        scraper = {"authorization": "Bearer scrape-key-0123456789"}
        self.assertEqual(tandem.request("/metrics", headers=scraper)[0], 200)
        for path in ("/v1/models", "/tandem/v1/status", "/tandem/v1/logs", "/tandem/v1/openapi.json", "/api/tags", "/v1/files", "/tandem/v1/config"):
            self.assertEqual(tandem.request(path, headers=scraper)[0], 403, path)
        self.assertEqual(tandem.chat(model="m", headers=scraper)[0], 403)
        self.assertEqual(home.requests, [])
        tandem.write("keys: { k: { secret: scrape-key-0123456789, metrics: true, admin: true } }\n")
        self.assertIn("may read them already", tandem.cli("serve").stderr)


if __name__ == "__main__":
    unittest.main()
