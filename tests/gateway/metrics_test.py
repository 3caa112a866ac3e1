"""GET /metrics: Prometheus' text format, read strictly, and the numbers in it."""
import re
import unittest

from harness import Tandem, Upstream, free_port

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
        # Whose they are is not told, and not to everybody.
        self.assertNotIn("guest", body.decode())
        self.assertEqual(tandem.request("/metrics", headers=guest)[0], 403)
        self.assertEqual(tandem.request("/metrics")[0], 401)


if __name__ == "__main__":
    unittest.main()
