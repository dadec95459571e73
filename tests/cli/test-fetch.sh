#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# oci-wasm pack with wasm that is elsewhere: files of a web server, packages of a registry, both
# real and on loopback; and the store of what was fetched.
#
# usage: test-fetch.sh OCI_WASM
here=$(dirname "${BASH_SOURCE[0]}")
source "$here/../support/registry.sh"
registry_init
registry_require docker-registry curl python3
source "$here/lib.sh"
cli_init "$@"

registry_start plain || exit 1
registry=$REGISTRY_ADDRESS

mkdir www app
cp "$root/testdata/bare/component.wasm" www/good.wasm
printf 'no wasm at all' >www/text.wasm
python3 -u -m http.server 0 --bind 127.0.0.1 --directory www >web.log 2>&1 </dev/null &
REGISTRY_PIDS[web]=$!
web_listening() {
    web=$(sed -n 's/^Serving HTTP on \(127[0-9.]*\) port \([0-9]*\).*/\1:\2/p' web.log)
    [ -n "$web" ]
}
registry_wait 20 "${REGISTRY_PIDS[web]}" web_listening || exit 1

digest_of() {
    printf 'sha256:%s' "$(sha256sum "$1" | cut -d' ' -f1)"
}

# app SOURCE [MORE]: one component.
app() {
    cat >app/spin.toml <<-END
	spin_manifest_version = 2
	[application]
	name = "remote"
	[[trigger.http]]
	route = "/..."
	component = "far"
	[component.far]
	source = $1
	${2:-}
	END
}

cp www/good.wasm app/local.wasm
app '"local.wasm"'
runs "a local app packs" oci-wasm pack --no-cache -f app -o oci:local:v1
local=$out
good=$(digest_of www/good.wasm)

app "{ url = \"http://$web/good.wasm\", digest = \"$good\" }"
runs "a url with the right digest packs" oci-wasm pack -f app -o oci:url:v1
same "to what the same file packs to" "$local" "$out"
runs "and again" oci-wasm pack -f app -o oci:url:v2
same "the file was fetched once" 1 "$(grep -c 'GET /good.wasm' web.log)"

app "{ url = \"http://$web/good.wasm\", digest = \"sha256:$(printf '0%.0s' {1..64})\" }"
fails 6 "a url with a wrong digest is refused" oci-wasm pack -f app -o oci:wrong:v1
holds "with the component's name" grep -q 'component "far".*digest is' <<<"$err"
holds "and nothing is made" test ! -e wrong
app "{ url = \"http://$web/text.wasm\", digest = \"$(digest_of www/text.wasm)\" }"
fails 7 "a url that leads to no wasm is refused" oci-wasm pack -f app -o oci:wrong:v1
app "{ url = \"http://$web/none.wasm\", digest = \"$good\" }"
runs "what the store has is not fetched again, wherever it should come from" oci-wasm pack -f app -o oci:url:v3
fails 3 "a url that leads nowhere is not found" oci-wasm pack --no-cache -f app -o oci:wrong:v1
app "{ url = \"ftp://$web/good.wasm\", digest = \"$good\" }"
fails 9 "other schemes are refused" oci-wasm pack --no-cache -f app -o oci:wrong:v1

# Packages: the registry itself, then one that says it keeps them elsewhere.
for version in 1.0.0 1.2.0 2.0.0; do
    runs "version $version is pushed" oci-wasm push -f www/good.wasm "$registry/acme/thing:$version"
done
runs "a version with build metadata is pushed" oci-wasm push -f www/good.wasm "$registry/acme/thing:3.0.0_b7"
app "{ registry = \"$registry\", package = \"acme:thing\", version = \"1.0.0\" }"
runs "a package of a registry packs" oci-wasm pack --no-cache -f app -o oci:package:v1
same "to what the same file packs to" "$local" "$out"
app "{ registry = \"$registry\", package = \"acme:thing\", version = \"3.0.0+b7\" }"
runs "a + in a version is a _ in its tag" oci-wasm pack --no-cache -f app -o oci:package:v2
app "{ registry = \"$registry\", package = \"acme:thing\", version = \"9.0.0\" }"
fails 3 "a version that is not there is not found" oci-wasm pack --no-cache -f app -o oci:wrong:v1
holds "and named with the component" grep -q 'component "far".*9.0.0' <<<"$err"
app "{ package = \"acme:thing\", version = \"1.0.0\" }"
fails 3 "a namespace without a registry is told" oci-wasm pack --no-cache -f app -o oci:wrong:v1
holds "with what to do" grep -q 'add `registry`' <<<"$err"

