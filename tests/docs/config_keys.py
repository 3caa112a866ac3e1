"""The keys of tandem.yaml, as the code reads them: src/config/*.cpp is followed from read_root() through its sections, so that each key is
known by its whole path, with its type. And as docs/reference/config.md has them."""
import re

TYPES = {"text": "text", "name": "text", "required_text": "text", "secret": "secret", "secrets": "list of secrets", "flag": "true or false", "duration": "duration",
         "money": "money", "decimal": "number", "share": "number", "label": "label", "texts": "list", "time": "time"}


def functions(text):
    """Name -> (parameters, body) of each function of a file, by its braces."""
    found = {}
    for match in re.finditer(r"^[\w:<>*& ]+? (\w+)\(([^)]*)\) \{\n", text, re.M):
        end = text.index("\n}\n", match.end() - 1)
        found[match[1]] = (match[2], text[match.end():end])
    return found


def brackets(text, begin):
    """The text within the bracket that opens at `begin`."""
    depth = 0
    quoted = False
    i = begin
    while True:
        c = text[i]
        if quoted:
            if c == "\\":
                i += 1
            elif c == '"':
                quoted = False
        elif c == '"':
            quoted = True
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
            if depth == 0:
                return text[begin + 1:i]
        i += 1


def arguments(text):
    """Arguments of a call, apart."""
    parts, depth, current, quoted = [], 0, "", False
    for c in text:
        if c == '"':
            quoted = not quoted
        if not quoted:
            depth += (c in "([{") - (c in ")]}")
            if c == "," and depth == 0:
                parts.append(current.strip())
                current = ""
                continue
        current += c
    return [*parts, current.strip()]


