#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# oci-wasm pack from outside: digests known from elsewhere, the same bytes under another cwd,
# clock, umask, locale and directory order, and nothing left where it fails.
#
# usage: test-pack.sh OCI_WASM
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cli_init "$@"
apps=$root/testdata/apps

blob() {
    printf '%s/blobs/%s' "$1" "${2/://}"
}

# Without --compat the project's own, stricter form; its own digest is not fixed here.
runs "the worked example packs as Spin packs it" \
    oci-wasm pack --compat spin -f "$apps/shop/app/spin.toml" -o oci:shop:v1
want=$(awk '$1 == "manifest.json" { print $3 }' "$apps/shop/expected/digests")
same "its manifest digest is Spin's, alone on stdout" "$want" "$out"
holds "its manifest has Spin's bytes" cmp "$(blob shop "$want")" "$apps/shop/expected/manifest.json"
for file in config locked; do
    digest=$(awk -v name="$file.json" '$1 == name { print $3 }' "$apps/shop/expected/digests")
    holds "its $file.json has Spin's bytes" cmp "$(blob shop "$digest")" "$apps/shop/expected/$file.json"
done

for format in spin rootfs; do
    runs "notes packs as $format" oci-wasm pack -f "$apps/notes/spin.toml" --format "$format" -o "oci:notes-$format:v1"
    first=$out
    holds "the digest of $format is one line" grep -qxE 'sha256:[0-9a-f]{64}' <<<"$out"

    cp -r "$apps/notes" elsewhere
    # Another order in the directory, other times, other permissions that do not matter.
    (cd elsewhere/site && mkdir ../site.new && printf '%s\n' * | tac | xargs -I{} mv {} ../site.new/ && cd .. &&
        rmdir site && mv site.new site && find . -exec touch -d '2001-02-03' {} +)
    runs "notes packs as $format elsewhere" env -C elsewhere TZ=Asia/Tokyo LC_ALL=C LANG=de_DE.UTF-8 \
        bash -c "umask 077; oci-wasm pack -f spin.toml --format $format -o oci:../elsewhere-$format:v1"
    same "$format is the same under another cwd, clock, umask and order" "$first" "$out"
    rm -rf elsewhere
    runs "notes packs as $format in one job" oci-wasm pack -j 1 -f "$apps/notes/spin.toml" --format="$format" -o "oci-archive:notes-$format.tar:v1"
    same "$format is the same in an archive and with one job" "$first" "$out"
done

runs "an app of real components packs" oci-wasm pack -f "$apps/parts/spin.toml" -o oci:parts:v1
for kind in module component; do
    runs "a lone $kind packs as wasm" oci-wasm pack "$root/testdata/bare/$kind.wasm" -o "oci:$kind:v1"
done
runs "options may follow operands" oci-wasm pack "$root/testdata/bare/module.wasm" --format wasm -o oci:module:v2
"$apps/static-site/generate.sh" site
runs "a site of some hundred files packs" oci-wasm pack -f site/spin.toml -o oci:site-image:v1
runs "several formats go under several tags" \
    oci-wasm pack -f "$apps/notes/spin.toml" --format spin,rootfs -o oci:both:v1
same "one line for each format" 2 "$(wc -l <<<"$out")"

fails 3 "a missing file is not found" oci-wasm pack -f nothing/spin.toml -o oci:none:v1
fails 7 "text is no wasm" oci-wasm pack --format wasm "$apps/notes/notes.txt" -o oci:none:v1
printf 'spin_manifest_version = 2\n[application\n' >broken.toml
fails 7 "a broken spin.toml is told with its line" oci-wasm pack -f broken.toml -o oci:none:v1
holds "the line is in the message" grep -q 'broken.toml.*2' <<<"$err"
fails 2 "pack without an output is a usage error" oci-wasm pack -f "$apps/notes/spin.toml"
fails 2 "an unknown format is a usage error" oci-wasm pack -f "$apps/notes/spin.toml" --format zip -o oci:none:v1
holds "a failure leaves no layout" test ! -e none

cli_finish
