"""How well `tandem privacy scan` finds what it should, beside Presidio on the same texts, and how often it cries wolf.

    python bench/privacy/quality.py [--texts 3000] [--seed 1] [--tandem build/release/tandem] [--wolf FOLDER...]

The texts are made here: sentences in eight languages around values that Faker makes, with their places known. Precision,
recall and F1 are of spans (found: same type, and the overlap is at least half of both), each F1 with a 95 % interval from
1,000 bootstrap samples of texts. Needs `pip install faker`, and `presidio-analyzer` for the peer (its pattern recognisers;
its spaCy model is in no registry). `--wolf`: files without secrets; credential alarms are counted per 10 MB.
"""
import argparse, collections, json, logging, pathlib, random, subprocess, tempfile, time

from faker import Faker

logging.disable(logging.CRITICAL)  # Presidio asks the network for the list of domains, and says at length that there is none

SENTENCES = {
    "en_US": ["My name is {person}, call me at {phone}.", "Please send the invoice to {email} before {date}.", "Card {card} was charged twice, said {person}.",
              "{person} moved to {place} last year.", "SSN {ssn} belongs to the applicant.", "Wire it to {iban} today.", "The server {ip} went down.", "Ship to {address}.",
              "{org} hired {person} in {place}.", "Her date of birth is {date} and her phone is {phone}.", "export API_TOKEN={token}"],
    "en_GB": ["Dear {person}, your account {iban} is open.", "I live at {address}.", "Ring {phone} and ask for {person}.", "We met {person} of {org} in {place}."],
    "de_DE": ["Ich heiße {person} und wohne in {address}.", "Rufen Sie mich unter {phone} an.", "Überweisen Sie an {iban}.", "Frau {last} von {org} ist in {place}.", "Meine Karte ist {card}."],
    "fr_FR": ["Je m'appelle {person}, mon téléphone est le {phone}.", "Mon adresse est {address}.", "Écrivez à {email}.", "Madame {last} habite à {place}.", "Le virement va sur {iban}."],
    "es_ES": ["Me llamo {person} y vivo en {place}.", "Mi teléfono es {phone}.", "El DNI es {nif}.", "La cuenta {iban} es de {org}."],
    "it_IT": ["Mi chiamo {person}.", "Il codice fiscale è {fiscal}.", "Il mio numero di telefono è {phone}.", "Scrivi a {email}."],
    "nl_NL": ["Mijn naam is {person}, bel {phone}.", "Stuur het naar {email}.", "Mevrouw {last} woont in {place}."],
    "pl_PL": ["Nazywam się {person}.", "PESEL {pesel} jest w umowie.", "Telefon: {phone}."],
    "pt_BR": ["Meu nome é {person}.", "CPF {cpf}.", "Meu celular é {phone}."],
}
TYPES = {"person": "PERSON", "last": "PERSON", "phone": "PHONE_NUMBER", "email": "EMAIL_ADDRESS", "date": "DATE_TIME", "card": "CREDIT_CARD", "place": "LOCATION", "ssn": "US_SSN",
         "iban": "IBAN_CODE", "ip": "IP_ADDRESS", "address": "LOCATION", "org": "ORGANIZATION", "nif": "ES_NIF", "fiscal": "IT_FISCAL_CODE", "pesel": "PL_PESEL", "cpf": "BR_CPF", "token": "CREDENTIAL"}