mkdir -p home/.config/wasm-pkg www/.well-known/wasm-pkg
printf '[namespace_registries]\nacme = "%s"\n' "$web" >home/.config/wasm-pkg/config.toml
printf '{"preferredProtocol":"oci","oci":{"registry":"%s","namespacePrefix":"pre/"}}\n' "$registry" \
    >www/.well-known/wasm-pkg/registry.json
runs "a package is pushed below the prefix" oci-wasm push -f www/good.wasm "$registry/pre/acme/thing:1.0.0"
runs "wkg's config and the registry's metadata lead to it" oci-wasm pack --no-cache -f app -o oci:package:v3
same "to what the same file packs to" "$local" "$out"
holds "the metadata was asked for" grep -q 'GET /.well-known/wasm-pkg/registry.json' web.log
printf '{"preferredProtocol":"warg"}\n' >www/.well-known/wasm-pkg/registry.json
fails 7 "another protocol is refused" oci-wasm pack --no-cache -f app -o oci:wrong:v1
printf 'default_registry = 3\n' >home/.config/wasm-pkg/config.toml
fails 7 "a broken config is told" oci-wasm pack --no-cache -f app -o oci:wrong:v1
holds "with its path" grep -q 'wasm-pkg/config.toml:1' <<<"$err"
rm -r home/.config

# What config.toml and the environment say of a registry: how to call it, and with which credentials.
plain=$REGISTRY_NAME
storage=$REGISTRY_STORAGE
registry_start tls-auth "$storage" || exit 1
closed=$REGISTRY_ADDRESS
mkdir -p home/.config/wasm-pkg
# config LINES: the namespace acme is in the closed registry.
config() {
    cat >home/.config/wasm-pkg/config.toml <<-END
	[namespace_registries]
	acme = { registry = "$closed", metadata = { preferredProtocol = "oci", oci = { registry = "$closed" } } }
	[registry."$closed".oci]
	$1
	END
}
app "{ package = \"acme:thing\", version = \"1.0.0\" }"
auth="auth = { username = \"$REGISTRY_USER\", password = \"$REGISTRY_PASSWORD\" }"
authority="extra_root_certificates = [{ encoding = \"pem\", data = \"\"\"
$(cat "$REGISTRY_CA")
\"\"\" }]"
config "$auth
$authority"
runs "config.toml has credentials and an authority" oci-wasm pack -v --no-cache -f app -o oci:closed:v1
same "for the same image" "$local" "$out"
holds "the password is not told" lacks "$REGISTRY_PASSWORD"
holds "nor its base64" lacks "$(printf %s "$REGISTRY_USER:$REGISTRY_PASSWORD" | base64 -w0)"
holds "no temporary file is left" test -z "$(find /tmp -maxdepth 1 -name 'oci-wasm-certs-*' -newer home/.config/wasm-pkg/config.toml)"
config "auth = \"$(printf %s "$REGISTRY_USER:$REGISTRY_PASSWORD" | base64 -w0)\"
accept_invalid_certificates = true"
runs "credentials may be base64, certificates taken as they are" oci-wasm pack --no-cache -f app -o oci:closed:v2
same "for the same image" "$local" "$out"
config "auth = { username = \"$REGISTRY_USER\", password = \"not-this-one\" }
$authority"
fails 4 "a wrong password is an error of credentials" oci-wasm pack --no-cache -f app -o oci:wrong:v1
holds "that says where they are from" grep -q 'wasm-pkg/config.toml' <<<"$err"
holds "and not what they are" lacks not-this-one
config "$auth"
fails 5 "without the authority the certificate is refused" oci-wasm pack --no-cache -f app -o oci:wrong:v1
registry_stop "$REGISTRY_NAME"
REGISTRY_NAME=$plain

