#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# oci-wasm-extract from outside: what it links, its help and man page, its sources and exit statuses.
#
# usage: test-extractor.sh OCI_WASM_EXTRACT
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tool=$(realpath -e "$1") || exit 1
cli_init "$tool"
golden=$root/testdata/golden
page=$root/docs/man/oci-wasm-extract.1.scd

# A sanitizer brings libstdc++ along.
libraries=$(ldd "$tool")
if grep -q 'libasan\|libubsan' <<<"$libraries"; then
    skips "it links neither libcurl nor libstdc++" "a sanitizer is in use"
else
    holds "it links neither libcurl nor libstdc++" test -z "$(grep -E 'curl|stdc|archive|xml|icu' <<<"$libraries")"
fi

runs "help goes to stdout" "$tool" --help
holds "and nothing to stderr" test -z "$err"
holds "in less than 80 columns" test -z "$(grep -E '^.{80}' <<<"$out")"
options() { grep -v -- --version <<<"$out" | sed -nE 's/^ +(-[a-zA-Z0-9], )?--([a-z0-9-]+)( .*)?$/\2/p' | LC_ALL=C sort -u; }
described() { sed -nE 's/^(\*-[a-zA-Z0-9]\*, )?\*--([a-z0-9-]+)\*.*/\2/p' "$@" | LC_ALL=C sort -u; }
same "every option is in a man page" "" "$(options | LC_ALL=C comm -23 - <(described "$page" "$root/docs/man/oci-wasm.1.scd"))"
fails 2 "no operands is a usage error" "$tool"
fails 2 "so is an unknown option" "$tool" --no-such oci:x y
fails 2 "and a target that is none" "$tool" 'oci:' y
fails 7 "a registry is no local source" "$tool" localhost:5000/x y
runs "it tells its version" "$tool" --version

runs "a layout directory is a source" "$tool" "oci:$golden/shim/two:v1" layout
holds "and gives the app" test -f layout/assets/one/site/index.html
runs "a layout archive is a source" "$tool" "oci-archive:$golden/archives/skopeo-oci-archive.tar" archive
runs "standard input is one" bash -c '"$1" - stdin <"$2"' - "$tool" "$golden/archives/skopeo-oci-archive.tar"
same "with the same tree" "$(tree_digest archive)" "$(tree_digest stdin)"
runs "a pipe too" bash -c 'cat "$2" | "$1" - piped' - "$tool" "$golden/archives/skopeo-oci-archive.tar"
runs "one component of an app" "$tool" "oci:$golden/shim/two:v1" one --component one
holds "comes alone" test ! -e one/wasm/two.wasm
runs "the result as JSON" "$tool" --json "oci:$golden/shim/two:v1" json --mode=spin-cache
holds "is JSON" python3 -c 'import json, sys; assert json.loads(sys.argv[1])["mode"] == "spin-cache"' "$out"

before=$(ls -A)
fails 3 "what is not there is not found" "$tool" "oci:$golden/shim/two:v2" none
fails 3 "nor a layout that is not there" "$tool" oci:nowhere:v1 none
fails 8 "limits are kept" "$tool" "oci:$golden/shim/two:v1" none --max-bytes 1K
fails 10 "a full destination is kept" "$tool" "oci:$golden/shim/two:v1" layout
fails 1 "a closed stdout is an error" bash -c '"$1" "$2" full >/dev/full' - "$tool" "oci:$golden/shim/two:v1"
rm -rf full
same "failures leave nothing" "$before" "$(ls -A)"

# The archive never ends, so the run is certain to be alive when the signal comes.
mkfifo endless
"$tool" - stopped <endless 2>stop.err &
pid=$!
exec 7>endless
kill -TERM "$pid"
wait "$pid"
same "SIGTERM ends with 143" 143 "$?"
exec 7>&-
holds "and leaves nothing" test ! -e stopped

cli_finish
