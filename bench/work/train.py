"""Fits the weights of src/routing/work.cpp: `python bench/work/train.py --data DIR --clues PROGRAM --out src/routing/work_weights.inc`.

DIR holds a clone of each repository of SOURCES as OWNER+NAME/repo (a git directory); PROGRAM is bench/work/clues.cpp, built.
Needs numpy. The same data and program give the same weights: nothing is random but what has a seed.

The words are our own (src/routing/work_lexicon.cpp), and each weight begins at what we expect of its column (PRIOR); the data
move it only as far as they agree. So a language that the data lack is judged by the concepts that its words share.
"""
import argparse, gzip, json, random, re, subprocess
import numpy as np

KINDS = ["talk", "transform", "facts", "code", "reasoning", "planning", "writing", "tools", "document"]
TALK, TRANSFORM, FACTS, CODE, REASONING, PLANNING, WRITING, TOOLS, DOCUMENT = range(9)

# repository, commit, licence of what is read of it
SOURCES = {
    "arena": ("lmarena+arena-hard-auto", "196f6b826783b3da7310e361a805fa36f0be83f3", "Apache-2.0"),
    "self": ("yizhongw+self-instruct", "0b26ccaa415992100fa32df62d41b994cf928e23", "Apache-2.0"),  # the parts that people wrote
    "clinc": ("clinc+oos-eval", "828f8093932c8fe6ca7936c3d2e52903b1c523de", "CC-BY-3.0"),
    "mgsm": ("google-research+url-nlp", "452a21ad3dae5668c06ceeac21ff073e1e40f9be", "CC-BY-4.0"),
    "gsm8k": ("openai+grade-school-math", "3101c7d5072418e28b9008a6636bde82a006892c", "MIT"),
    "humaneval": ("openai+human-eval", "6d43fb980f9fee3c892a914eda09951f772ad10d", "MIT"),
    "ifeval": ("lightblue-tech+M-IFEval", "0bc3143a919eef2f9ec64aa26da8a546086653de", "Apache-2.0"),
    "home": ("home-assistant+intents", "aa550032a57b67c13995c032220bc4101521ead2", "CC-BY-4.0"),
}
LANGUAGES = ["en", "de", "fr", "es", "it", "pt", "nl", "pl", "ru", "zh-cn", "ja"]


class Example:
    def __init__(self, text, kind, difficulty, source, language="en", weight=1.0, held=False):
        self.text, self.kind, self.difficulty, self.source = text, kind, difficulty, source
        self.language, self.weight, self.held = language, weight, held


def read(data, source, path):
    repo, commit, _ = SOURCES[source]
    return subprocess.run(["git", f"--git-dir={data}/{repo}/repo", "show", f"{commit}:{path}"], check=True,
                          capture_output=True).stdout


def lines(data, source, path):
    return [json.loads(line) for line in read(data, source, path).decode().split("\n") if line.strip()]


# ---- the data, with what each set is known to be ----

def arena(data):
    kinds = {"coding": CODE, "math": REASONING, "creative_writing": WRITING}
    for row in lines(data, "arena", "data/arena-hard-v2.0/question.jsonl"):
        kind = kinds[row["subcategory"]]
        if kind == REASONING and re.search(r"\b(code|python|function|program|script|sql)\b", row["prompt"], re.I): kind = None
        yield Example(row["prompt"], kind, 62 if kind == WRITING else 70, "arena-hard-v2", weight=0.8)
    for row in lines(data, "arena", "data/arena-hard-v0.1/question.jsonl"):
        yield Example(row["prompt"], None, 64, "arena-hard-v0.1", weight=0.5)


def gsm8k(data):
    rows = lines(data, "gsm8k", "grade_school_math/data/train.jsonl")
    for row in random.Random(1).sample(rows, 500): yield Example(row["question"], REASONING, 62, "gsm8k", weight=0.5)


def mgsm(data):
    for language in ["de", "en", "es", "fr", "ja", "ru", "zh"]:
        for row in read(data, "mgsm", f"mgsm/mgsm_{language}.tsv").decode().splitlines()[:100]:
            held = language in ("fr", "ja")
            yield Example(row.split("\t")[0], REASONING, 62, "mgsm", language, 0.5, held)


def humaneval(data):
    for i, row in enumerate(gzip.decompress(read(data, "humaneval", "data/HumanEval.jsonl.gz")).decode().splitlines()):
        yield Example(json.loads(row)["prompt"], CODE, 63, "humaneval", held=i % 2 == 1)


def ifeval(data):
    for language in ["en", "es", "fr", "ja"]:
        for row in lines(data, "ifeval", f"data/{language}_input_data.jsonl"):
            yield Example(row["prompt"], None, 47, "m-ifeval", language, 0.2)