# A registry that wants a bearer token in front of the plain one.
cat >bearer.py <<'END'
import http.server, sys, urllib.error, urllib.request
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.headers.get("Authorization") != "Bearer sesame":
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Bearer realm="http://127.0.0.1:1/token",service="x"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        request = urllib.request.Request(sys.argv[1] + self.path, headers={"Accept": self.headers.get("Accept", "*/*")})
        with urllib.request.urlopen(request) as answer:
            body = answer.read()
            self.send_response(200)
            for name in ("Content-Type", "Docker-Content-Digest"):
                if answer.headers[name]:
                    self.send_header(name, answer.headers[name])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
END
python3 bearer.py "http://$registry" >bearer.port 2>bearer.log </dev/null &
REGISTRY_PIDS[bearer]=$!
registry_wait 20 "${REGISTRY_PIDS[bearer]}" test -s bearer.port || exit 1
closed=127.0.0.1:$(cat bearer.port)
config 'protocol = "http"'
variable=WKG_REGISTRY_$(tr -c '[:alnum:]\n' _ <<<"$closed")_AUTH_BEARER
runs "the environment has a token for a registry" env "$variable=sesame" oci-wasm pack -v --no-cache -f app -o oci:bearer:v1
same "for the same image" "$local" "$out"
holds "which is not told" lacks sesame
config 'auth = "c2VjcmV0"'
fails 7 "credentials that are none are told" oci-wasm pack --no-cache -f app -o oci:wrong:v1
holds "with line and key, and not as they are" grep -q 'config.toml:4: auth is not base64' <<<"$err"
registry_stop bearer
rm -r home/.config

# Dependencies name a range: the latest version in it.
app '"local.wasm"' "dependencies = { \"acme:thing/api\" = { registry = \"$registry\", package = \"acme:thing\", version = \"^1\" } }"
runs "a dependency with a range packs" oci-wasm pack -v --no-cache --no-compose -f app -o oci:range:v1
holds "with the latest version in it" grep -q 'acme/thing/manifests/1.2.0' <<<"$err"
app '"local.wasm"' "dependencies = { \"acme:thing/api\" = { registry = \"$registry\", package = \"acme:thing\", version = \">=4\" } }"
fails 3 "a range that nothing meets is told" oci-wasm pack --no-cache --no-compose -f app -o oci:wrong:v1
holds "with the range" grep -q 'no version that meets ">=4"' <<<"$err"

# What was fetched once is there without a network.
exact="{ registry = \"$registry\", package = \"acme:thing\", version = \"1.0.0\" }"
range="dependencies = { \"acme:thing/api\" = { registry = \"$registry\", package = \"acme:thing\", version = \"^1\" } }"
app "$exact" "$range"
runs "a version and a range are fetched into the store" oci-wasm pack --no-compose -f app -o oci:stored:v1
stored=$out

# All servers gone.
app "{ url = \"http://$web/good.wasm\", digest = \"$good\" }"
registry_stop web
registry_stop "$REGISTRY_NAME"
runs "without a network, the store serves" oci-wasm pack -f app -o oci:offline:v1
same "the same image" "$local" "$out"
app "$exact" "$range"
runs "and what was fetched of packages" oci-wasm pack --no-compose -f app -o oci:offline:v2
same "the same image again" "$stored" "$out"
holds "a range is taken as it was, with a warning" grep -q 'warning: package "acme:thing" "^1": taken as fetched before' <<<"$err"
app "${exact/1.0.0/1.2.0}"
fails 5 "a version that was not fetched is not made up" oci-wasm pack -f app -o oci:wrong:v1
app "{ url = \"http://$web/good.wasm\", digest = \"$good\" }"
printf 'X' | dd of="home/.cache/oci-wasm/wasm/${good#sha256:}.wasm" bs=1 seek=100 conv=notrunc status=none
fails 5 "a damaged file of the store is not believed" oci-wasm pack -f app -o oci:wrong:v1
holds "a failure leaves no layout" test ! -e wrong

cli_finish
