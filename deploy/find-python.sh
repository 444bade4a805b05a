#!/bin/sh
# Print the first Python that Lamppost runs on, with venv; nothing if there is none.
for name in python3 python3.13 python3.12 python3.11; do
    path=$(command -v "$name") || continue
    if "$path" -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
        echo "$path"
        exit 0
    fi
done
exit 0
