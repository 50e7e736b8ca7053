#!/usr/bin/env bash
# Starts Azurite, the emulator of Azure Blob Storage, and prints where its account is once it listens:
#   tests/azurite/start.sh [PORT [FOLDER]]     PORT 0 (the default) is a free one; without a FOLDER everything is kept in memory
# It ends when its standard input does, so that it cannot outlive whoever started it through a pipe.
# The pinned version is installed on demand, into node_modules beside this script.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
port=${1:-0}
place=(--inMemoryPersistence)
if [[ -n ${2:-} ]]; then place=(--location "$2"); fi

if ! command -v node > /dev/null || ! command -v npm > /dev/null; then
    echo 'Azurite needs node and npm, which are not installed.' >&2
    exit 69
fi

is_installed() {
    # npm writes this file last.
    [[ -e node_modules/.package-lock.json ]] &&
        node -e 'process.exit(require("azurite/package.json").version === require("./package.json").dependencies.azurite ? 0 : 1)' 2> /dev/null
}

if ! is_installed; then
    # Of several that start at once, one installs.
    if command -v flock > /dev/null; then
        exec 9> .installing
        flock 9
    fi
    is_installed || npm ci --no-progress --loglevel=error >&2
    exec 9>&-
fi

exec node --import 'data:text/javascript,process.stdin.on("end", () => process.exit()).resume()' \
    node_modules/azurite/dist/src/blob/main.js --blobPort "$port" "${place[@]}" --skipApiVersionCheck --disableTelemetry --silent