def home(data):
    repo, commit, _ = SOURCES["home"]
    names = subprocess.run(["git", f"--git-dir={data}/{repo}/repo", "ls-tree", "-r", "--name-only", commit, "tests"], check=True,
                           capture_output=True, text=True).stdout.split()
    for language in LANGUAGES + ["sv", "cs", "tr", "ko"]:
        found = []
        for name in sorted(n for n in names if n.lower().startswith(f"tests/{language}/") and "/_" not in n):
            text = read(data, "home", name).decode()
            sentences = re.findall(r"^      - \"?([^\"{}<>\[\]\n:]{6,80})\"?$", text, re.M)
            found += random.Random(name).sample(sentences, min(2, len(sentences)))
        for sentence in found[:70]: yield Example(sentence, TALK, 4, "home-assistant", language[:2], 0.5, language == "nl")


CLINC = {  # what is not said is a command or a question to one's own account: talk, 7
    "translate": (TRANSFORM, 18), "definition": (FACTS, 20), "calculator": (TALK, 14), "measurement_conversion": (TRANSFORM, 9),
    "exchange_rate": (TRANSFORM, 9), "spelling": (FACTS, 14), "recipe": (FACTS, 28), "fun_fact": (FACTS, 18),
    "travel_suggestion": (FACTS, 28), "restaurant_suggestion": (FACTS, 20), "meal_suggestion": (FACTS, 24),
    "nutrition_info": (FACTS, 22), "calories": (FACTS, 20), "ingredients_list": (FACTS, 20), "cook_time": (FACTS, 20),
    "ingredient_substitution": (FACTS, 26), "food_last": (FACTS, 20), "vaccines": (FACTS, 20), "taxes": (FACTS, 26),
    "improve_credit_score": (FACTS, 30), "oil_change_how": (FACTS, 26), "jump_start": (FACTS, 26), "tire_change": (FACTS, 26),
    "meaning_of_life": (TALK, 12), "how_busy": (FACTS, 16), "international_visa": (FACTS, 22), "plug_type": (FACTS, 20),
    "timezone": (FACTS, 14), "distance": (FACTS, 16), "smart_home": (TALK, 3), "greeting": (TALK, 0), "goodbye": (TALK, 0),
    "thank_you": (TALK, 0), "yes": (TALK, 0), "no": (TALK, 0), "maybe": (TALK, 0), "tell_joke": (TALK, 6), "timer": (TALK, 2),
    "alarm": (TALK, 2), "play_music": (TALK, 3), "next_song": (TALK, 1),
}


def clinc(data):
    rows = json.loads(read(data, "clinc", "data/data_full.json"))
    by_intent = {}
    for text, intent in rows["train"]: by_intent.setdefault(intent, []).append(text)
    for intent in sorted(by_intent):
        kind, difficulty = CLINC.get(intent, (None, 8))
        for i, text in enumerate(random.Random(intent).sample(by_intent[intent], 12)):
            yield Example(text, kind, difficulty, "clinc150", weight=0.04 if intent not in CLINC else 0.6, held=i % 4 == 3)


def everything(data):
    for source in (arena, gsm8k, mgsm, humaneval, ifeval, home, clinc, self_instruct): yield from source(data)


# ---- instructions of self-instruct that people wrote, labelled by us: kind's letter and difficulty ----

