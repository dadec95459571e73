#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Each public header compiles alone, as strict C11 and as C++17, without a warning: whoever
# includes one header needs no other first.
#
# usage: CC=cc CXX=c++ headers.sh INCLUDE_DIR GENERATED_INCLUDE_DIR
set -euo pipefail

include=$1
generated=$2
read -ra cc <<<"${CC:-cc}"
read -ra cxx <<<"${CXX:-c++}"
warnings=(-pedantic -Wall -Wextra -Wundef -Wshadow -Werror -fsyntax-only)
status=0

# Twice in a row, to see that the guard works.
compile() {
    local language=$1 header=$2
    shift 2
    printf '#include <oci-wasm/%s>\n#include <oci-wasm/%s>\n' "$header" "$header" |
        "$@" "${warnings[@]}" -I"$include" -I"$generated" -x "$language" - || {
        echo "oci-wasm/$header does not stand alone as $language"
        status=1
    }
}

for path in "$include"/oci-wasm/*.h "$generated"/oci-wasm/version.h; do
    compile c "${path##*/}" "${cc[@]}" -std=c11 -Wstrict-prototypes -Wold-style-definition
    compile c++ "${path##*/}" "${cxx[@]}" -std=c++17
done

# The umbrella includes every other one, so that it cannot be forgotten there.
for path in "$include"/oci-wasm/*.h; do
    name=${path##*/}
    [ "$name" = oci-wasm.h ] || grep -q "<oci-wasm/$name>" "$include/oci-wasm/oci-wasm.h" || {
        echo "oci-wasm/oci-wasm.h does not include $name"
        status=1
    }
done
exit "$status"
