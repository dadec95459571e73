#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Credentials of the tool: login and logout, every place they are looked for and in which order,
# helpers that work, fail, hang up or are not there, and that no secret is shown (CRD-1..8).
#
# usage: test-login.sh OCI_WASM
# shellcheck source=../support/registry.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/registry.sh"
registry_require docker-registry curl openssl htpasswd
registry_init
registry_start tls-auth || exit 1
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cli_init "$@"
unset DOCKER_AUTH_CONFIG CONTAINERS_REGISTRIES_CONF
host=$REGISTRY_ADDRESS
good=$(printf '%s' "$REGISTRY_USER:$REGISTRY_PASSWORD" | base64 -w0)
bad=$(printf 'tester:wrong' | base64 -w0)
ask=(oci-wasm catalog "$host" --ca-file "$REGISTRY_CA")
login() { # PASSWORD ARGUMENT...
    local password=$1
    shift
    printf '%s\n' "$password" | oci-wasm login "$host" --ca-file "$REGISTRY_CA" -u "$REGISTRY_USER" --password-stdin "$@"
}
config() { # FILE CREDENTIAL
    mkdir -p "$(dirname "$1")"
    printf '{"auths":{"%s":{"auth":"%s"}}}' "$host" "$2" >"$1"
}
without() { ! grep -q "$1" <<<"$out$err"; }

fails 4 "without credentials the registry refuses" "${ask[@]}"
holds "and the next step is named" grep -q "oci-wasm login $host" <<<"$err"
fails 4 "a wrong password is refused" login wrong
holds "and not kept" test ! -e "$HOME/.docker/config.json"
holds "and not shown" without wrong
fails 2 "a password must come from somewhere" oci-wasm login "$host" </dev/null
fails 2 "a name without a dot is no registry" login x -u a nohost

mkdir "$HOME/.docker"
printf '{"zzz": [1, 2.5], "auths": {"other.example": {"auth": "dTpw"}}, "aaa": "kept"}' >real.json
ln -s "$PWD/real.json" "$HOME/.docker/config.json"
chmod 644 real.json
runs "the right one is taken" login "$REGISTRY_PASSWORD"
holds "the link is still a link" test -L "$HOME/.docker/config.json"
same "the file is private" 600 "$(stat -c %a real.json)"
holds "what was there stays" grep -q '"aaa": "kept"' real.json
holds "in its order" test "$(grep -o 'zzz\|auths\|aaa' real.json | tr '\n' ' ')" = "zzz auths aaa "
holds "nothing is left beside it" test -z "$(find . -name 'real.json.*')"
runs "and used from now on" "${ask[@]}"
runs "logout" oci-wasm logout "$host"
holds "forgets it" test -z "$(grep "$host" real.json)"
holds "and nobody else" grep -q other.example real.json
fails 4 "then the registry refuses again" "${ask[@]}"
runs "logging out twice is fine" oci-wasm logout "$host"
rm "$HOME/.docker/config.json"

# ---- places, the first one first ----
config first.json "$good"
runs "--registry-config" "${ask[@]}" --registry-config first.json
fails 3 "a named file must be there" "${ask[@]}" --registry-config missing.json
holds "and is named" grep -q missing.json <<<"$err"
DOCKER_AUTH_CONFIG=$(cat first.json) runs "DOCKER_AUTH_CONFIG" "${ask[@]}"
REGISTRY_AUTH_FILE=$PWD/first.json runs "REGISTRY_AUTH_FILE" "${ask[@]}"
config run/containers/auth.json "$good"
XDG_RUNTIME_DIR=$PWD/run runs "XDG_RUNTIME_DIR" "${ask[@]}"
config "$HOME/.config/containers/auth.json" "$good"
runs "the user's containers folder" "${ask[@]}"
rm -r "$HOME/.config"
config docker/config.json "$good"
DOCKER_CONFIG=$PWD/docker runs "DOCKER_CONFIG" "${ask[@]}"
config second.json "$bad"
REGISTRY_AUTH_FILE=$PWD/second.json runs "the first that has the host wins" "${ask[@]}" --registry-config first.json
REGISTRY_AUTH_FILE=$PWD/first.json fails 4 "even when it is wrong" "${ask[@]}" --registry-config second.json
holds "and the error names it" grep -q second.json <<<"$err"
config third.json '{"auth":"@@@"}'
REGISTRY_AUTH_FILE=$PWD/third.json fails 7 "an entry that is no base64 is an error" "${ask[@]}"
holds "with the name of its file" grep -q third.json <<<"$err"
printf 'no json' >broken.json
REGISTRY_AUTH_FILE=$PWD/broken.json fails 7 "a broken file is an error" "${ask[@]}"
holds "with its name" grep -q broken.json <<<"$err"

