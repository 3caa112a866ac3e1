"""No file, function or list of parameters grows beyond what a reader holds in mind. What is larger already has its name here,
and the most that it may have."""
import pathlib
import re
import unittest

SRC = pathlib.Path(__file__).resolve().parents[2] / "src"

MOST_LINES = 600  # of a file
MOST_OF_FUNCTION = 70  # lines
MOST_PARAMETERS = 6

# Tables: a row is a line, and more rows are no more to understand.
TABLES = ("privacy/names/tables.h", "privacy/names/weights.h", "privacy/unicode/plain.h", "privacy/patterns/", "routing/known_models", "dialect/losses.cpp")

FILES = {
    "dialect/gemini.cpp": 700,
    "dialect/openai_chat.cpp": 800,
    "dialect/openai_responses.cpp": 850,
    "gateway/attempt.cpp": 800,
    "privacy/memory.cpp": 850,
    "resources/responses.cpp": 700,
}
FUNCTIONS = {
    "app.cpp: App::start": 80,
    "cli/connect/printed.cpp: printed_clients": 160,  # a list
    "cli/connect/written.cpp: written_clients": 200,  # a list
    "dialect/gemini.cpp: read_config": 90,
    "learning/evaluate.cpp: evaluate": 80,
    "privacy/names/train/measure.cpp: main": 100,
    "privacy/restore.cpp: Stands::placeholder_at": 90,
    "resources/batches.cpp: answer_line": 80,
    "routing/decide.cpp: decide": 90,
    "routing/record.cpp: to_json": 80,
}
PARAMETERS = {"upstream/upstream.h: send": 8}


def sources():
    for file in sorted(SRC.rglob("*.[ch]*")):
        if file.suffix in (".h", ".cpp"):
            yield str(file.relative_to(SRC)), file.read_text()



def functions(text):
    """(name, lines) of what clang-format leaves as a function: from its first line to the brace at the same depth."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if not line.endswith("{") or line.lstrip().startswith(("namespace", "class", "struct", "enum", "union", "//", "}")):
            continue
        indent = len(line) - len(line.lstrip())
        if indent > 4:
            continue
        head = number
        while "(" not in lines[head] and head > 0 and number - head < 8:
            head -= 1
        opening = lines[head]
        name = re.search(r"([\w:~]+|operator\S+)\(", opening)
        if not name or name.group(1) in ("if", "for", "while", "switch", "catch") or re.match(r"\s*(if|for|while|switch|return|else)\b", opening):
            continue
        end = next((other for other in range(number, len(lines)) if re.match(rf" {{{indent}}}\}}", lines[other])), number)
        yield name.group(1), end - number + 1


def parameters(text):
    """(name, how many) of each declaration of a function in a header."""
    for found in re.finditer(r"^[ ]{0,4}[\w:<>,&*\[\] ]*[\w>&*\]] ([\w~]+)\(([^;{}()]*(?:\([^()]*\)[^;{}()]*)*)\)(?: const)?(?: noexcept)?(?: override)?(?: = 0)?;", text, re.M):
        inside = re.sub(r"<[^<>]*(<[^<>]*(<[^<>]*>)?[^<>]*>)?[^<>]*>|\([^()]*\)|\{[^{}]*\}", "", found.group(2))
        if inside.strip():
            yield found.group(1), inside.count(",") + 1


def heaviest(values, most):
    return {name: size for name, size in values if size > most}


class Weight(unittest.TestCase):
    maxDiff = None

    def hold(self, found, known, what):
        self.assertEqual({name: size for name, size in found.items() if size > known.get(name, 0)}, {}, f"{what}: too many; split it at its seams")
        self.assertEqual(set(known) - set(found), set(), f"{what}: no longer too many; take it out of the list")

    def test_files_have_a_length_that_is_read_in_one_go(self):
        found = {name: len(text.splitlines()) for name, text in sources() if not name.startswith(TABLES)}
        self.hold(heaviest(found.items(), MOST_LINES), FILES, "lines of a file")

    def test_functions_fit_on_a_screen(self):
        found = {}
        for name, text in sources():
            if not name.startswith(TABLES):
                for function, lines in functions(text):
                    key = f"{name}: {function}"
                    found[key] = max(found.get(key, 0), lines)
        self.hold(heaviest(found.items(), MOST_OF_FUNCTION), FUNCTIONS, "lines of a function")

    def test_a_function_is_told_little(self):
        found = {}
        for name, text in sources():
            if name.endswith(".h"):
                for function, count in parameters(text):
                    key = f"{name}: {function}"
                    found[key] = max(found.get(key, 0), count)
        self.hold(heaviest(found.items(), MOST_PARAMETERS), PARAMETERS, "parameters")


if __name__ == "__main__":
    unittest.main()
