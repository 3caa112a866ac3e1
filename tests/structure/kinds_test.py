"""Law 7: what is odd about a kind of provider stands in its file (src/provider/kinds/), and what is odd about a dialect in
src/dialect/. Elsewhere nobody asks which one it is."""
import pathlib
import re
import unittest

SRC = pathlib.Path(__file__).resolve().parents[2] / "src"

DIALECTS = "openai_chat|openai_responses|anthropic|gemini|ollama"
KINDS = "engine|openai|responses|anthropic|gemini|ollama|llama-server"
ONE = re.compile(rf"\b(Kind|Speaker)::({DIALECTS}|llama_server)\b")
ASKS = re.compile(r"==|!=|\bcase\b| \? ")
BY_NAME = re.compile(rf"\bkind\b[^;]*(==|!=)\s*\"({KINDS})\"")

HOMES = ("provider/", "dialect/")
# Where that is known, and how often: less is welcome, more is not.
KNOWN = {
    # A client's words meet a provider's here. Each of these is a pair of them.
    "translate/conversion.cpp": 16,
    "translate/thoughts.cpp": 1,
    # Servers that are told apart by their answers, before anybody knows what kind they are.
    "cli/init/discover.cpp": 2,
    "cli/init/products.cpp": 2,
    "cli/init/compose.cpp": 1,
}


def asked():
    found = {}
    for file in sorted(SRC.rglob("*.[ch]*")):
        name = str(file.relative_to(SRC))
        if name.startswith(HOMES):
            continue
        lines = [f"{name}:{number}: {line.strip()}" for number, line in enumerate(file.read_text().splitlines(), 1) if (ONE.search(line) and ASKS.search(line)) or BY_NAME.search(line)]
        if lines:
            found[name] = lines
    return found


class Kinds(unittest.TestCase):
    def test_nobody_asks_which_one_it_is(self):
        for name, lines in asked().items():
            self.assertLessEqual(len(lines), KNOWN.get(name, 0), "a row of provider/kind.h or a member of dialect::Dialect says it instead:\n" + "\n".join(lines))

    def test_what_is_known_is_still_there(self):
        found = asked()
        self.assertEqual({name: len(found.get(name, [])) for name in KNOWN}, KNOWN)


if __name__ == "__main__":
    unittest.main()
