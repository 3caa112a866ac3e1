"""Adds up what bench_owners printed: summary.py FILE... One table, an owner a row, shares with Wilson's interval."""
import json
import math
import sys


def wilson(hits, n, z=1.96):
    """Wilson 1927: the interval of a share, 95 %."""
    if n == 0:
        return 0, 0
    p = hits / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return middle - half, middle + half


def share(rows, holds):
    hits = sum(1 for row in rows if holds(row))
    low, high = wilson(hits, len(rows))
    return f"{100 * hits / max(1, len(rows)):5.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def equal(verdict):
    return verdict["best"] and verdict["order"]


def main():
    rows = [json.loads(line) for name in sys.argv[1:] for line in open(name)]
    owners = list(dict.fromkeys(row["owner"] for row in rows))
    for owner in [*owners, "all"]:
        some = [row for row in rows if owner in (row["owner"], "all")]
        print(f"{owner}: {len(some)} seeds")
        for measure in ("seen", "year", "error", "strict"):
            print(f"  {measure:>6}: equal {share(some, lambda r: equal(r[measure]))}, "
                  f"best {share(some, lambda r: r[measure]['best'])}, order {share(some, lambda r: r[measure]['order'])}, "
                  f"pairs wrong {sum(r[measure]['wrong'] for r in some)} of {sum(r['pairs'] for r in some)}")
        print(f"  the same list in an order by chance: seen {share(some, lambda r: equal(r['chance_seen']))}, "
              f"year {share(some, lambda r: equal(r['chance_year']))}")
        known = [row["known"] for row in some]
        told, pairs = sum(r["asserted"] for r in some), sum(r["pairs"] for r in some)
        print(f"  stated: {told} of {pairs} pairs told apart ({100 * told / max(1, pairs):.0f} %), wrong {sum(v['wrong'] for v in known)}; no seed with a "
              f"wrong one {share(some, lambda r: r['known']['order'])}; seeds with a pair told apart {share(some, lambda r: r['asserted'] > 0)}")
        taus = [row["tau"] for row in some if row["pairs"]]
        lost, gain = sum(row["lost"] for row in some), sum(row["to_gain"] for row in some)
        nothing = [row for row in some if row["advised"] == "today"]
        changed = [row for row in some if row["advised"] != "today"]
        print(f"  Kendall's tau {sum(taus) / max(1, len(taus)):.3f}; lost by doing what is advised {100 * lost / max(1e-9, gain):.1f} % of "
              f"what was to gain ({lost / len(some):.2f} of {gain / len(some):.2f} a month), by doing what stands first "
              f"{100 * sum(row['first_lost'] for row in some) / max(1e-9, gain):.1f} %")
        print(f"  'change nothing' was said {len(nothing)} times, and best in truth {share(nothing, lambda r: r['best'] == 'today')}; it "
              f"is best in truth {share(some, lambda r: r['best'] == 'today')}")
        print(f"  a change was advised {len(changed)} times; it is worth more than nothing "
              f"{share(changed, lambda r: r['to_gain'] - r['lost'] > 0)}")


main()