LETTERS = dict(zip("tmfcrpw", range(7)))  # m: transform; x: not used
SEEDS = (
    "f28 r38 w34 w40 t6 w42 f26 f30 w30 f28 f24 f24 f38 m44 m30 r30 p42 p34 w30 f40 w46 r38 r48 f30 p42 r46 m38 t12 "
    "c40 w46 f22 c50 f28 w34 f32 r44 f24 c52 f16 m22 p46 c44 m24 m18 f20 r54 w40 w42 f28 w34 c50 m34 f30 m24 f32 "
    "w36 f30 w22 m12 w34 f16 c40 m32 w26 m30 f28 m28 m22 w30 c50 p42 f32 c38 p38 w42 t10 w28 w28 m24 f32 f26 f26 "
    "f36 r46 w28 m22 w38 w44 f20 w38 f16 p42 f32 w34 m34 f36 w40 m26 m30 w42 w34 m34 f38 f34 f34 w38 r60 f24 m28 "
    "r54 m10 f38 w30 w26 m28 f20 f30 m24 p42 w52 f18 p46 m36 w34 w34 f32 m28 f26 f30 w42 p42 f26 m18 f32 m22 m34 "
    "r54 m24 c46 c42 c32 c58 p52 f38 r48 p46 f28 f28 m28 m32 m28 m20 m24 p34 m22 r46 m22 m20 c36 m24 f26 f36 m30 "
    "m24 m18 m20 m20 m30 m30 m26 m24 m24 m22 m28 f28 "
).split()
USERS = (
    "m28 m38 m26 m30 w30 w28 m28 w32 w32 w44 f30 f32 c44 c48 f40 m32 f32 f30 w34 r40 f36 m28 m24 w44 w34 w30 f28 "
    "f36 m26 w36 f28 p40 w34 w30 f30 x x x x x x x x x x x x x x x x x x x x x x x x x w48 w36 w34 f28 m22 w36 f32 "
    "t14 f26 f30 f34 f36 w26 w30 w38 w28 f28 w44 c48 f26 m36 m32 p36 w44 w38 p38 w34 f30 f32 f28 p44 m28 c50 c58 "
    "f36 p46 c54 m48 m30 w46 m30 p46 m32 p46 f28 f28 p40 p44 f32 f32 p38 f32 f28 p42 p44 f36 w40 f30 f26 f28 f32 "
    "m26 w32 p34 f30 f14 f28 m40 f26 f26 f24 f32 f30 r58 r62 f22 f26 f30 f28 f18 r42 r60 r60 r44 r48 f42 f46 f28 "
    "f36 r20 m26 f16 f34 m16 w26 m26 m28 m26 m20 m28 m28 m26 m28 m22 m22 m20 m22 t12 f22 f32 m30 f28 f26 p40 f30 "
    "m40 m40 f28 m26 m36 f36 m34 w50 m22 m20 f28 w44 m22 m16 m28 c34 m36 f36 m28 m20 c36 m40 m28 f30 m34 f26 t14 "
    "m32 f26 w24 c32 w20 w34 f22 p44 c46 w42 m30 m38 f26 f26 w38 w40 w38 w38 m34 p38 f40 w34 m32 f24 c22 c52 f30 "
    "f32 w34 c38 m20 f28 m24 m20 m26 f30 m20 f28 m24 f14 c22 m18 m22 f22 w28 m22 p34 f20 f18 f22 "
).split()


def self_instruct(data):
    files = [("data/seed_tasks.jsonl", SEEDS, "seed"), ("human_eval/user_oriented_instructions.jsonl", USERS, "user")]
    for path, labels, source in files:
        for i, (row, label) in enumerate(zip(lines(data, "self", path), labels)):
            if label == "x": continue
            text, inserted = row["instruction"], row["instances"][0]["input"]
            if inserted: text += "\n\n" + inserted
            yield Example(text, LETTERS[label[0]], int(label[1:]), "self-instruct-" + source, weight=3, held=i % 4 == 1)


# ---- what we expect: column -> difficulty, and column -> weight of a kind ----

HARDER = {
    "greeting": -6, "thanks": -6, "farewell": -6, "assent": -4, "smalltalk": -2, "device": -4, "home": -5, "home+few": -5, "home+device": -4, "device+few": -5, "titling": -18, "proceed": -2,
    "translate": -2, "summarise": 0, "classify": -3, "extract": -2, "rewrite": 0, "proofread": 0, "convert": -5, "listing": -3, "lead:listing": -5, "judge": -3,
    "what_is": -5, "define": -4, "explain": 10, "implement": 6, "debug": 10, "code_object": 4, "code_language": 3,
    "code_tiny": -16, "systems": 13, "engineering": 7, "prove": 14, "calculate": 3, "mathematics": 5, "quantities": 2,
    "logic": 5, "step_by_step": 6, "plan": 6, "design": 11, "analyse": 8, "compare": 6, "diagnose": 12, "advise": -2,
    "business": 4, "legal": 12, "science": 6, "write": 0, "long_text": 10, "creative": 6, "short_text": -7, "roleplay": 1,
    "thorough": 8, "brief": -12, "complex": 8, "simple": -9, "small": -3, "constraints": 3, "document": 0,
    "lead:analyse": 5, "lead:plan": 4, "lead:design": 3, "lead:prove": 3, "lead:diagnose": 3, "lead:compare": 2,
    "sign:words": 18, "sign:tiny": -10, "sign:few": -5, "sign:some": 3, "sign:many": 4, "sign:very_many": 4,
    "sign:inserted": 2, "sign:inserted_long": 6, "sign:inserted_huge": 10, "sign:questions": 2, "sign:asks": -2,
    "sign:numbers": 4, "sign:formula": 6, "sign:latex": 8, "sign:code": 4, "sign:much_code": 6, "sign:trace": 8, "sign:stub": 6,
    "sign:table": 3, "sign:bullets": 5, "sign:verbs": 5, "sign:parts": 8, "sign:sentences": 4, "sign:long_asked": 12,
    "sign:longer_asked": 8, "sign:little_asked": -9, "sign:choices": 8, "sign:nothing": 0, "sign:no_verb": -3,
}
BASES = [4, 24, 28, 48, 50, 50, 39, 45, 40]   # of a kind's difficulty
SCALES = [0.35, 0.4, 0.9, 1, 0.8, 1, 1, 1, 0.5]  # how far the columns move it