class Code:
    NUMBER = r"constexpr (?:std::size_t|std::int64_t|int) (k\w+) = ([\d\w' <*]+);"

    def __init__(self, folder):
        self.functions, text, own = {}, "", ""
        for file in sorted(folder.glob("*.cpp")):
            code = re.sub(r"^\s*//.*\n", "", file.read_text(), flags=re.M)
            self.functions.update(functions(code))
            own += code
        for file in [*(folder.parent / "base").glob("*.h"), *folder.glob("*.h")]:
            text += re.sub(r"//.*", "", file.read_text())
        self.names = {m[1]: re.findall(r'"([^"]*)"', m[2]) for m in re.finditer(r"(k\w+) = \{([^;]*?)\};", text + own)}
        self.numbers = dict(re.findall(self.NUMBER, text + own))
        self.names["kinds"] = self.kinds_of_providers(folder.parent / "provider")
        self.keys = {}

    def kinds_of_providers(self, folder):
        """The names of the rows, in the order of the list."""
        rows = "".join(file.read_text() for file in folder.glob("kinds/*.cpp"))
        return [re.search(rf'const Kind {one} = \{{\.name = "([^"]+)"', rows)[1] for one in re.findall(r"^    X\((k\w+)\)", (folder / "kind.cpp").read_text(), re.M)]

    def number(self, text):
        for name, value in self.numbers.items():
            text = re.sub(rf"(\w+::)*\b{name}\b", f"({value})", text)
        return eval(re.sub(r"(\d)U?L\b", r"\1", text.replace("'", "")), {})

    def bound(self, low, high, unit):
        def shown(n):
            if unit == "bytes":
                for size, name in ((40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")):
                    if n and n % (1 << size) == 0:
                        return f"{n >> size} {name}"
            return f"{n:,}"
        return f"{shown(self.number(low))} to {shown(self.number(high))}"

    def type_of(self, method, args):
        if method == "number":
            return "whole number, " + self.bound(args[2], args[3], "")
        if method == "bytes":
            return "size, " + self.bound(args[2], args[3], "bytes")
        if method == "choice":
            names = self.names[args[2].split("::")[-1]]
            return "one of " + ", ".join(f"`{n}`" for n in names)
        if method == "decimal":
            return f"number, 0 to {self.number(args[2]) // 1000000:,}"
        if method == "share":
            return f"number, 0 to {args[2] if len(args) > 2 else 1}"
        return TYPES[method]

    def note(self, path, kind):
        # `cascade` may be a flag or a section, an alias a list or a section: the first word on it is kept.
        self.keys.setdefault(path, kind)

    def walk(self, body, variables):
        """`variables`: names of Sections, with their paths."""
        for match in re.finditer(r"\b(\w+)(?:\.|->)(text|name|required_text|secret|secrets|flag|duration|bytes|money|decimal|share|label|texts|time|number|choice|section|each_named|each_listed)\(|\b(read_\w+)\(", body):
            at = match.end() - 1
            if self.within_lambda(body, match.start()):
                continue
            args = arguments(brackets(body, at))
            if match[3]:
                self.call(match[3], args, variables)
            elif match[1] in variables:
                self.method(variables[match[1]], match[2], args, body, match.start(), variables)

    def method(self, path, method, args, body, start, variables):
        keys = self.keys_of(args[0], body[:start])
        for key in keys:
            whole = f"{path}.{key}" if path else key
            if method in ("section", "each_named", "each_listed"):
                inner = {"section": whole, "each_named": f"{whole}.NAME", "each_listed": f"{whole}[]"}[method]
                lambda_ = args[1]
                name = re.search(r"Section& (\w+)\)", lambda_)[1]
                self.walk(brackets(lambda_, lambda_.index("{")), {**variables, name: inner})
            else:
                self.note(whole, self.type_of(method, args))

    def keys_of(self, text, before):
        if match := re.fullmatch(r'"(\w+)"', text):
            return [match[1]]
        if match := re.search(r"(k\w+Names)\[", text):
            return self.names[match[1]]
        if text == "name":  # read_treatments: the labels from `internal` on
            return self.names["kLabelNames"][1:]
        if text == "id":
            return ["NAME"]
        raise ValueError(f"which key is {text}?")

    def within_lambda(self, body, at):
        """Whether a place is inside of a lambda with a Section of its own, which is walked by itself."""
        for match in re.finditer(r"\[[&\w]*\]\((?:const std::string& \w+, )?Section& \w+\) \{", body):
            if match.end() <= at < match.end() + len(brackets(body, match.end() - 1)):
                return True
        return False

    def call(self, name, args, variables):
        if name not in self.functions:
            return
        parameters, body = self.functions[name]
        section = re.search(r"Section& (\w+)", parameters)
        place = [i for i, p in enumerate(arguments(parameters)) if "Section&" in p]
        if section and args[place[0]] in variables:
            others, self.numbers = self.numbers, {**self.numbers, **dict(re.findall(self.NUMBER, body))}
            self.walk(body, {section[1]: variables[args[place[0]]]})
            self.numbers = others


def of_code(folder):
    code = Code(folder)
    code.walk(code.functions["read_root"][1], {"root": ""})
    keys = code.keys
    # What is said once: a rule's and an alias's `failure` have what the policy's has, and each zone's actions are alike.
    for place in ("policy.rules[]", "aliases.NAME"):
        below = {key.removeprefix(f"{place}.failure."): kind for key, kind in keys.items() if key.startswith(f"{place}.failure.")}
        assert below == {key.removeprefix("policy.failure."): kind for key, kind in keys.items() if key.startswith("policy.failure.")}
        keys = {key: kind for key, kind in keys.items() if not key.startswith(f"{place}.failure.")} | {f"{place}.failure": "as `policy.failure`"}
    # Keys and teams have budgets like those of the whole, but for what they are of.
    whole = {key.removeprefix("budgets[]."): kind for key, kind in keys.items() if key.startswith("budgets[].")}
    for place in ("keys.NAME", "teams.NAME"):
        assert whole == {key.removeprefix(f"{place}.budgets[]."): kind for key, kind in keys.items() if key.startswith(f"{place}.budgets[].")}
        keys = {key: kind for key, kind in keys.items() if not key.startswith(f"{place}.budgets[].")} | {f"{place}.budgets": "list, as `budgets` without `of`"}
    of_zones = {re.sub(r"^(privacy\.actions)\.\w+\.\w+$", r"\1.ZONE.LABEL", key) for key in keys}
    actions = {kind for key, kind in keys.items() if key.startswith("privacy.actions.")}
    assert len(actions) == 1
    keys["privacy.actions.ZONE.LABEL"] = actions.pop()
    return {key: kind for key, kind in keys.items() if key in of_zones}


ENTRY = re.compile(r"^- `([\w.\[\]-]+)` \(((?:.|\n  )*?)(; [^)]*|;\n  [^)]*)?\):", re.M)


def of_page(text):
    return {match[1]: match[2] for match in ENTRY.finditer(text)}


def with_types(text, keys):
    return ENTRY.sub(lambda m: f"- `{m[1]}` ({keys.get(m[1], m[2])}{m[3] or ''}):", text)