# ---- helpers ----
helper() { # NAME SCRIPT
    printf '#!/bin/sh\n%s\n' "$2" >"$work/bin/docker-credential-$1"
    chmod +x "$work/bin/docker-credential-$1"
}
use() { printf '{"credHelpers":{"%s":"%s"}}' "$host" "$1" >"$HOME/.docker/config.json"; }
helper good "[ \"\$1\" = get ] && url=\$(cat) && [ \"\$url\" = $host ] || exit 1
printf '{\"ServerURL\":\"%s\",\"Username\":\"%s\",\"Secret\":\"%s\"}' \"\$url\" '$REGISTRY_USER' '$REGISTRY_PASSWORD'"
use good
runs "a helper answers" "${ask[@]}"
helper none 'echo "credentials not found in native keychain"; exit 1'
use none
fails 4 "a helper without an entry means none" "${ask[@]}"
helper angry 'printf "keychain is \033[31mlocked\nsecret=hunter2"; exit 1'
use angry
fails 4 "a helper that fails is an error in its words" "${ask[@]}"
holds "of one line, without control bytes" grep -q 'keychain is ?\[31mlocked' <<<"$err"
holds "and no more" without hunter2
helper loud 'head -c 1000000 /dev/zero'
use loud
fails 4 "a helper that says too much is stopped" "${ask[@]}"
helper deaf 'exec 0<&-; printf "{\"Username\":\"%s\",\"Secret\":\"%s\"}" "'"$REGISTRY_USER"'" "'"$REGISTRY_PASSWORD"'"'
use deaf
runs "a helper that does not read is fine" "${ask[@]}"
use missing
fails 4 "a helper that is not installed is an error" "${ask[@]}"
holds "with its name" grep -q docker-credential-missing <<<"$err"
use ../../evil
fails 4 "a helper's name is no path" "${ask[@]}"
printf '{"credsStore":"missing","auths":{"%s":{"auth":"%s"}}}' "$host" "$good" >"$HOME/.docker/config.json"
runs "a store from another machine is passed over" "${ask[@]}"
holds "with a warning" grep -q 'docker-credential-missing is not installed' <<<"$err"

helper keep "case \$1 in
store) cat >'$work/kept' ;;
get) if [ -e '$work/kept' ]; then cat '$work/kept'; else echo 'credentials not found in native keychain'; exit 1; fi ;;
erase) rm '$work/kept' ;;
esac"
printf '{"credsStore":"keep"}' >"$HOME/.docker/config.json"
runs "login stores in the helper" login "$REGISTRY_PASSWORD"
holds "what it is to store" grep -q "\"Username\":\"$REGISTRY_USER\"" "$work/kept"
holds "and not in the file" test -z "$(grep '"auth"' "$HOME/.docker/config.json")"
runs "it is used" "${ask[@]}"
runs "logout erases there" oci-wasm logout "$host"
holds "indeed" test ! -e "$work/kept"
helper readonly 'echo "not implemented"; exit 1'
printf '{"credsStore":"readonly"}' >"$HOME/.docker/config.json"
fails 4 "a helper that cannot store is an error" login "$REGISTRY_PASSWORD"
holds "with its name" grep -q 'docker-credential-readonly store failed: not implemented' <<<"$err"
cli_finish