LEANS = {
    TALK: {"greeting": 4, "thanks": 4, "farewell": 4, "assent": 2.5, "smalltalk": 4, "device": 3, "home": 1, "home+few": 1, "home+device": 1, "titling": 1.5, "lead:titling": 3,
           "proceed": 2, "sign:tiny": 1.2, "sign:nothing": 0.2, "sign:some": -2, "sign:many": -2, "sign:code": -2,
           "sign:inserted": -1, "device+few": 1},
    TRANSFORM: {**{name: 0.7 for name in ("translate", "summarise", "classify", "extract", "rewrite", "proofread", "convert")},
                **{"lead:" + name: 3.2 for name in ("translate", "summarise", "classify", "extract", "rewrite", "proofread", "convert")},
                "document": 0.8, "sign:inserted_share": 1.2, "listing": 0.3, "judge": 0.6, "lead:judge": 1.2, "brief": 0.3, "sign:code": -1, "in_language+few": 0.8},
    FACTS: {"what_is": 2.2, "what_is+few": 1.0, "define": 1.6, "explain": 1.0, "lead:explain": 1.6, "lead:define": 2, "listing": 1, "lead:listing": 1,
            "sign:asks": 0.8, "sign:nothing": 0.8, "asks+nothing": 1.5, "science": 0.4, "sign:code": -1.5, "sign:some": -0.7, "simple": 0.3},
    CODE: {"implement": 1.4, "lead:implement": 2, "debug": 1.2, "lead:debug": 1.5, "code_object": 1.2, "code_language": 1.6,
           "code_tiny": 1.6, "systems": 0.7, "engineering": 0.6, "sign:code": 2.2, "sign:much_code": 1, "sign:trace": 1.6, "sign:stub": 2.5,
           "write+code_object": 1, "write+code_language": 1, "code_object+code_language": 0.6, "creative": -1,
           "lead:rewrite": -0.5},
    REASONING: {"prove": 1.5, "lead:prove": 2.2, "calculate": 0.9, "lead:calculate": 1, "mathematics": 1.4, "quantities": 0.4,
                "logic": 1.6, "step_by_step": 0.7, "sign:formula": 1.6, "sign:latex": 2.2, "sign:choices": 1.6,
                "quantities+numbers": 3.5, "what_is+numbers": 2.5, "calculate+numbers": 1.5, "calculate+mathematics": 1, "sign:numbers": 0.4},
    PLANNING: {"plan": 1.5, "lead:plan": 1.8, "design": 1.3, "lead:design": 2, "analyse": 1.1, "lead:analyse": 1.8, "compare": 1.2,
               "lead:compare": 1.8, "diagnose": 2.8, "lead:diagnose": 1.5, "advise": 1, "lead:advise": 1, "business": 0.8,
               "legal": 0.9, "systems": 0.5, "plan+business": 0.5},
    WRITING: {"write": 0.8, "lead:write": 0.9, "long_text": 1.3, "creative": 1.7, "short_text": 1.4, "roleplay": 1,
              "sign:long_asked": 1.5, "thorough": 0.3, "write+long_text": 0.8, "write+creative": 0.8, "write+short_text": 0.8,
              "sign:code": -1.5},
    TOOLS: {},
    DOCUMENT: {"sign:inserted_huge": 3.5, "sign:inserted_long": 0.4, "document": 0.4},
}
# Added after the fit: hard work that goes to a weak model costs more than light work that goes to a strong one.
CAUTION = np.array([0, 0, 0, 4, 3, 4, 2, 0, 0])
BIAS = [0.2, -0.4, 0.0, -0.4, -0.5, -0.5, -0.5, -6, -2.5]


def prior(columns):
    kinds = np.zeros((len(columns), 9))
    harder = np.zeros(len(columns))
    for name, value in HARDER.items(): harder[columns.index(name)] = value
    for kind, leans in LEANS.items():
        for name, value in leans.items(): kinds[columns.index(name), kind] = value
    kinds[columns.index("sign:bias")] = BIAS
    return kinds, harder


