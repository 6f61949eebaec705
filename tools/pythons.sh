#!/usr/bin/env bash
# Runs every scenario under each Python given and compares the events, byte for byte, with those
# of .venv's Python. Environments are kept in .pythons/<version>.
#   tools/pythons.sh python3.12 python3.13
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[ $# -gt 0 ] || { echo "usage: tools/pythons.sh PYTHON... (for example python3.12)" >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
.venv/bin/python tools/event_digests.py >"$work/reference"
reference=$(.venv/bin/python -c 'import platform; print(platform.python_version())')
echo "Python $reference: $(wc -l <"$work/reference") scenarios"

compared=0
for python in "$@"; do
    if ! version=$("$python" -c 'import platform; print(platform.python_version())' 2>/dev/null); then
        echo "$python: not installed here, not compared"
        continue
    fi
    home=.pythons/$version
    if [ ! -e "$home/.done" ]; then
        echo "Python $version: installing the locked packages"
        rm -rf "$home"
        "$python" -m venv "$home"
        "$home/bin/python" -m pip --quiet --disable-pip-version-check install --require-hashes -r requirements.lock
        touch "$home/.done"
    fi
    "$home/bin/python" tools/event_digests.py >"$work/other"
    if ! diff "$work/reference" "$work/other"; then
        echo "Python $version: the scenarios above differ" >&2
        exit 1
    fi
    echo "Python $version: identical"
    compared=$((compared + 1))
done
[ $compared -gt 0 ] || { echo "no other Python was compared"; exit 1; }
