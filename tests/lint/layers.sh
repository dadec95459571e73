#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Enforces the layer rule of docs/architecture.md on every #include: a file sees its own folder,
# layers with a smaller number and public headers; siblings never see each other; each foreign
# library belongs to the layers named here; tools and examples see public headers only.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# An #include with a path: "layer/file.h". Without one: a file of the same folder.
includes() {
    find "$@" -type f \( -name '*.c' -o -name '*.h' -o -name '*.cc' \) -print0 |
        LC_ALL=C sort -z | xargs -0r grep -HnE '^[[:space:]]*#[[:space:]]*include[[:space:]]'
}

check_library() {
    includes liboci-wasm | LC_ALL=C awk '
    BEGIN {
        n = split("base 0 io 1 codec 2 archive 3 oci 4 spin 5 format 6 store 7 registry 7 containerd 7 ops 8", t, " ")
        for (i = 1; i < n; i += 2)
            rank[t[i]] = t[i + 1]
        # Foreign headers and the layers that may include them.
        foreign["^archive"] = "archive"
        foreign["^curl/"] = "registry containerd"
        foreign["^jansson"] = "codec"
        foreign["^openssl/"] = "io registry"
        foreign["^toml"] = "spin"
        foreign["^(zlib|zstd|libdeflate|isa-l|igzip)"] = "io"
    }
    function breach(why) {
        print $0 ": " why
        failed = 1
    }
    {
        split($0, part, ":")
        split(part[1], path, "/")
        own = path[2]
        if (own == "include") {
            own = "public"
        } else if (!(own in rank)) {
            breach("folder " own " is no layer; add it to this script and to docs/architecture.md")
            next
        }
        text = $0
        if (match(text, /[<"][^>"]+[>"]/) == 0)
            next
        quote = substr(text, RSTART, 1)
        name = substr(text, RSTART + 1, RLENGTH - 2)
        if (own == "public") {
            if (quote == "\"")
                breach("a public header includes public headers as <oci-wasm/x.h>")
            next
        }
        if (quote == "\"") {
            if (name ~ /\.\./) {
                breach("no way up in an #include")
            } else if (index(name, "/")) {
                split(name, to, "/")
                if (!(to[1] in rank))
                    breach("layer " to[1] " does not exist")
                else if (to[1] != own && rank[to[1]] >= rank[own])
                    breach(own " (" rank[own] ") must not see " to[1] " (" rank[to[1]] ")")
                else if (own == "ops" && (to[1] == "registry" || to[1] == "containerd"))
                    breach("ops sees " to[1] " only as a content, never its headers")
            }
            next
        }
        for (pattern in foreign) {
            if (name ~ pattern && index(" " foreign[pattern] " ", " " own " ") == 0)
                breach("<" name "> belongs to: " foreign[pattern])
        }
    }
    END { exit failed }'
}

check_outside() {
    local folder found=()
    for folder in tools docs/examples; do
        [ ! -d "$folder" ] || found+=("$folder")
    done
    [ "${#found[@]}" -gt 0 ] || return 0
    ! includes "${found[@]}" | grep -E '"[^"]*/[^"]*"' | sed 's/$/: only public headers here/'
}

status=0
check_library || status=1
check_outside || status=1
exit "$status"
