#!/bin/sh
# Learns weights.h again: learn.sh MIRROR OUT [SLOTS [COST]]. README.md says what has to be where. PYTHON has Faker.
set -eu
export PYTHONHASHSEED=0  # Faker has sets of names
here=$(cd "$(dirname "$0")" && pwd) mirror=$1 out=$2 slots=${3:-32768} cost=${4:-1}
mkdir -p "$out"
[ -e "$out/code.tsv" ] || "${PYTHON:-python3}" "$here/prepare.py" "$mirror" "$out"
[ -e "$out/synthetic-3.tsv" ] || "${PYTHON:-python3}" "$here/synthesize.py" "$mirror" "$out" 16000 3
cd "$here/.."
build="${CXX:-clang++} -std=c++2b -O2 -DFMT_HEADER_ONLY -I../.. tokens.cpp gazetteer.cpp viterbi.cpp"
$build train/train.cpp -o "$out/train"
cd "$out"
./train weights.h "$slots" 5 "$cost" synthetic-3.tsv wikigold.tsv*2 btc-a.tsv btc-b.tsv btc-e.tsv btc-f.tsv btc-g.tsv wnut.tsv \
    pud-en.tsv*2 pud-de.tsv bosque-train.tsv bosque-dev.tsv bosque-test.tsv ddt.tsv gum.tsv*2 sgd.tsv meddocan.tsv code.tsv*3
