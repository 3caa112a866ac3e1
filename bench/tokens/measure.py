"""measure.py FOLDER TANDEM [--seed N]: how far tandem's count of an answer's tokens is from real tokenizers. README.md says what FOLDER has."""
import argparse
import base64
import glob
import json
import pathlib
import random
import re
import subprocess

import tiktoken
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

# The splits of OpenAI's and Qwen's tokenizers, as their publishers give them.
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
CL100K = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
PLAIN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LANGUAGES = "de fr es pl fi tr ru uk el he ar fa hi bn th vi ja ko zh_Hans".split()
MODERN = ("o200k", "tekken", "qwen2", "llama3", "deepseek")


def one(folder, pattern):
    found = sorted(folder.rglob(pattern))
    if not found:
        raise SystemExit(f"there is no {pattern} under {folder}")
    return found[0]


def js_ranks(file):
    text = json.loads('"' + re.search(r'bpe_ranks"?\s*:\s*"((?:[^"\\]|\\.)*)"', file.read_text()).group(1) + '"')
    ranks = {}
    for line in filter(None, text.split("\n")):
        _, first, *tokens = line.split(" ")
        ranks.update((base64.b64decode(token), int(first) + i) for i, token in enumerate(tokens))
    return ranks


def of_gguf(file, split):
    from gguf import GGUFReader
    fields = GGUFReader(file).fields
    texts = {name: [bytes(fields[name].parts[i]).decode() for i in fields[name].data] for name in ("tokenizer.ggml.tokens", "tokenizer.ggml.merges")}
    tokenizer = Tokenizer(models.BPE({t: i for i, t in enumerate(texts["tokenizer.ggml.tokens"])},
                                     [tuple(m.split(" ", 1)) for m in texts["tokenizer.ggml.merges"]]))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(split), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


def tokenizers(folder):
    def tik(name, split, ranks):
        encoding = tiktoken.Encoding(name, pat_str=split, mergeable_ranks=ranks, special_tokens={})
        return lambda text: len(encoding.encode(text, disallowed_special=()))

    def file(name):
        tokenizer = Tokenizer.from_file(str(one(folder, name)))
        return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)
    lines = [line.split() for line in one(folder, "9b5ad71b2ce5302211f9c61530b329a4922fc6a4").read_bytes().splitlines() if line.strip()]
    tekken = json.loads(one(folder, "tekken_240911.json").read_text())
    size = tekken["config"]["default_vocab_size"] - tekken["config"]["default_num_special_tokens"]
    return {"o200k": tik("o200k", O200K, js_ranks(one(folder, "o200k_base.js"))),
            "cl100k": tik("cl100k", CL100K, {base64.b64decode(token): int(rank) for token, rank in lines}),
            "tekken": tik("tekken", tekken["config"]["pattern"], {base64.b64decode(v["token_bytes"]): i for i, v in enumerate(tekken["vocab"][:size])}),
            "claude2": file("anthropic_tokenizer.json"), "deepseek": file("deepseek_tokenizer.json"),
            "qwen2": of_gguf(one(folder, "ggml-vocab-qwen2.gguf"), CL100K.replace("{1,3}", "").replace("++", "+").replace("?+", "?")),
            "llama3": of_gguf(one(folder, "ggml-vocab-llama-bpe.gguf"), PLAIN)}


def texts(folder, source):
    found = {}
    for language in LANGUAGES:
        pieces = []
        for name in sorted(folder.rglob(f"locale/{language}/LC_MESSAGES/django.po")):
            for match in re.finditer(r'msgstr(?:\[\d\])? ((?:"(?:[^"\\]|\\.)*"\s*)+)', name.read_text()):
                text = "".join(json.loads(part) for part in re.findall(r'"(?:[^"\\]|\\.)*"', match[1]))
                if len(text) > 25 and "Content-Type" not in text:
                    pieces.append(text)
        found["text " + language] = " ".join(pieces)
    read = lambda pattern, most: "\n".join(pathlib.Path(name).read_text() for name in sorted(glob.glob(str(source / pattern), recursive=True))[:most])
    found["text en"] = re.sub(r"```.*?```", "", read("docs/**/*.md", 40), flags=re.S)
    found["code cpp"], found["code py"] = read("src/gateway/*.cpp", 9), read("tests/*.py", 9)
    prices = json.loads((source / "packaging/prices/corrections.json").read_text())
    found["json"], found["json pretty"] = json.dumps(prices), json.dumps(prices, indent=2)
    draw = random.Random(1)
    found["table csv"] = "\n".join(f"{draw.randint(1, 9999)},{draw.choice(['Berlin', 'Lyon', 'Oslo'])},{draw.random() * 1000:.2f},2026-{draw.randint(1, 12):02}" for _ in range(900))
    found["table md"] = "\n".join(f"| {draw.choice(['North', 'South'])} | {draw.randint(1, 99999):,} | {draw.random() * 100:.1f} % | open |" for _ in range(900))
    found["numbers"] = " ".join(str(draw.randrange(10 ** draw.randint(4, 18))) for _ in range(600))
    return found


def counted(tandem, pieces):
    """What tandem makes of answers that have no count of their own."""
    body = lambda text: {"model": "gpt-5.1", "choices": [{"index": 0, "message": {"role": "assistant", "content": text}}], "usage": {"prompt_tokens": 1}}
    lines = "\n".join(json.dumps({"id": str(i), "provider": "openai", "model": "gpt-5.1", "body": body(text)}) for i, text in enumerate(pieces))
    said = subprocess.run([tandem, "prices", "apply", "--jsonl", "-"], input=lines, capture_output=True, text=True, check=True).stdout
    return {int(row["id"]): row["usage"]["output"] for row in map(json.loads, said.splitlines())}


def main():
    options = argparse.ArgumentParser()
    options.add_argument("folder", type=pathlib.Path)
    options.add_argument("tandem")
    options.add_argument("--seed", type=int, default=11)
    options.add_argument("--pieces", type=int, default=16)
    options = options.parse_args()
    draw, pieces, kinds = random.Random(options.seed), [], []
    for kind, text in texts(options.folder, pathlib.Path(__file__).resolve().parents[2]).items():
        for _ in range(options.pieces):
            length = min(len(text) - 1, draw.choice((80, 200, 500, 1200, 3000)))
            begin = draw.randrange(len(text) - length)
            pieces.append(text[begin:begin + length])
            kinds.append(kind)
    ours = counted(options.tandem, pieces)
    errors = {name: [ours[i] / count(text) - 1 for i, text in enumerate(pieces)] for name, count in tokenizers(options.folder).items()}
    quantile = lambda values, share: sorted(map(abs, values))[min(len(values) - 1, int(share * len(values)))]
    for name, values in {**errors, "the five of today": [v for name in MODERN for v in errors[name]]}.items():
        print(f"{name:18} median {quantile(values, 0.5):5.1%}  p95 {quantile(values, 0.95):5.1%}")
    for kind in sorted(set(kinds)):
        values = [errors[name][i] for name in MODERN for i in range(len(pieces)) if kinds[i] == kind]
        print(f"{kind:18} mean {sum(values) / len(values):+6.1%}  p95 {quantile(values, 0.95):5.1%}")


main()
