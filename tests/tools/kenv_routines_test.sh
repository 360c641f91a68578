#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The list of kernel routines in the documentation is the one of the headers, and each page that it
# names exists.
set -euo pipefail
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

python3 "$TOP/scripts/kenv-routines" --check
grep -o '](\([a-z]*\.md\))' "$TOP/docs/kenv/routines.md" | tr -d '])(' | sort -u |
    while read -r page; do
        [ -s "$TOP/docs/kenv/$page" ] || {
            echo "docs/kenv/$page is missing" >&2
            exit 1
        }
    done
