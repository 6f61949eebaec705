#!/usr/bin/env bash
# Builds the firmware of every board with the reference table and prints what it needs of its memory.
# `make boards` calls it, after installing the tools. A board whose compiler is missing is named; the
# others are built. Argument: the Python to use.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python=${1:-python3}
failed=0
for port in hil/firmware/ports/*/board.mk; do
    board=$(basename "$(dirname "$port")")
    make -s -C hil/firmware BOARD="$board" PYTHON="$(realpath -s "$python")" || failed=1
done
exit $failed
