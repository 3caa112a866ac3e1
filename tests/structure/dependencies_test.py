"""Dependencies between the folders of src/ point one way. A new edge is added here on purpose, or the test fails."""
import pathlib
import re
import unittest

SRC = pathlib.Path(__file__).resolve().parents[2] / "src"

# Each folder, with what it may include. docs/internals/architecture.md draws the same.
MAY = {
    "base": set(),
    "chat": {"base"},
    "schema": {"base"},
    "tools": {"base", "chat", "schema"},
    "net": {"base"},
    "store": {"base", "net"},
    "cost": {"base"},
    "provider": {"base", "dialect", "net"},  # the kinds alone; what is sent to them is upstream's
    "config": {"base", "net", "provider"},  # net/limits.h: the bounds that the owner can set
    "access": {"base", "config", "net", "store"},
    "dialect": {"base", "chat"},
    "privacy": {"base", "chat", "config", "store"},
    "backup": {"base", "privacy", "store"},
    "catalog": {"base", "config", "store"},
    "routing": {"access", "base", "catalog", "chat", "config", "ledger"},  # what a model costs
    "ledger": {"access", "base", "config", "net", "store"},
    "jobs": {"base", "net", "store"},
    "energy": {"base", "config", "ledger", "net", "store"},  # amounts of prices; the table of what was measured
    "alerts": {"base", "config", "jobs", "ledger", "net", "store"},
    "learning": {"base", "chat", "config", "ledger", "net", "routing", "store"},
    "advice": {"access", "base", "config", "cost", "learning", "ledger", "routing", "store"},  # reads the ledger, decides nothing
    "translate": {"tools", "schema", "ledger", "base", "chat", "config", "dialect", "net"},
    "cache": {"base", "chat", "dialect"},
    "engine": {"base", "config", "net"},
    "retrieval": {"access", "base", "config", "engine", "privacy", "store"},  # the engine's sandbox holds the reader of files
    "upstream": {"base", "config", "net", "ledger", "privacy", "provider"},  # a Clearance and a Reservation are what it sends with
    "gateway": {"tools", "catalog", "learning", "translate", "cache", "access", "base", "chat", "config", "net", "store", "dialect", "privacy", "routing", "ledger", "engine", "upstream", "retrieval"},  # retrieval/passages.h alone: what the files say
    "resources": {"jobs", "access", "base", "chat", "config", "dialect", "gateway", "net", "privacy", "store", "translate"},
    "experiment": {"jobs", "learning", "translate", "access", "base", "chat", "config", "net", "store", "dialect", "routing", "gateway"},
    "probe": {"ledger", "catalog", "schema", "dialect", "jobs", "learning", "access", "base", "chat", "config", "net", "store", "gateway"},
    "api": {"catalog", "advice", "retrieval", "jobs", "resources", "learning", "translate", "cache", "access", "experiment", "probe", "base", "chat", "config", "net", "store", "dialect", "privacy", "routing", "ledger", "engine", "upstream", "gateway"},
    "cli": {"provider", "retrieval", "advice", "jobs", "resources", "learning", "translate", "cache", "access", "backup", "cost", "experiment", "probe", "base", "chat", "config", "net", "store", "dialect", "privacy", "routing", "ledger", "engine", "upstream", "gateway", "api", "."},
}


def includes(file):
    return re.findall(r'^#include [<"]([^>"]+)[>"]', file.read_text(), re.M)


class Dependencies(unittest.TestCase):
    def test_point_one_way(self):
        for file in SRC.rglob("*.[ch]*"):
            folder = file.relative_to(SRC).parts[0]
            if folder not in MAY:
                continue  # main.cpp and app.*, which wire
            for name in includes(file):
                if (SRC / name).exists():
                    target = name.split("/")[0] if "/" in name else "."
                    self.assertTrue(target == folder or target in MAY[folder], f"{file.relative_to(SRC)} includes {name}: {folder} may not depend on {target}")

    def test_have_no_cycle(self):
        seen = []
        left = {k: v - {"."} for k, v in MAY.items()}
        while left:
            free = [k for k, v in left.items() if not v - set(seen)]
            self.assertTrue(free, f"a cycle among {sorted(left)}")
            seen += free
            for k in free:
                del left[k]

    def test_every_folder_is_known(self):
        self.assertEqual({p.name for p in SRC.iterdir() if p.is_dir()} - set(MAY), set())

    def test_only_net_knows_the_http_library(self):
        for file in SRC.rglob("*.[ch]*"):
            if file.relative_to(SRC).parts[0] != "net":
                self.assertFalse([i for i in includes(file) if i.startswith("boost/beast")], file)

    def test_only_upstream_and_the_owners_commands_open_connections(self):
        """Law 1 and 2: what leaves, leaves through upstream/, with a Clearance. The engine's health check and the commands'
        own calls go to servers that the owner named, and carry no conversation."""
        users = {file.relative_to(SRC).parts[0] for file in SRC.rglob("*.cpp") if re.search(r"client\w*\.send\(|async_connect", file.read_text())}
        # alerts/ calls the owner's webhook with the ledger's own numbers, and never with what a client or a model said.
        # energy/ asks the plugs that the owner named, and says nothing.
        self.assertEqual(users, {"net", "upstream", "engine", "alerts", "energy", "cli"})


if __name__ == "__main__":
    unittest.main()
