#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Component dependencies composed by the real wac: the script that names of dependencies become, what
# the composed component still imports, and wac's own view of it.
#
# usage: test-compose.sh OCI_WASM
source "$(dirname "${BASH_SOURCE[0]}")/../cli/lib.sh"
cli_init "$@"
wac=${OCIW_PEERS:+$OCIW_PEERS/bin/wac}
[ -x "${wac:-}" ] || wac=$(command -v wac) || { echo "1..0 # SKIP wac is not installed"; exit 0; }

mkdir app
for part in main dep other deny; do
    cp "$root/testdata/compose/$part.wasm" "app/$part.wasm"
done

# app DEPENDENCIES: the app with these.
app() {
    cat >app/spin.toml <<-END
	spin_manifest_version = 2
	[application]
	name = "composed"
	[[trigger.http]]
	route = "/..."
	component = "main"
	[component.main]
	source = "main.wasm"
	[component.main.dependencies]
	$1
	END
}

# world IMAGE: what the image's one component imports and exports, one a line.
world() {
    rm -rf tree
    oci-wasm extract "oci:image:$1" tree >/dev/null &&
        oci-wasm pack "$(find tree -name '*.wasm')" -o "oci:world:$1" >/dev/null &&
        oci-wasm inspect --json "oci:world:$1" |
        python3 -c 'import json, sys
def walk(value):
    if isinstance(value, dict):
        for key, part in value.items():
            if key in ("imports", "exports") and isinstance(part, list):
                print(key, *part)
            else:
                walk(part)
    elif isinstance(value, list):
        for part in value:
            walk(part)
walk(json.load(sys.stdin))'
}

pick='pick = { path = "other.wasm", export = "choose" }'
app "\"acme:dep\" = { path = \"dep.wasm\", inherit_configuration = true }
$pick"
runs "wac composes" oci-wasm pack --no-cache --compose="$wac" -f app -o oci:image:inherit
inherit=$out
same "what a dependency inherits stays an import" \
    "imports fermyon:test/level@0.2.1 exports run" "$(world inherit | sort -r | paste -sd' ')"
runs "the same again" oci-wasm pack --no-cache --compose="$wac" -f app -o oci:image:again
same "is the same image" "$inherit" "$out"

app "\"acme:dep\" = { path = \"dep.wasm\" }
$pick"
runs "wac composes with an adapter" \
    oci-wasm pack --no-cache --compose="$wac" --compose-deny app/deny.wasm -f app -o oci:image:deny
same "what is denied is no import any more" "exports run" "$(world deny | sort -r | paste -sd' ')"

app "\"acme:dep/api@1.0.0\" = { path = \"dep.wasm\", inherit_configuration = true }
$pick"
runs "one interface alone is composed" oci-wasm pack --no-cache --compose="$wac" -f app -o oci:image:one
holds "and the other one stays an import, as in Spin" grep -q '^imports.* acme:dep/extra@1.0.0' <<<"$(world one)"

app "pick = { path = \"dep.wasm\", export = \"acme:dep/api@1.0.0\" }"
fails 7 "types that do not fit are wac's to refuse" \
    oci-wasm pack --no-cache --compose="$wac" -f app -o oci:none:v1
holds "with its status" grep -q 'compose component "main": .* compose ended with status' <<<"$err"
holds "and nothing is made" test ! -e none

cli_finish
