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
described() { sed -E 's/\*oci-wasm-extract --/\n*--/g' "$@" | sed -nE 's/^(\*-[a-zA-Z0-9]\*, )?\*--([a-z0-9-]+)\*.*/\2/p' | LC_ALL=C sort -u; }
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
fails 7 "what is no archive is refused" bash -c 'echo no archive | "$1" - none' - "$tool"
holds "by a name one knows" grep -q /dev/stdin <<<"$err"
digest=$(python3 -c 'import json, sys
print(*(m["digest"] for m in json.load(open(sys.argv[1]))["manifests"] if "v1" in m["annotations"].values()))' "$golden/shim/two/index.json")
mkdir -p containerd/io.containerd.content.v1.content
cp -r "$golden/shim/two/blobs" containerd/io.containerd.content.v1.content/
runs "containerd's content store is a source" "$tool" --file-url-root=/x "containerd:$work/containerd@$digest" store
runs "and a layout by digest" "$tool" --file-url-root=/x "oci:$golden/shim/two@$digest" by-digest
same "with the same tree" "$(tree_digest store)" "$(tree_digest by-digest)"
fails 2 "a name in containerd is none" "$tool" "containerd:$work/containerd:v1" none
runs "one component of an app" "$tool" "oci:$golden/shim/two:v1" one --component one
holds "comes alone" test ! -e one/wasm/two.wasm
runs "the result as JSON" "$tool" --json "oci:$golden/shim/two:v1" json --mode=spin-cache
holds "is JSON" python3 -c 'import json, sys; assert json.loads(sys.argv[1])["mode"] == "spin-cache"' "$out"


# The cache: extracted once, found without its source, copied, collected.
runs "a cache takes an image" "$tool" --cache cache "oci:$golden/shim/two:v1"
tree=$out
holds "and says where" test -f "$tree/assets/one/site/index.html"
runs "by digest" "$tool" --cache cache "oci:$golden/shim/two@$digest"
same "it is one tree beside the build locks" 2 "$(find cache -mindepth 1 -maxdepth 1 | wc -l)"
runs "which needs no source any more" "$tool" --cache cache "oci:/no/such/layout@$digest"
runs "a copy of it" "$tool" --cache cache "oci:$golden/shim/two:v1" copied
same "is the same" "$(tree_digest "$tree")" "$(tree_digest copied)"
runs "hard links as well" "$tool" --cache cache "oci:$golden/shim/two:v1" linked --link=hardlink
same "are the same" "$(tree_digest "$tree")" "$(tree_digest linked)"
runs "what is locked" flock -s "$(dirname "$tree")/lock" "$tool" --cache cache --gc --max-size 1
holds "is kept" grep -q '"kept":1,.*"leased":1' <<<"$out"
runs "what is not" "$tool" --cache cache --gc --max-size 1
holds "goes" grep -q '"kept":0,.*"removed":1' <<<"$out"
fails 2 "garbage is collected in a cache" "$tool" --gc

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
# Once it spools what comes, it has its handlers.
for _ in {1..500}; do
    ! find "/proc/$pid/fd" -lname '*(deleted)' 2>/dev/null | grep -q . || break
    sleep 0.02
done
kill -TERM "$pid"
wait "$pid"
same "SIGTERM ends with 143" 143 "$?"
exec 7>&-
holds "and a word about it" grep -q interrupted stop.err
holds "and leaves nothing" test ! -e stopped

cli_finish
