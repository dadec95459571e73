#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What the documents point at is there: relative links, files of the source named in backticks, and in the
# threat model every file, test and fuzz target that is said to stop or to test something.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
mapfile -t documents < <(find README.md CHANGELOG.md docs tests fuzz -name '*.md' -not -path 'fuzz/corpus/*' | LC_ALL=C sort)
status=0
say() {
    echo "$*"
    status=1
}
in_backticks() { sed -E '/^(    |```)/d' "$1" | grep -oE '`[^`]+`' | tr -d '`' | LC_ALL=C sort -u; }
matches() { compgen -G "$1" >/dev/null; }

for document in "${documents[@]}"; do
    folder=$(dirname "$document")
    while IFS= read -r link; do
        [ -e "$folder/${link%%#*}" ] || say "$document: link to $link, which is not there"
    done < <(grep -oE '\]\([^)]+\)' "$document" | sed -E 's/^\]\((.*)\)$/\1/' | grep -vE '^(https?:|mailto:|#)' || true)
    while IFS= read -r name; do
        # NAME, X and y stand for any.
        [[ $name =~ NAME|/X/ ]] || matches "$name" || say "$document: names $name, which is not there"
    done < <(in_backticks "$document" | grep -E '^(docs|fuzz|liboci-wasm|testdata|tests|tools)/[A-Za-z0-9_./*-]+$' || true)
done

# Names are short there: `io/verify.c`, `test-ingest.c`, `cli memory`, corpus `links-*`, `fuzz-x`.
model=docs/threat-model.md
while IFS= read -r name; do
    case $name in
    *' '*)
        [[ $name == 'cli '* ]] || continue
        [ -e "tests/cli/test-${name#cli }.sh" ] || grep -q "'$name'" tests/cli/meson.build ||
            say "$model: no test is called \"$name\""
        ;;
    test-*.c | test-*.sh) matches "tests/*/$name" || say "$model: no test is called $name" ;;
    fuzz-*) [ -e "fuzz/$name.c" ] || say "$model: no fuzz target is called $name" ;;
    [a-z]*-\*) matches "testdata/corpus/cases/$name" || say "$model: no case of the corpus is called $name" ;;
    */*.c | */*.h | */*.sh | */*.md)
        [ -e "$name" ] || [ -e "liboci-wasm/$name" ] || say "$model: names $name, which is not there"
        ;;
    esac
done < <(in_backticks "$model")

# Each threat has an answer and a test: four bars a row.
awk -F'|' '/^\|/ && (NF != 5 || $3 ~ /^ *$/ || $4 ~ /^ *$/) { print FILENAME ": " $2 ": half a row"; bad = 1 } END { exit bad }' "$model" || status=1
exit "$status"
