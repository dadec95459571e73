#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Every command that talks to a registry: its result as text and as JSON, and its exit status by
# cause (ERR-5). What is deleted is gone, and where deletion is off nothing is.
#
# usage: test-commands.sh OCI_WASM [distribution-]plain
# shellcheck source=../support/registry.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/registry.sh"
registry_choose "$2"
registry_require curl python3
registry_init
registry_start "$REGISTRY_KIND" || exit 1
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cli_init "$@"
there=$REGISTRY_ADDRESS/team/app

# field PATH: a member of the JSON in $out, such as 0.digest.
field() {
    python3 -c '
import json, sys
value = json.loads(sys.argv[1])
for part in sys.argv[2].split("."):
    value = value[int(part)] if isinstance(value, list) else value[part]
print(value if isinstance(value, str) else json.dumps(value))' "$out" "$1" 2>/dev/null
}
digest_of() {
    printf 'sha256:%s' "$(sha256sum "$1" | cut -d' ' -f1)"
}

printf '{}' >empty
head -c 70000 /dev/urandom >layer
layer=$(digest_of layer)
runs "blob put" oci-wasm blob put "$there" empty
runs "blob put --json" oci-wasm blob put --json "$there" layer
same "says digest" "$layer" "$(field digest)"
same "and size" 70000 "$(field size)"
runs "blob put of standard input" bash -c 'oci-wasm blob put "$1/in" - <layer' - "$there"
same "is the same blob" "$layer" "$out"
runs "blob get" oci-wasm blob get "$there@$layer" -o back
holds "gives the bytes" cmp layer back
runs "blob get --json" oci-wasm blob get --json "$there@$layer" -o back
same "says digest" "$layer" "$(field digest)"
fails 6 "blob get of another size" oci-wasm blob get --size 69999 "$there@$layer" -o wrong
holds "writes nothing" test ! -e wrong
fails 2 "blob get of a tag" oci-wasm blob get "$there:v1"
fails 3 "blob get of nothing" oci-wasm blob get "$there@sha256:$(printf '0%.0s' {1..64})"

cat >manifest.json <<END
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"test/app","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"$(digest_of empty)","size":2},"layers":[{"mediaType":"application/octet-stream","digest":"$layer","size":70000}]}
END
digest=$(digest_of manifest.json)
runs "manifest put" oci-wasm manifest put "$there:v1" manifest.json
same "says the digest" "$digest" "$out"
runs "manifest put --json" oci-wasm manifest put --json "$there:v2" manifest.json
same "too" "$digest" "$(field digest)"
oci-wasm manifest get "$there:v1" >back.json
holds "manifest get gives the exact bytes" cmp manifest.json back.json
fails 3 "manifest get of nothing" oci-wasm manifest get "$there:nothing"

runs "resolve --json" oci-wasm resolve --json "$there:v1"
same "says the digest" "$digest" "$(field digest)"
same "and the type" application/vnd.oci.image.manifest.v1+json "$(field mediaType)"
fails 3 "resolve of nothing" oci-wasm resolve --json "$there:nothing"
same "prints nothing" "" "$out"
runs "tag" oci-wasm tag "$there:v1" v3 v4
same "says the digest for each" "$digest $digest" "$(xargs <<<"$out")"
fails 2 "tag with a whole reference" oci-wasm tag "$there:v1" "$there:v9"
runs "tag --json" oci-wasm tag --json "$there:v1" v5
same "is an object" "$digest" "$(field digest)"
runs "tags --json" oci-wasm tags --json "$there"
same "is a list" 'v1 v2 v3 v4 v5' \
    "$(python3 -c 'import json, sys; print(*sorted(t["name"] for t in json.loads(sys.argv[1])))' "$out")"
