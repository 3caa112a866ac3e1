"""Tasks with tools, made from a seed: no model has seen them. Each has a request, what is right, and whether a tool fits at all.

A task's tools are drawn from the kinds below, with names of their own and in any order; its words name the values that the call must have.
What is right is known by how the task was made, so that a program scores it."""
import random

PLACES = ["Lisbon", "Oslo", "Nairobi", "Lima", "Hanoi", "Turin", "Quito", "Accra", "Riga", "Perth"]
PEOPLE = ["Ada", "Boris", "Chen", "Dina", "Emil", "Farah", "Goran", "Hana", "Ivo", "Jana"]
THINGS = ["invoice", "report", "contract", "receipt", "letter", "poster", "ticket", "form"]

KINDS = [
    ("weather", "Weather forecast of a place", lambda r: {"place": r.choice(PLACES), "days": r.randint(2, 9)}, {"place": "string", "days": "integer"},
     "What will the weather be in {place} over the next {days} days?"),
    ("message", "Sends a short message to a person", lambda r: {"to": r.choice(PEOPLE), "urgent": r.random() < 0.5}, {"to": "string", "urgent": "boolean"},
     "Send a message to {to}. Set urgent to {urgent}."),
    ("convert", "Converts an amount of money", lambda r: {"amount": r.randint(10, 900), "from": "EUR", "to": r.choice(["USD", "JPY", "CHF"])},
     {"amount": "integer", "from": ["EUR", "USD"], "to": ["USD", "JPY", "CHF", "EUR"]}, "Convert {amount} EUR to {to}."),
    ("find", "Searches the documents of the office", lambda r: {"query": r.choice(THINGS), "limit": r.randint(2, 20)}, {"query": "string", "limit": "integer"},
     "Search the documents for '{query}' and show at most {limit} results."),
    ("timer", "Starts a timer", lambda r: {"minutes": r.randint(2, 59), "label": r.choice(["tea", "bread", "wash", "call"])}, {"minutes": "integer", "label": "string"},
     "Start a timer of {minutes} minutes labelled {label}."),
    ("lamp", "Switches a lamp", lambda r: {"room": r.choice(["kitchen", "hall", "study"]), "on": r.random() < 0.5}, {"room": ["kitchen", "hall", "study"], "on": "boolean"},
     "Set the lamp in the {room}: on must be {on}."),
    ("meeting", "Enters a meeting into the calendar", lambda r: {"with": r.choice(PEOPLE), "hour": r.randint(8, 18), "room": {"floor": r.randint(1, 9)}},
     {"with": "string", "hour": "integer", "room": {"floor": "integer"}}, "Plan a meeting with {with} at {hour} o'clock on floor {floor}."),
]

IRRELEVANT = ["Write two sentences about the sea.", "What is {a} plus {b}?", "Say hello to the readers of my blog.", "Which is larger, a whale or a mouse?",
              "Explain in one sentence what a library is.", "Tell me a short joke about cats.", "Translate 'good morning' into French.", "Name three colours."]


def schema_of(types):
    properties = {}
    for name, kind in types.items():
        properties[name] = schema_of(kind) if isinstance(kind, dict) else {"type": "string", "enum": kind} if isinstance(kind, list) else {"type": kind}
    return {"type": "object", "properties": properties, "required": list(types)}


def tool_of(kind, name):
    return {"type": "function", "function": {"name": name, "description": kind[1], "parameters": schema_of(kind[3])}}


def tasks(seed, count):
    """`count` tasks: three quarters in which one tool fits, a quarter in which none does."""
    r = random.Random(seed)
    made = []
    for i in range(count):
        kinds = r.sample(KINDS, r.randint(1, 4))
        names = {kind[0]: f"{kind[0]}_{r.choice(['get', 'do', 'run', 'call'])}_{r.randint(10, 99)}" for kind in kinds}
        tools = [tool_of(kind, names[kind[0]]) for kind in kinds]
        r.shuffle(tools)
        if i % 4 == 3:
            words = r.choice(IRRELEVANT).format(a=r.randint(2, 90), b=r.randint(2, 90))
            made.append({"tools": tools, "words": words, "right": None})
            continue
        kind = kinds[0]
        values = kind[2](r)
        flat = {**values, **{k: v for inner in values.values() if isinstance(inner, dict) for k, v in inner.items()}}
        said = {k: str(v).lower() if isinstance(v, bool) else v for k, v in flat.items()}
        made.append({"tools": tools, "words": kind[4].format(**said), "right": {"name": names[kind[0]], "arguments": values}})
    return made


def same(wanted, given):
    if isinstance(wanted, dict):
        return isinstance(given, dict) and all(k in given and same(v, given[k]) for k, v in wanted.items())
    if isinstance(wanted, str):
        return isinstance(given, str) and wanted.lower() == given.strip().lower()
    return type(wanted) is type(given) and wanted == given
