#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Client certificates against a server that wants one, from options and from certs.d (TLS-3); proxies
# by HTTP and HTTPS, in tunnels and for plain HTTP (TLS-4); no redirect from https to http. Passwords go
# to whom they are meant for: the proxy's to the proxy alone, the registry's never to the proxy of a
# tunnel.
#
# usage: test-tls-proxy.sh OCI_WASM
# shellcheck source=../support/registry.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/registry.sh"
registry_require docker-registry curl nginx openssl htpasswd python3
registry_init
registry_start mtls || exit 1
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cli_init "$@"
unset NO_PROXY no_proxy
support=$root/tests/support
wasm=$root/testdata/bare/component.wasm

# ---- client certificates ----
host=$REGISTRY_ADDRESS
there=$host/team/app
ca=(--ca-file "$REGISTRY_CA")
own=(--cert "$REGISTRY_CERT" --key "$REGISTRY_KEY")
fails 1 "without a certificate the server refuses" oci-wasm push -f "$wasm" "$there:v1" "${ca[@]}"
holds "and its words are passed on" grep -q 'No required SSL certificate' <<<"$err"
fails 7 "a certificate needs its key" oci-wasm push -f "$wasm" "$there:v1" "${ca[@]}" --cert "$REGISTRY_CERT"
runs "with a certificate it takes the image" oci-wasm push -f "$wasm" "$there:v1" "${ca[@]}" "${own[@]}"
digest=$out
fails 5 "the server's own certificate is still verified" oci-wasm resolve "$there:v1" "${own[@]}"
holds "and how to trust it is told" grep -q -- --ca-file <<<"$err"
runs "unless that is switched off" oci-wasm resolve "$there:v1" --insecure "${own[@]}"
same "to the same digest" "$digest" "$out"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj '/CN=nobody' \
    -keyout other.key -out other.pem 2>/dev/null
fails 1 "a certificate of somebody else is refused" \
    oci-wasm resolve "$there:v1" "${ca[@]}" --cert other.pem --key other.key
fails 7 "authorities that are not there are told" oci-wasm resolve "$there:v1" --ca-file none.pem
holds "by their name" grep -q none.pem <<<"$err"
fails 7 "a file that is no certificate is told" oci-wasm resolve "$there:v1" "${ca[@]}" --cert "$wasm" --key other.key

certs=$HOME/.config/containers/certs.d/$host
mkdir -p "$certs"
cp "$REGISTRY_CA" "$certs/authority.crt"
cp "$REGISTRY_CERT" "$certs/me.cert"
fails 7 "half a pair in certs.d is an error" oci-wasm resolve "$there:v1"
holds "and is named" grep -q 'me\.' <<<"$err"
cp "$REGISTRY_KEY" "$certs/me.key"
runs "certs.d has all that is needed" oci-wasm pull "$there:v1" oci:pulled:v1
same "the same digest" "$digest" "$out"
mv "$certs" "$HOME/.config/containers/certs.d/other.example"
fails 5 "certs.d of another host is not used" oci-wasm resolve "$there:v1"

# ---- proxies ----
registry_start nginx || exit 1
ca=(--ca-file "$REGISTRY_CA")
dir=$REGISTRY_ROOT/$REGISTRY_NAME
through=registry.test/team/app
mkdir "$HOME/.docker"
login=$(printf '%s' "$REGISTRY_USER:$REGISTRY_PASSWORD" | base64 -w0)
printf '{"auths":{"registry.test":{"auth":"%s"}}}' "$login" >"$HOME/.docker/config.json"
# start_proxy NAME TARGET [CERT KEY]: sets proxy to its host:port and log to its log.
start_proxy() {
    local name=$1
    shift
    log=$work/$name.log
    : >"$log"
    python3 "$support/proxy.py" "$1" "$log" "${@:2}" >"$name.port" 2>"$name.err" </dev/null &
    REGISTRY_PIDS[$name]=$!
    registry_wait 20 $! test -s "$name.port" || return 1
    proxy=127.0.0.1:$(cat "$name.port")
}
secret='user:proxy%20secret'
basic="Basic $(printf 'user:proxy secret' | base64 -w0)"