# This registry knows neither, and gives all in its own order.
runs "tags --last --page-size" oci-wasm tags -v --last v3 --page-size 2 "$there"
holds "asks the registry for it (TAG-1)" grep -qF 'tags/list?n=2&last=v3' <<<"$err"
runs "a tag like a signature's" oci-wasm tag "$there:v1" "sha256-$(printf '1%.0s' {1..64}).sig"
runs "tags --no-digest-tags" oci-wasm tags --no-digest-tags "$there"
same "leaves it out (TAG-4)" "v1 v2 v3 v4 v5" "$(LC_ALL=C sort <<<"$out" | xargs)"
fails 2 "tags --page-size of more than there can be" oci-wasm tags --page-size 5G "$there"
fails 3 "tags of nothing" oci-wasm tags --json "$REGISTRY_ADDRESS/no/such"
same "prints nothing" "" "$out"
runs "catalog --json" oci-wasm catalog --json "$REGISTRY_ADDRESS"
holds "is a list" grep -q '^\["team/app' <<<"$out"

runs "pull --json" oci-wasm pull --json "$there:v1" oci:image:v1
same "says the digest" "$digest" "$(field digest)"
runs "copy --json" oci-wasm copy --json "$there:v1" "$REGISTRY_ADDRESS/team/copy:v1"
same "says the digest" "$digest" "$(field digest)"
runs "push --json" oci-wasm push --json oci:image:v1 "$REGISTRY_ADDRESS/team/push:v1"
same "says the digest" "$digest" "$(field digest)"
runs "inspect --json" oci-wasm inspect --json "$there:v1"
holds "is JSON" python3 -m json.tool .out
fails 3 "pull of nothing" oci-wasm pull "$there:nothing" oci:none:v1
fails 2 "pull of what is no reference" oci-wasm pull "$REGISTRY_ADDRESS/UPPER:v1" oci:none:v1
fails 5 "pull from nobody" oci-wasm pull localhost:1/a:v1 oci:none:v1

# A dry run writes nothing, and says how much there would be to write.
for command in push copy; do
    runs "$command --dry-run" oci-wasm "$command" --dry-run --json "$there:v1" "$REGISTRY_ADDRESS/team/dry:v1"
    same "says the digest" "$digest" "$(field digest)"
    holds "and what would be sent" test "$(field wouldSend.count)" -ge 2
    holds "and how much that is" test "$(field wouldSend.bytes)" -ge 100
    fails 3 "and sends nothing" oci-wasm resolve "$REGISTRY_ADDRESS/team/dry:v1"
done
oci-wasm copy -n "$there:v1" "$there:v1" >/dev/null 2>dry.err
same "what is there is told" "dry run: 0 blobs and manifests would be sent, 0 B; 1 are there" "$(cat dry.err)"
fails 2 "copy --dry-run to a layout" oci-wasm copy -n "$there:v1" oci:dry:v1
holds "which is not made" test ! -e dry

# Layers that may not be given away (LYR-8).
sed 's|"application/octet-stream"|"application/vnd.oci.image.layer.nondistributable.v1.tar"|' manifest.json >foreign.json
runs "a local image" oci-wasm blob put oci:foreign layer
runs "with" oci-wasm blob put oci:foreign empty
runs "a non-distributable layer" oci-wasm manifest put oci:foreign:v1 foreign.json
oci-wasm push oci:foreign:v1 "$REGISTRY_ADDRESS/team/foreign:v1" >/dev/null 2>foreign.err
holds "is not sent unasked" grep -q "$layer is non-distributable and was not sent" foreign.err
fails 3 "its layer" oci-wasm blob get "$REGISTRY_ADDRESS/team/foreign@$layer" -o none
runs "push --nondistributable" oci-wasm push --nondistributable oci:foreign:v1 "$REGISTRY_ADDRESS/team/foreign:v1"
runs "sends it" oci-wasm blob get "$REGISTRY_ADDRESS/team/foreign@$layer" -o back
runs "copy --nondistributable" oci-wasm copy --nondistributable oci:foreign:v1 "$REGISTRY_ADDRESS/team/foreign2:v1"
runs "sends it too" oci-wasm blob get "$REGISTRY_ADDRESS/team/foreign2@$layer" -o back

