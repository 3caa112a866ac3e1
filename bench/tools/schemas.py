"""Of the schemas of a public function-calling set (public.py): how many are held by a grammar whole, held but for some keywords that are
checked afterwards, only checked, or refused. Each is also given a value that it does not take.

    schemas.py PATH-OF-schema_judge"""
import collections
import json
import statistics
import subprocess
import sys

import public


def main():
    schemas = public.functions()
    asked = "".join(json.dumps({"schema": one, "values": ["not an object"]}) + "\n" for one in schemas)
    answers = [json.loads(line) for line in subprocess.run([sys.argv[1]], input=asked, capture_output=True, text=True, check=True).stdout.splitlines()]
    counts, relaxed, times = collections.Counter(), collections.Counter(), []
    for one in answers:
        if "error" in one:
            counts["refused"] += 1
            print("refused:", one["error"], file=sys.stderr)
            continue
        grammar = one["grammar"]
        times.append(grammar["microseconds"])
        relaxed.update(grammar["relaxed"])
        counts["held whole" if grammar["held"] and not grammar["relaxed"] else "held but for keywords" if grammar["held"] else "only checked"] += 1
        counts["takes a text where an object is wanted"] += one["verdicts"] == ["valid"]
    times.sort()
    print(json.dumps({"schemas": len(schemas), **counts, "keywords that are checked afterwards": dict(relaxed),
                      "grammar_microseconds": {"median": statistics.median(times), "p99": times[len(times) * 99 // 100], "most": times[-1]}}, indent=2))


if __name__ == "__main__":
    main()
