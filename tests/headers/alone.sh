#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Compiles each public header alone, and twice, the way a consumer would.
# usage: alone.sh COMPILER c|c++ STANDARD FOLDER
set -u
compiler=$1 kind=$2 standard=$3 folder=$4
bad=0 count=0
for header in "$folder"/*.h; do
    name=$(basename "$header")
    count=$((count + 1))
    printf '#include <%s>\n#include <%s>\nextern int unit; int unit;\n' "$name" "$name" |
        "$compiler" -x "$kind" -std="$standard" -Wall -Wextra -Werror -I"$folder" -fsyntax-only - || {
        echo "$name does not compile alone with $compiler -std=$standard" >&2
        bad=$((bad + 1))
    }
done
echo "$count headers, $bad do not compile alone"
[ "$count" -gt 0 ] && [ "$bad" -eq 0 ]
