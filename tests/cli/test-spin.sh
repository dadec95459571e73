#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# oci-wasm spin lock and spin check from outside: lines, JSON, exit statuses, manifests and images.
#
# usage: test-spin.sh OCI_WASM
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cli_init "$@"
apps=$root/testdata/apps
layouts=$root/testdata/golden/layouts

runs "a family of commands has help" oci-wasm spin --help
holds "on each of them" test "$(grep -c '^usage: oci-wasm spin \(lock\|check\)' <<<"$out")" -eq 2
runs "the locked app of notes is printed" oci-wasm spin lock "$apps/notes/spin.toml"
holds "as JSON" python3 -c 'import json,sys; assert json.loads(sys.argv[1])["spin_lock_version"] in (0, 1)' "$out"
runs "from within its folder too" env -C "$apps/notes" oci-wasm spin lock --compact
same "in one line on request" 1 "$(wc -l <<<"$out")"
fails 3 "a missing manifest is not found" oci-wasm spin lock nothing
holds "without output" test -z "$out"

mkdir app
cp "$root/testdata/bare/component.wasm" app/a.wasm
cat >app/spin.toml <<'END'
spin_manifest_version = 2
[application]
name = "checked"
[[trigger.http]]
route = "/..."
component = "a"
[component.a]
source = "a.wasm"
[component.b]
source = "b.wasm"
END
fails_with_lines() {
    local name=$1 want=$2
    shift 2
    local status=0
    cli_run "$@" || status=$?
    same "$name" "$want" "$status"
}
fails_with_lines "a missing wasm is an error" 7 oci-wasm spin check app
holds "with severity, rule, place and text" grep -qx 'error: source-missing: app/spin.toml:10:10 component b: source .*b.wasm.* is not there.*' <<<"$out"
holds "and what is unused a warning" grep -q '^warning: unused-component: app/spin.toml:9:12 component b: ' <<<"$out"
fails_with_lines "in JSON too" 7 oci-wasm spin check --json app
holds "which is valid" python3 -c 'import json,sys; d=json.loads(sys.argv[1]); assert d["errors"] == 1 and d["findings"][0]["component"] == "b", d' "$out"
printf '(module)' >app/b.wasm
fails_with_lines "wasm text is an error" 7 oci-wasm spin check app
holds "with what to do" grep -q '^error: source-wasm: app/spin.toml:10:10 component b: .* convert it first' <<<"$out"
fails 7 "and so it is when it is packed" oci-wasm pack --no-cache -f app/spin.toml -o oci:none:v1
holds "at the same place" grep -q 'app/spin.toml:10:10: component "b": wasm source: .*b.wasm.*: wasm text' <<<"$err"
cp app/a.wasm app/b.wasm
runs "warnings alone are no failure" oci-wasm spin check app
fails_with_lines "but with --werror" 7 oci-wasm spin check --werror app
fails_with_lines "a missing manifest is not found" 3 oci-wasm spin check none/spin.toml

runs "an app packs" oci-wasm pack -f "$apps/notes/spin.toml" --format spin,spin-node -o oci:image:v1
runs "its images are clean" oci-wasm spin check oci:image:v1
holds "without a word" test -z "$out"
runs "the node image is clean for nodes" oci-wasm spin check --for=node oci:image:v1-node
holds "without a word" test -z "$out"
fails_with_lines "it is none for spin up" 7 oci-wasm spin check --for=spin oci:image:v1-node
holds "and says so, by the name that was given" grep -q '^error: made-for-nodes: oci:image:v1-node: ' <<<"$out"
runs "what Spin pushed is read" oci-wasm spin check "oci:$layouts/spin-3.6.3:v1"
holds "and lacks a command" grep -q '^warning: entrypoint: ' <<<"$out"
fails_with_lines "other artifacts hold no app" 7 oci-wasm spin check "oci:$layouts/cosign-signature-tag:$(oci-wasm store list "$layouts/cosign-signature-tag" | sed -n 's/.* \(.*\.sig\)$/\1/p')"
fails_with_lines "a missing image is not found" 3 oci-wasm spin check oci:image:v2
cp -r image damaged
victim=$(find damaged/blobs -size +1k -type f -exec sh -c 'head -c 4 "$1" | grep -q asm' _ {} \; -print | head -n 1)
[ -z "$victim" ] || printf '\177ELF' | dd of="$victim" bs=1 conv=notrunc status=none
fails_with_lines "native code in place of wasm is an error" 7 oci-wasm spin check oci:damaged:v1
holds "and named" grep -q '^error: content: .*native code' <<<"$out"

cli_finish