MAKERS = {"person": lambda f: f.first_name() + " " + f.last_name(), "last": lambda f: f.last_name(), "phone": lambda f: f.phone_number(), "email": lambda f: f.email(),
          "date": lambda f: f.date(random.choice(["%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d %B %Y"])), "card": lambda f: f.credit_card_number(), "place": lambda f: f.city(),
          "ssn": lambda f: f.ssn(), "iban": lambda f: f.iban(), "ip": lambda f: f.ipv4(), "address": lambda f: f.address().replace("\n", ", "), "org": lambda f: f.company(),
          "nif": lambda f: f.nif(), "fiscal": lambda f: f.ssn(), "pesel": lambda f: f.pesel(), "cpf": lambda f: f.cpf(),
          "token": lambda f: "ghp_" + "".join(random.choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", k=36))}
PEER_TYPES = {"PHONE_NUMBER", "EMAIL_ADDRESS", "DATE_TIME", "CREDIT_CARD", "US_SSN", "IBAN_CODE", "IP_ADDRESS", "ES_NIF", "IT_FISCAL_CODE", "PL_PESEL"}


def make(count, seed):
    random.seed(seed)
    Faker.seed(seed)
    fakers = {locale: Faker(locale) for locale in SENTENCES}
    texts = []
    for i in range(count):
        locale = random.choice(list(SENTENCES))
        text, spans = "", []
        for sentence in random.sample(SENTENCES[locale], min(2, len(SENTENCES[locale]))):
            text += " " if text else ""
            while "{" in sentence:
                before, rest = sentence.split("{", 1)
                kind, sentence = rest.split("}", 1)
                value = str(MAKERS[kind](fakers[locale]))
                text += before
                spans.append((TYPES[kind], len(text), len(text) + len(value)))
                text += value
            text += sentence
        texts.append({"id": str(i), "text": text, "spans": spans})
    return texts


def overlap(a, b):
    shared = min(a[2], b[2]) - max(a[1], b[1])
    return a[0] == b[0] and shared * 2 >= a[2] - a[1] and shared * 2 >= b[2] - b[1]


def counts(text, found):
    """type -> [hits, missed, false]"""
    result = collections.defaultdict(lambda: [0, 0, 0])
    left = list(found)
    for gold in text["spans"]:
        hit = next((f for f in left if overlap(gold, f)), None)
        if hit:
            left.remove(hit)
        result[gold[0]][0 if hit else 1] += 1
    for f in left:
        result[f[0]][2] += 1
    return result


def f1(hits, missed, false):
    return 2 * hits / max(1, 2 * hits + missed + false)


def table(name, texts, found, types):
    per_text = [counts(t, [s for s in found.get(t["id"], []) if s[0] in types]) for t in texts]
    print(f"\n{name}\n{'type':<18}{'precision':>10}{'recall':>8}{'F1':>7}   95 % interval")
    for kind in sorted(types) + ["all"]:
        rows = [tuple(sum(c[k][i] for k in ([kind] if kind != "all" else types) if k in c) for i in range(3)) for c in per_text]
        total = [sum(r[i] for r in rows) for i in range(3)]
        if total[0] + total[1] == 0:
            continue
        rows = [r for r in rows if any(r)]
        samples = sorted(f1(*[sum(r[i] for r in s) for i in range(3)]) for s in (random.choices(rows, k=len(rows)) for _ in range(1000 if kind == "all" else 200)))
        low, high = samples[len(samples) // 40], samples[-len(samples) // 40 - 1]
        print(f"{kind:<18}{total[0] / max(1, total[0] + total[2]):>10.3f}{total[0] / max(1, total[0] + total[1]):>8.3f}{f1(*total):>7.3f}   {low:.3f} to {high:.3f}")


def tandem(binary, lines):
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder, "tandem.yaml")
        config.write_text(f"data: {folder}/data\n")
        start = time.monotonic()
        out = subprocess.run([binary, "--config", config, "privacy", "scan", "--jsonl"], input="\n".join(json.dumps(l) for l in lines), capture_output=True, text=True, check=True)
        return {r["id"]: [(s["type"], s["start"], s["end"]) for s in r["spans"]] for r in map(json.loads, out.stdout.splitlines())}, time.monotonic() - start


def presidio_engine():
    """Presidio with its pattern recognisers. ImportError where it is not here."""
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NlpEngine, NlpArtifacts
    import spacy
    class Blank(NlpEngine):
        def __init__(self): self.nlp = {"en": spacy.blank("en")}
        def load(self): pass
        def is_loaded(self): return True
        def process_text(self, text, language):
            doc = self.nlp["en"](text)
            return NlpArtifacts([], doc, [t.idx for t in doc], [t.lemma_ or t.text for t in doc], self, language)
        def process_batch(self, batch, language, **_):
            for t in batch: yield t, self.process_text(t, language)
        def is_stopword(self, word, language): return False
        def is_punct(self, word, language): return False
        def get_supported_entities(self): return []
        def get_supported_languages(self): return ["en"]
    registry = RecognizerRegistry()
    engine = Blank()
    registry.load_predefined_recognizers(languages=["en"], nlp_engine=engine)
    from presidio_analyzer import predefined_recognizers as p
    for extra in ("EsNifRecognizer", "ItFiscalCodeRecognizer", "PlPeselRecognizer"):
        if hasattr(p, extra): registry.add_recognizer(getattr(p, extra)(supported_language="en"))
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--texts", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tandem", default="build/release/tandem")
    parser.add_argument("--wolf", nargs="*", default=[])
    asked = parser.parse_args()
    texts = make(asked.texts, asked.seed)
    size = sum(len(t["text"].encode()) for t in texts)
    ours, seconds = tandem(asked.tandem, [{"id": t["id"], "text": t["text"]} for t in texts])
    print(f"{len(texts)} texts, {size} bytes; tandem, start included: {size / seconds / 1e6:.2f} MB/s")
    table("tandem, all types", texts, ours, set(TYPES.values()))
    try:
        analyzer = presidio_engine()
        start = time.monotonic()
        theirs = {t["id"]: [(r.entity_type, r.start, r.end) for r in analyzer.analyze(t["text"], language="en")] for t in texts}
        print(f"\nPresidio's patterns: {size / (time.monotonic() - start) / 1e6:.3f} MB/s")
        table("Presidio's patterns, the types that they have", texts, theirs, PEER_TYPES)
        table("tandem, the same types", texts, ours, PEER_TYPES)
    except ImportError as missing:
        print(f"\nPresidio is not here ({missing})")
    lines, size = [], 0
    for folder in asked.wolf:
        for path in sorted(pathlib.Path(folder).rglob("*")):
            try:
                if path.is_file() and path.stat().st_size < 300_000:
                    text = path.read_text()
                    size += len(text.encode())
                    lines.append({"id": str(path), "text": text})
            except (UnicodeDecodeError, OSError):
                continue
    if lines:
        found, _ = tandem(asked.tandem, lines)
        alarms = sum(1 for spans in found.values() for s in spans if s[0] == "CREDENTIAL")
        print(f"\ncredential alarms on {size / 1e6:.1f} MB of {len(lines)} files: {alarms}, {alarms / size * 1e7:.2f} per 10 MB")


if __name__ == "__main__":
    main()
