"""A row of the store is written and read by the names of its columns (src/store/row.h), so that a new column is one line. A statement of a few
values may count them."""
import pathlib
import re
import unittest

SRC = pathlib.Path(__file__).resolve().parents[2] / "src"

MOST = 4  # that a reader counts at a glance

# A released migration stays as it is, and so does what it is put together from.
MIGRATION = re.compile(r"^(const char\* const k\w*Schema\w* =.*?;$|#define TANDEM_(FILL|PERIODS|SOURCE|TIER|KIND_COLUMNS_BEFORE)\b(.*\\\n)*.*)", re.M | re.S)
BETWEEN_TEXTS = re.compile(r'"\s*\n\s*"')
BY_POSITION = {
    "a value is bound by its position": re.compile(r"\.bind(?:_blob|_copy)?\(\s*(\d+)\s*,"),
    "a parameter has a number": re.compile(r"\?([1-9]\d?)\b(?=[^\"\n]*\")"),
    "a column is read by its position": re.compile(r"\b(?:integer|text|label_in)\((?:\w+, )?(\d+)\)"),
}
UNNAMED = {
    "all columns are read": re.compile(r'"SELECT (?:[^"]*, ?)?(?:\w+\.)?\*'),
    "a row is put in without the names of its columns": re.compile(r'"(?:INSERT|REPLACE)\b(?: OR \w+)? INTO \w+ (?:VALUES|SELECT|\?)'),
}


def found_in(text):
    """(what, where) of each that stands in a source."""
    text = BETWEEN_TEXTS.sub("", MIGRATION.sub("", text))
    for what, pattern in BY_POSITION.items():
        yield from ((what, one.group(0)) for one in pattern.finditer(text) if int(one.group(1)) > MOST)
    for what, pattern in UNNAMED.items():
        yield from ((what, one.group(0)) for one in pattern.finditer(text))


class Rows(unittest.TestCase):
    maxDiff = None

    def test_rows_are_written_and_read_by_name(self):
        found = [f"{file.relative_to(SRC)}: {what}: {where}" for file in sorted(SRC.rglob("*.[ch]*")) for what, where in found_in(file.read_text())]
        self.assertEqual(found, [], "name the columns in a store::Table or a store::Selection")

    def test_what_is_counted_is_seen(self):
        for text in (
            "row.bind(5, value);",
            "row.bind_blob( 12, value);",
            "kind = label_in(row, 5);",
            "kind = row.integer(10);",
            'auto kFind = "SELECT id FROM keys "\n    "WHERE team = ?5";',
            'database.prepare("SELECT * FROM keys");',
            'database.prepare("SELECT d.*, t.json FROM decisions d");',
            'database.prepare(\n    "INSERT OR IGNORE INTO "\n    "keys VALUES (?, ?)");',
            'database.prepare("INSERT INTO keys SELECT 1, 2");',
        ):
            self.assertEqual(len(list(found_in(text))), 1, text)

    def test_what_is_few_or_released_or_no_column_may_stay(self):
        for text in (
            'row.bind(4, value);\nreturn row.text(4);',
            'database.prepare("SELECT count(*) FROM keys WHERE name = ?1");',
            'database.prepare("INSERT INTO keys (name) VALUES (?)");',
            'const char* const kKeysSchema2 =\n    "INSERT INTO keys SELECT * FROM old;"\n    "DROP TABLE old;";\n',
            'json.text(12, "x");',
        ):
            self.assertEqual(list(found_in(text)), [], text)


if __name__ == "__main__":
    unittest.main()
