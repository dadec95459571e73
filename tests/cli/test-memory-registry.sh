#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A blob of 1 GiB up and down, and an image of four large layers at once, take under 16 MiB of memory,
# libcurl and OpenSSL with the system's authorities included: plain, and by TLS with HTTP/2 offered.
#
# usage: test-memory-registry.sh OCI_WASM plain|nginx BENCH_RUN
# shellcheck source=../support/registry.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/registry.sh"
registry_require docker-registry curl openssl
registry_init
registry_start "$2" || exit 1
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
measure=$(realpath -e "$3") most=16384
cli_init "$@"
there=$REGISTRY_ADDRESS/team/big
trust=()
if [ -n "$REGISTRY_CA" ]; then
    mkdir "$HOME/.docker"
    printf '{"auths":{"%s":{"auth":"%s"}}}' "$REGISTRY_ADDRESS" \
        "$(printf '%s' "$REGISTRY_USER:$REGISTRY_PASSWORD" | base64 -w0)" >"$HOME/.docker/config.json"
    cat /etc/ssl/certs/ca-certificates.crt "$REGISTRY_CA" >all.pem 2>/dev/null
    trust=(--ca-file all.pem)
fi

truncate -s 1G blob
under "$measure" "$most" "1 GiB up" oci-wasm blob put "$there" blob "${trust[@]}"
digest=$out
under "$measure" "$most" "1 GiB of unknown length up (PSH-7a)" \
    bash -c 'cat blob | oci-wasm blob put "$@"' - "$there/piped" - "${trust[@]}"
same "is the same blob" "$digest" "$out"
under "$measure" "$most" "1 GiB down" oci-wasm blob get "$there@$digest" -o back "${trust[@]}"
holds "and it is the same" cmp blob back
rm blob back

printf '{}' >config
layers=
runs "a layout" oci-wasm blob put oci:image config
config=$out
for n in 1 2 3 4; do
    openssl enc -aes-128-ctr -nosalt -K "0$n" -iv 00 -in /dev/zero 2>/dev/null | head -c 100000000 >layer
    runs "layer $n" oci-wasm blob put oci:image layer
    layers+=,$(printf '{"mediaType":"application/octet-stream","digest":"%s","size":100000000}' "$out")
done
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"a/b","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"%s","size":2},"layers":[%s]}' \
    "$config" "${layers#,}" >manifest.json
runs "its manifest" oci-wasm manifest put oci:image:v1 manifest.json
under "$measure" "$most" "four layers up" oci-wasm copy oci:image:v1 "$there:v1" "${trust[@]}"
under "$measure" "$most" "four layers down" oci-wasm pull "$there:v1" oci:back:v1 "${trust[@]}"
runs "and they are right" oci-wasm store verify back
cli_finish