fails 5 "without a proxy the name leads nowhere" oci-wasm resolve "$through:v1" "${ca[@]}"
for kind in http https; do
    with=()
    [ "$kind" = http ] || with=("$dir/leaf.pem" "$dir/leaf.key")
    start_proxy "$kind" "$REGISTRY_ADDRESS" "${with[@]}" || exit 1
    export https_proxy=$kind://$secret@$proxy
    runs "an image is pushed through an $kind proxy" oci-wasm push -f "$wasm" "$through:v1" "${ca[@]}"
    rm -rf back
    runs "and pulled" oci-wasm pull "$through:v1" oci:back:v1 "${ca[@]}"
    same "with the same digest" "$digest" "$out"
    holds "it was a tunnel" grep -q '^CONNECT registry.test:443 ' "$log"
    holds "with the proxy's password" grep -qF "$basic" "$log"
    holds "and never the registry's" test -z "$(grep -F "$login" "$log")"
    https_proxy=$kind://user:wrong@$proxy fails 4 "a wrong password of the proxy" oci-wasm resolve "$through:v1" "${ca[@]}"
    holds "is told as the proxy's" grep -q 'the proxy wants other credentials' <<<"$err"
    holds "at once" lacks retry
    holds "and not shown" lacks wrong
    : >"$log"
    fails 5 "loopback is called directly" oci-wasm resolve localhost:1/a:v1
    holds "whatever the environment says" test ! -s "$log"
    no_proxy=registry.test fails 5 "no_proxy is heeded" oci-wasm resolve "$through:v1" "${ca[@]}"
    no_proxy=registry.test:443 fails 5 "with a port too" oci-wasm resolve "$through:v1" "${ca[@]}"
    no_proxy=registry.test:444 runs "but not with another" oci-wasm resolve "$through:v1" "${ca[@]}"
    same "which goes through" 1 "$(grep -cF "$basic" "$log")"
done
fails 5 "an https proxy whose authority is unknown is not trusted" oci-wasm resolve "$through:v1" --insecure
holds "the registry never saw the proxy's password" \
    test "$(grep -c 'proxy-authorization "-"$' "$dir/nginx-access.log")" = "$(wc -l <"$dir/nginx-access.log")"
unset https_proxy

# ---- redirects from https to http ----
# One server with TLS that sends everyone to one without: nothing may follow (HTTP-4).
cat >downgrade.py <<-'END'
	import http.server, ssl, sys, threading

	class Handler(http.server.BaseHTTPRequestHandler):
	    def log_message(self, *args):
	        pass

	    def do_GET(self):
	        with open(sys.argv[3], "a", encoding="utf-8") as log:
	            log.write(f"{self.server.name} {self.command} {self.path}\n")
	        self.send_response(307 if self.server.name == "tls" else 200)
	        self.send_header("Location", f"http://127.0.0.1:{plain.server_port}{self.path}")
	        self.send_header("Content-Length", "0")
	        self.end_headers()

	    do_HEAD = do_POST = do_PUT = do_GET

	def serve(name):
	    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
	    server.name = name
	    return server

	plain, tls = serve("plain"), serve("tls")
	context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
	context.load_cert_chain(sys.argv[1], sys.argv[2])
	tls.socket = context.wrap_socket(tls.socket, server_side=True)
	threading.Thread(target=plain.serve_forever, daemon=True).start()
	print(tls.server_port, flush=True)
	tls.serve_forever()
END
log=$work/downgrade.log
python3 downgrade.py "$dir/leaf.pem" "$dir/leaf.key" "$log" >downgrade.port 2>downgrade.err </dev/null &
REGISTRY_PIDS[downgrade]=$!
registry_wait 20 $! test -s downgrade.port || exit 1
down=127.0.0.1:$(cat downgrade.port)/team/app:v1
fails 9 "a manifest is not fetched by a redirect from https to http" oci-wasm resolve "$down" "${ca[@]}"
holds "and why is told" grep -q 'redirect from https to http' <<<"$err"
same "and it was not tried again" 'tls HEAD /v2/team/app/manifests/v1' "$(cat "$log")"
fails 9 "nor is an image pushed by one" oci-wasm push -f "$wasm" "$down" "${ca[@]}"
holds "nobody was asked without TLS" test -z "$(grep '^plain' "$log")"

registry_start plain || exit 1
start_proxy plain "$REGISTRY_ADDRESS" || exit 1
printf '{"auths":{"registry.test":{"auth":"%s"}}}' "$login" >"$HOME/.docker/config.json"
export http_proxy=http://$secret@$proxy
runs "plain HTTP goes through the proxy by URL" oci-wasm push --plain-http -f "$wasm" "$through:v1"
same "the same image" "$digest" "$out"
holds "each request" grep -q '^PUT http://registry.test/v2/team/app/manifests/v1 ' "$log"
http_proxy=http://user:wrong@$proxy fails 4 "a wrong password is refused" oci-wasm resolve --plain-http "$through:v1"
holds "by the proxy" grep -q 'the proxy wants other credentials' <<<"$err"
runs "and back" oci-wasm pull --plain-http "$through:v1" oci:plain:v1
unset http_proxy
HTTP_PROXY=http://$secret@$proxy fails 5 "HTTP_PROXY in capitals is not used" oci-wasm resolve --plain-http "$through:v1"
cli_finish
