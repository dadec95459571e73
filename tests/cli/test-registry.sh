#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The whole way through real registries: Debian's docker-registry in plain HTTP, with TLS and
# passwords of its own, and behind nginx. What comes back is what went in, others read it too, and
# each failure is one clear error.
#
# usage: test-registry.sh OCI_WASM [distribution-]plain|tls-auth|nginx
# shellcheck source=../support/registry.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/registry.sh"
registry_choose "$2"
kind=$REGISTRY_KIND
registry_require curl skopeo
registry_init
registry_start "$kind" || exit 1
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cli_init "$@"
apps=$root/testdata/apps
there=$REGISTRY_ADDRESS/team/notes

with=()
skopeo_with=(--tls-verify=false)
if [ -n "$REGISTRY_CA" ]; then
    with=(--ca-file "$REGISTRY_CA")
    skopeo_with=(--creds "$REGISTRY_USER:$REGISTRY_PASSWORD")
    export SSL_CERT_FILE=$REGISTRY_CA
    fails 4 "a push without a password is refused" \
        oci-wasm push -f "$apps/notes/spin.toml" "$there:v1" "${with[@]}"
    holds "and the registry is named" grep -q "$REGISTRY_ADDRESS" <<<"$err"
    mkdir "$HOME/.docker"
    printf '{"auths":{"%s":{"auth":"%s"}}}' "$REGISTRY_ADDRESS" \
        "$(printf 'tester:wrong' | base64 -w0)" >"$HOME/.docker/config.json"
    fails 4 "so is one with a wrong password" \
        oci-wasm push -f "$apps/notes/spin.toml" "$there:v1" "${with[@]}"
    holds "which is not shown" lacks wrong
    printf '{"auths":{"%s":{"auth":"%s"}}}' "$REGISTRY_ADDRESS" \
        "$(printf '%s' "$REGISTRY_USER:$REGISTRY_PASSWORD" | base64 -w0)" >"$HOME/.docker/config.json"
    (
        unset SSL_CERT_FILE
        fails 5 "an unknown authority is refused" oci-wasm resolve "$there:v1"
        exit "$cli_failed"
    ) || cli_failed=$((cli_failed + 1))
    cli_count=$((cli_count + 1))
fi

for format in spin rootfs; do
    runs "notes is pushed as $format" \
        oci-wasm push -f "$apps/notes/spin.toml" --format "$format" "$there:$format" "${with[@]}"
    digest=$out
    runs "skopeo reads $format" skopeo inspect --raw "${skopeo_with[@]}" "docker://$there:$format"
    same "its digest is ours" "$digest" \
        "sha256:$(skopeo inspect --raw "${skopeo_with[@]}" "docker://$there:$format" | sha256sum | cut -d' ' -f1)"
    runs "$format is pushed again" \
        oci-wasm push -f "$apps/notes/spin.toml" --format "$format" "$there:$format" "${with[@]}"
    same "to the same digest" "$digest" "$out"
    runs "$format is pulled" oci-wasm pull "$there:$format" "oci:pulled:$format" "${with[@]}"
    same "with the same digest" "$digest" "$out"
    runs "$format is pulled by digest" oci-wasm pull "$there@$digest" "oci:by-digest:$format" "${with[@]}"
    runs "$format is inspected" oci-wasm inspect "$there:$format" "${with[@]}"
    runs "$format is extracted from the registry" oci-wasm extract --file-url-root /app "$there:$format" "tree-$format" "${with[@]}"
    runs "$format is extracted from the layout" oci-wasm extract --file-url-root /app "oci:pulled:$format" "local-$format"
    same "to the same tree" "$(tree_digest "local-$format")" "$(tree_digest "tree-$format")"
    runs "skopeo copies the $format layout into the registry" \
        skopeo copy --quiet "${skopeo_with[@]/#--/--dest-}" "oci:pulled:$format" "docker://$there:$format-skopeo"
    runs "and its copy is resolved" oci-wasm resolve "$there:$format-skopeo" "${with[@]}"
    same "to our digest" "$digest" "$out"
done

# A pipe goes up while it is read; what nobody can send twice is there once and whole.
head -c 3000000 /dev/urandom >half
cat half half >whole
arrived() {
    find "$REGISTRY_STORAGE" -path '*/_uploads/*' -name data -size +2000k 2>/dev/null | grep -q .
}
slowly() {
    cat half
    for _ in {1..200}; do
        if arrived; then
            : >seen
            break
        fi
        sleep 0.05
    done
    cat half
}
piped=$(slowly | oci-wasm blob put "$there" - "${with[@]}")
same "standard input is a blob (PSH-7a)" "sha256:$(sha256sum whole | cut -d' ' -f1)" "$piped"
holds "which went up while it was read" test -e seen
runs "it is fetched" oci-wasm blob get "$there@$piped" -o fetched "${with[@]}"
holds "and whole" cmp whole fetched
# A file on standard input is what is left of it, and goes up in one piece: its length is known (PSH-10).
rest=$( (
    head -c 1000000 >/dev/null
    oci-wasm blob put "$there/rest" - -v "${with[@]}" 2>rest.log
    cat
) <whole)
same "a file on standard input goes from where it stands" \
    "sha256:$(tail -c +1000001 whole | sha256sum | cut -d' ' -f1)" "$rest"
holds "in one piece" bash -c '! grep -q PATCH rest.log && grep -q "PUT http" rest.log'
runs "empty standard input is a blob too" bash -c 'oci-wasm blob put "$@" </dev/null' - "$there" - "${with[@]}"
mkfifo silent
exec 7<>silent
oci-wasm blob put "$there" - "${with[@]}" <silent 2>silent.err &
pid=$!
cat half >&7
sleep 0.5
kill -INT "$pid"
wait "$pid"
same "a silent pipe can be interrupted" 130 "$?"
exec 7>&-

runs "tags are listed" oci-wasm tags "$there" "${with[@]}"
same "all of them" "rootfs rootfs-skopeo spin spin-skopeo" "$(LC_ALL=C sort <<<"$out" | paste -sd' ')"

fails 3 "a tag that is not there is not found" oci-wasm pull "$there:nothing" oci:none:v1 "${with[@]}"
holds "and is named" grep -q "$there.*nothing" <<<"$err"
fails 3 "nor is a repository" oci-wasm inspect "$REGISTRY_ADDRESS/no/such:v1" "${with[@]}"
holds "nothing is made for them" test ! -e none

if [ "$kind" = plain ]; then
    storage=$REGISTRY_STORAGE
    registry_start readonly "$storage"
    fails 7 "a registry that takes nothing says so" oci-wasm push -f "$apps/parts/spin.toml" "$REGISTRY_ADDRESS/a:v1"
    registry_stop "$REGISTRY_NAME"
    fails 5 "a dead server is a network error" oci-wasm pull "$REGISTRY_ADDRESS/team/notes:spin" oci:none:v1

    # One byte changed in the registry's own storage.
    victim=$(find "$storage/docker/registry/v2/blobs" -name data -size +20k -size -1000k | LC_ALL=C sort | head -n 1)
    printf 'X' | dd of="$victim" bs=1 seek=10000 conv=notrunc status=none
    fails 6 "a wrong byte from the registry is noticed" oci-wasm extract "$there:spin" none
    holds "and nothing is left" test ! -e none
fi

cli_finish
