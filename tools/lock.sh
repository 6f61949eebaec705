#!/usr/bin/env bash
# Writes requirements.lock from pyproject.toml (`make lock`). Existing pins stay where they still
# fit; LOCK_ARGS=--upgrade moves all of them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Resolved on the oldest supported Python: what it settles on also installs on the newer ones,
# while a newer Python may pick releases that have dropped the oldest.
python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; then
    echo "make lock needs Python 3.11, the oldest supported one: make lock PYTHON=python3.11" >&2
    exit 1
fi

# An environment of its own, so that pip-tools never becomes part of the locked one.
venv=build/lock-venv
"$python" -m venv --clear "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check pip-tools

# The --no-emit options and the custom command keep this machine's package index and paths out of
# the file. --build-deps-for adds hatchling and editables, so the project itself installs without
# build isolation, that is, with nothing that is not pinned here.
# shellcheck disable=SC2086  # LOCK_ARGS is a list of words
CUSTOM_COMPILE_COMMAND="make lock" "$venv/bin/pip-compile" pyproject.toml \
    --quiet --extra dev --build-deps-for editable --generate-hashes --strip-extras --allow-unsafe \
    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
    --output-file requirements.lock ${LOCK_ARGS:-}