echo '{"note":1}' >note.json
runs "attach --json" oci-wasm attach --json --artifact-type application/x-note "$there:v1" note.json:application/json
note=$(field digest)
echo '{"about":"note"}' >about.json
runs "attach to what was attached" oci-wasm attach --artifact-type application/x-about "$there@$note" about.json
about=$out
runs "referrers" oci-wasm referrers "$there:v1"
same "is a tree" "$(printf '%s\n  %s  application/x-note\n    %s  application/x-about' "$digest" "$note" "$about")" "$out"
runs "referrers --json" oci-wasm referrers --json "$there:v1"
same "says digest" "$note" "$(field 0.digest)"
same "and depth" 2 "$(field 1.depth)"
runs "referrers of a lone image" oci-wasm referrers --json "$REGISTRY_ADDRESS/team/push:v1"
same "is an empty list" "[]" "$out"
runs "copy -r" oci-wasm copy -r "$there:v1" "$REGISTRY_ADDRESS/team/with:v1"
runs "takes referrers along" oci-wasm referrers "$REGISTRY_ADDRESS/team/with:v1"
holds "all levels" grep -qF "$about" <<<"$out"
companion=sha256-${digest#sha256:}.sig
runs "something is tagged as cosign does" oci-wasm manifest put "$there:$companion" manifest.json
runs "and something about another image" oci-wasm manifest put "$there:sha256-$(printf '0%.0s' {1..64}).sig" manifest.json
runs "copy -r to a layout" oci-wasm copy -r "$there:v1" oci:all:v1
same "takes the first along" "$companion" "$(oci-wasm tags oci:all | grep '\.sig$')"
runs "copy -r from there" oci-wasm copy -r oci:all:v1 "$REGISTRY_ADDRESS/team/signed:v1"
runs "and on" oci-wasm resolve "$REGISTRY_ADDRESS/team/signed:$companion"
runs "copy without -r" oci-wasm copy "$there:v1" oci:alone:v1
same "leaves it" v1 "$(oci-wasm tags oci:alone)"

# ---- deletion ----
fails 2 "delete without a tag" oci-wasm delete "$there"
if [ "$registry_program" = registry ]; then
    fails 3 "delete of nothing" oci-wasm delete "$there:nothing"
    runs "delete of a tag" oci-wasm delete "$there:v5"
    same "prints nothing" "" "$out"
    runs "leaves the others" oci-wasm resolve "$there:v4"
    runs "delete --json" oci-wasm delete --json "$there:v4"
    same "says what was deleted" v4 "$(field deleted)"
    same "and of what" "$there:v4" "$(field reference)"
else
    # docker-registry 2.8 deletes by digest alone.
    fails 7 "delete of a tag that the registry cannot delete" oci-wasm delete "$there:v5"
    runs "is no deletion by digest" oci-wasm resolve "$there:v5"
fi
runs "manifest delete --json" oci-wasm manifest delete --json "$there@$digest"
same "says what was deleted" "$digest" "$(field deleted)"
fails 3 "and it is gone" oci-wasm resolve "$there:v1"
runs "blob delete --json" oci-wasm blob delete --json "$there@$layer"
same "says what was deleted" "$layer" "$(field deleted)"
fails 3 "and it is gone" oci-wasm blob get "$there@$layer" -o gone
fails 3 "a second time there is nothing to delete" oci-wasm blob delete "$there@$layer"

# ---- a registry that is busy ----
cat >busy.py <<'BUSY'
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()
    do_HEAD = do_GET
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
BUSY
python3 busy.py >busy.port 2>/dev/null </dev/null &
REGISTRY_PIDS[busy]=$!
registry_wait 20 $! test -s busy.port || exit 1
busy=127.0.0.1:$(cat busy.port)/a/b
fails 5 "a busy registry is asked five times" oci-wasm tags "$busy"
same "each repetition is a line" 4 "$(grep -c '^retry: .*trying again in' <<<"$err")"
fails 5 "with -q" oci-wasm tags -q "$busy"
same "the failure alone is" 1 "$(grep -c . <<<"$err")"

registry_start nodelete || exit 1
off=$REGISTRY_ADDRESS/team/app
runs "a registry that deletes nothing" oci-wasm copy oci:image:v1 "$off:v1"
fails 7 "says so of manifests" oci-wasm manifest delete "$off@$digest"
fails 7 "and of blobs" oci-wasm blob delete "$off@$layer"
runs "nothing is gone" oci-wasm pull "$off:v1" oci:again:v1
cli_finish