def clues(program, texts):
    joined = b"".join(b"%d\n%s" % (len(b), b) for b in (t.encode() for t in texts))
    out = subprocess.run([program], input=joined, capture_output=True, check=True).stdout.decode().splitlines()
    return out[0].split(), np.array([[float(v) for v in line.split()] for line in out[1:]])


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


class Model:
    def __init__(self, columns):
        self.columns = columns
        self.kinds, self.harder = prior(columns)
        self.base, self.scale = np.array(BASES, float), np.array(SCALES, float)

    def each(self, x): return self.base + np.outer(x @ self.harder, self.scale)

    def __call__(self, x):
        p = softmax(x @ self.kinds)
        return p, np.clip((p * self.each(x)).sum(axis=1), 0, 100)


def fit(columns, x, kind, difficulty, weight, steps=1500):
    """Adam on cross entropy and squared error, drawn to the prior. A kind's probability does not learn from difficulty."""
    model = Model(columns)
    start = [model.kinds.copy(), model.harder.copy(), model.base.copy()]
    params = [model.kinds, model.harder, model.base]
    pull = [0.004, 0.0006, 0.002]
    known = kind >= 0
    onehot = np.zeros((len(x), 9))
    onehot[np.where(known)[0], kind[known]] = 1
    w = weight / weight.sum()
    moments = [[np.zeros_like(p), np.zeros_like(p)] for p in params]
    for step in range(1, steps + 1):
        p = softmax(x @ model.kinds)
        g_kinds = x.T @ ((p - onehot) * (w * known)[:, None])
        soft = np.where(known[:, None], onehot * 0.5 + p * 0.5, p)
        error = (soft * model.each(x)).sum(axis=1) - difficulty
        error = np.clip(error, -25, 25) / 100
        g_harder = x.T @ (w * error * (soft @ model.scale))
        g_base = (soft * (w * error)[:, None]).sum(axis=0)
        grads = [g + r * (q - s) for g, r, q, s in zip([g_kinds, g_harder, g_base], pull, params, start)]
        rate = 0.02 * min(1, 2 * (1 - step / steps) + 0.02)
        for i, (q, g, (m, v)) in enumerate(zip(params, grads, moments)):
            m += 0.1 * (g - m)
            v += 0.01 * (g * g - v)
            q -= rate * (8 if i else 1) * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.99**step)) + 1e-6)
    return model


def write(model, path):
    def numbers(values): return ", ".join(f"{v:.2f}F".replace("-0.00F", "0.00F") for v in values)
    with open(path, "w") as out:
        out.write("// Made by bench/work/train.py; not to be edited. Rows: talk, transform, facts, code, reasoning, planning, writing,\n"
                  "// tools, document, and what the column adds to difficulty.\n")
        out.write(f"inline constexpr std::array<std::string_view, {len(model.columns)}> kColumnNames = {{\n")
        for name in model.columns: out.write(f'    "{name}",\n')
        out.write(f"}};\ninline constexpr std::array<std::array<float, 10>, {len(model.columns)}> kColumnWeights = {{{{\n")
        for row, harder in zip(model.kinds, model.harder): out.write(f"    {{{numbers([*row, harder])}}},\n")
        out.write(f"}}}};\ninline constexpr std::array<float, 9> kKindBase = {{{numbers(model.base)}}};\n")
        out.write(f"inline constexpr std::array<float, 9> kKindScale = {{{numbers(model.scale)}}};\n")


def report(model, x, examples):
    p, d = model(x)
    groups = {}
    for i, e in enumerate(examples):
        if e.held: groups.setdefault((e.source, e.language), []).append(i)
    for (source, language), rows in sorted(groups.items()):
        known = [i for i in rows if examples[i].kind is not None]
        right = np.mean([p[i].argmax() == examples[i].kind for i in known]) if known else float("nan")
        off = np.mean([abs(d[i] - examples[i].difficulty) for i in rows])
        print(f"held out {source:16} {language}: {len(rows):4} texts, kind right {right:.2f}, difficulty off by {off:4.1f}, "
              f"median {np.median(d[rows]):.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="/work/.mirror")
    parser.add_argument("--clues", required=True)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    examples = list(everything(args.data))
    columns, x = clues(args.clues, [e.text for e in examples])
    kind = np.array([-1 if e.kind is None else e.kind for e in examples])
    difficulty = np.array([e.difficulty for e in examples], float)
    weight = np.array([e.weight for e in examples])
    train = np.array([not e.held for e in examples])
    model = fit(columns, x[train], kind[train], difficulty[train], weight[train])
    model.base += CAUTION
    report(model, x, examples)
    write(model, args.out)


if __name__ == "__main__":
    main()
