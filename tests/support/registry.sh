# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# A bash library that starts real registries on free loopback ports for tests, each in a folder
# of its own below $REGISTRY_ROOT, and ends them. It knows nothing about what is pushed.
#
#   source tests/support/registry.sh
#   registry_init                     makes the temporary folder, sets the EXIT trap
#   registry_start plain              Debian's docker-registry, plain HTTP
#   registry_start tls-auth           the same with TLS and htpasswd, both its own
#   registry_start token              plain HTTP, bearer tokens from tests/support/token-server.py
#   registry_start nginx              plain registry behind nginx with TLS and Basic auth
#   registry_start mtls               the same, with a client certificate instead of a password
#   registry_start readonly DIR       plain HTTP over the storage DIR, refuses writes
#   registry_start nodelete           plain HTTP, deletion switched off
#   registry_stop NAME                ends one (the value of $REGISTRY_NAME)
#   registry_log NAME                 prints its log and, behind nginx, the access log
#
#   registry_choose KIND              for "distribution-KIND", those above run distribution 3, built
#                                     by tests/support/peers.sh, instead of Debian's docker-registry;
#                                     sets REGISTRY_KIND to what registry_start takes
#
# registry_start sets REGISTRY_ADDRESS (host:port), REGISTRY_NAME, REGISTRY_STORAGE, and, with
# TLS, REGISTRY_CA (a PEM file), REGISTRY_USER and REGISTRY_PASSWORD, with mtls REGISTRY_CERT and
# REGISTRY_KEY. The certificate of the server also names registry.test. A script that has its own
# EXIT trap calls registry_cleanup from it after registry_init.

registry_program=docker-registry

registry_choose() {
    # shellcheck disable=SC2034  # for the tests
    REGISTRY_KIND=${1#distribution-}
    [ "$REGISTRY_KIND" != "$1" ] || return 0
    PATH=${OCIW_PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/oci-wasm-peers}/bin:$PATH
    registry_program=registry
    registry_require registry
    export OTEL_TRACES_EXPORTER=none
}

registry_init() {
    REGISTRY_ROOT=$(mktemp -d)
    REGISTRY_COUNT=0
    declare -gA REGISTRY_PIDS=()
    trap registry_cleanup EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

registry_say() {
    printf 'registry.sh: %s\n' "$*" >&2
}

# shellcheck source=skip.sh
source "$(dirname "${BASH_SOURCE[0]}")/skip.sh"

# The script is skipped where a program is missing.
registry_require() {
    local tool
    for tool in "$@"; do
        PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null || skip_all "no $tool here"
    done
}

registry_stop() {
    local pid
    for pid in ${REGISTRY_PIDS[$1]:-}; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    unset "REGISTRY_PIDS[$1]"
}

registry_cleanup() {
    local name
    for name in "${!REGISTRY_PIDS[@]}"; do
        registry_stop "$name"
    done
    rm -rf "${REGISTRY_ROOT:?}"
}

registry_log() {
    local file
    for file in "$REGISTRY_ROOT/$1"/*.log; do
        sed "s/^/${file##*/}: /" "$file"
    done
}

# A certificate authority made for this run, and a leaf for loopback that it signed.
registry_make_certificates() {
    local dir=$1
    cat >"$dir/leaf.ext" <<-END
	subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:registry.test
	extendedKeyUsage=serverAuth
	END
    {
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
            -subj '/CN=oci-wasm test authority' -keyout "$dir/ca.key" -out "$dir/ca.pem" &&
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
                -subj '/CN=localhost' -keyout "$dir/leaf.key" -out "$dir/leaf.csr" &&
            openssl x509 -req -in "$dir/leaf.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" \
                -CAcreateserial -days 2 -extfile "$dir/leaf.ext" -out "$dir/leaf.pem" &&
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
                -subj '/CN=a client' -keyout "$dir/client.key" -out "$dir/client.csr" &&
            openssl x509 -req -in "$dir/client.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" \
                -CAcreateserial -days 2 -out "$dir/client.pem"
    } >"$dir/openssl.log" 2>&1 || {
        cat "$dir/openssl.log" >&2
        return 1
    }
}

registry_write_config() {
    local dir=$1 kind=$2
    cat >"$dir/config.yml" <<-END
	version: 0.1
	log: { level: info, accesslog: { disabled: false } }
	storage:
	  filesystem: { rootdirectory: "$REGISTRY_STORAGE" }
	  delete: { enabled: $([ "$kind" = nodelete ] && echo false || echo true) }
	END
    if [ "$kind" = readonly ]; then
        printf '  maintenance: { readonly: { enabled: true } }\n' >>"$dir/config.yml"
    fi
    # Port 0: the kernel picks a free one and the registry logs which.
    printf 'http:\n  addr: 127.0.0.1:0\n  secret: not-a-secret\n' >>"$dir/config.yml"
    if [ "$kind" = tls-auth ]; then
        cat >>"$dir/config.yml" <<-END
		  tls: { certificate: "$dir/leaf.pem", key: "$dir/leaf.key" }
		auth:
		  htpasswd: { realm: test, path: "$dir/htpasswd" }
		END
    fi
    if [ "$kind" = token ]; then
        cat >>"$dir/config.yml" <<-END
		auth:
		  token:
		    realm: "http://127.0.0.1:$REGISTRY_TOKEN_PORT/token?from=config"
		    service: test-registry
		    issuer: test
		    rootcertbundle: "$dir/token.pem"
		END
    fi
}

# The token server: sets REGISTRY_TOKEN_PORT and REGISTRY_TOKEN_PID.
registry_run_token_server() {
    local dir=$1
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=oci-wasm test tokens' \
        -keyout "$dir/token.key" -out "$dir/token.pem" >"$dir/openssl.log" 2>&1 || return 1
    python3 "$(dirname "${BASH_SOURCE[0]}")/token-server.py" "$dir/token.key" "$dir/token.pem" \
        "$dir/token.log" >"$dir/token.port" 2>"$dir/token-errors.log" </dev/null &
    REGISTRY_TOKEN_PID=$!
    registry_wait 20 "$REGISTRY_TOKEN_PID" test -s "$dir/token.port" || return 1
    REGISTRY_TOKEN_PORT=$(cat "$dir/token.port")
}

# registry_wait SECONDS COMMAND...: until the command succeeds or its server died.
registry_wait() {
    local left=$(($1 * 20)) pid=$2
    shift 2
    until "$@" 2>/dev/null; do
        kill -0 "$pid" 2>/dev/null || return 1
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        sleep 0.05
    done
}

registry_listening() {
    REGISTRY_ADDRESS=$(sed -n 's/.*listening on \(127\.0\.0\.1:[0-9]*\).*/\1/p' "$1/registry.log")
    [ -n "$REGISTRY_ADDRESS" ]
}

registry_answers() {
    local scheme=http
    local -a with=()
    if [ -n "$REGISTRY_TOKEN_PORT" ]; then
        # Up when it asks for a token.
        curl --silent --max-time 5 --noproxy '*' --output /dev/null --write-out '%{http_code}' \
            "http://$REGISTRY_ADDRESS/v2/" | grep -q 401
        return
    fi
    if [ -n "$REGISTRY_CA" ]; then
        scheme=https
        with=(--cacert "$REGISTRY_CA" --user "$REGISTRY_USER:$REGISTRY_PASSWORD")
        [ -z "$REGISTRY_CERT" ] || with+=(--cert "$REGISTRY_CERT" --key "$REGISTRY_KEY")
    fi
    curl --silent --fail --max-time 5 --noproxy '*' "${with[@]}" --output /dev/null \
        "$scheme://$REGISTRY_ADDRESS/v2/"
}

registry_run_docker_registry() {
    local dir=$1
    "$registry_program" serve "$dir/config.yml" >"$dir/registry.log" 2>&1 </dev/null &
    REGISTRY_PIDS[$REGISTRY_NAME]=$!
    registry_wait 20 $! registry_listening "$dir"
}

registry_write_nginx_config() {
    local dir=$1 port=$2 upstream=$3 lock
    if [ -n "$REGISTRY_CERT" ]; then
        lock="ssl_client_certificate $dir/ca.pem; ssl_verify_client on;"
    else
        lock="auth_basic test; auth_basic_user_file $dir/htpasswd;"
    fi
    cat >"$dir/nginx.conf" <<-END
	daemon off;
	pid $dir/nginx.pid;
	error_log $dir/nginx-error.log;
	worker_processes 1;
	events { worker_connections 256; }
	http {
	    log_format sized '"\$request" \$status \$body_bytes_sent received \$request_length'
	        ' proxy-authorization "\$http_proxy_authorization"';
	    access_log $dir/nginx-access.log sized;
	    client_body_temp_path $dir/nginx-body;
	    proxy_temp_path $dir/nginx-proxy;
	    fastcgi_temp_path $dir/nginx-fastcgi;
	    uwsgi_temp_path $dir/nginx-uwsgi;
	    scgi_temp_path $dir/nginx-scgi;
	    server {
	        listen 127.0.0.1:$port ssl http2;
	        ssl_certificate $dir/leaf.pem;
	        ssl_certificate_key $dir/leaf.key;
	        client_max_body_size 0;
	        $lock
	        location /v2/ {
	            proxy_pass http://$upstream;
	            proxy_http_version 1.1;
	            proxy_request_buffering off;
	            proxy_buffering off;
	            proxy_set_header Host \$http_host;
	            proxy_set_header X-Forwarded-Proto https;
	            proxy_set_header Authorization "";
	        }
	    }
	}
	END
}

# nginx cannot say which port the kernel gave it: guess until one is free.
registry_run_nginx() {
    local dir=$1 upstream=$REGISTRY_ADDRESS try port pid
    # The worker of an nginx started by root is another user and must reach the password file.
    chmod 755 "$REGISTRY_ROOT" "$dir"
    for try in 1 2 3 4 5 6 7 8 9 10; do
        port=$((20000 + (RANDOM + try) % 12000))
        registry_write_nginx_config "$dir" "$port" "$upstream"
        PATH=$PATH:/usr/sbin nginx -p "$dir" -e "$dir/nginx-error.log" -c "$dir/nginx.conf" \
            >"$dir/nginx.log" 2>&1 </dev/null &
        pid=$!
        REGISTRY_ADDRESS=127.0.0.1:$port
        if registry_wait 10 "$pid" registry_answers; then
            REGISTRY_PIDS[$REGISTRY_NAME]="$pid ${REGISTRY_PIDS[$REGISTRY_NAME]}"
            return 0
        fi
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    return 1
}

registry_start() {
    local kind=$1 dir
    REGISTRY_COUNT=$((REGISTRY_COUNT + 1))
    REGISTRY_NAME=registry-$REGISTRY_COUNT
    dir=$REGISTRY_ROOT/$REGISTRY_NAME
    mkdir "$dir" || return 1
    REGISTRY_STORAGE=${2:-$dir/storage}
    mkdir -p "$REGISTRY_STORAGE"
    REGISTRY_CA='' REGISTRY_USER='' REGISTRY_PASSWORD='' REGISTRY_TOKEN_PORT='' REGISTRY_TOKEN_PID=''
    REGISTRY_CERT='' REGISTRY_KEY=''

    registry_require "$registry_program" curl
    case $kind in
    plain | readonly | nodelete) ;;
    token)
        registry_require openssl python3
        # shellcheck disable=SC2034  # for the tests
        REGISTRY_USER=tester REGISTRY_PASSWORD='pass:word with spaces'
        registry_run_token_server "$dir" || {
            registry_say "the token server did not start"
            return 1
        }
        ;;
    tls-auth | nginx | mtls)
        registry_require openssl htpasswd
        [ "$kind" = tls-auth ] || registry_require nginx
        registry_make_certificates "$dir" || return 1
        if [ "$kind" = mtls ]; then
            kind=nginx REGISTRY_CERT=$dir/client.pem REGISTRY_KEY=$dir/client.key
        fi
        REGISTRY_USER=tester REGISTRY_PASSWORD='pass:word with spaces'
        # bcrypt for docker-registry, which takes nothing else; nginx reads it through crypt(3).
        htpasswd -iBbc "$dir/htpasswd" "$REGISTRY_USER" "$REGISTRY_PASSWORD" 2>/dev/null || return 1
        ;;
    *)
        registry_say "no registry of kind $kind"
        return 1
        ;;
    esac

    registry_write_config "$dir" "$kind"
    registry_run_docker_registry "$dir" || {
        registry_say "$registry_program did not start"
        registry_log "$REGISTRY_NAME" >&2
        return 1
    }
    [ -z "$REGISTRY_TOKEN_PID" ] || REGISTRY_PIDS[$REGISTRY_NAME]+=" $REGISTRY_TOKEN_PID"
    [ "$kind" != tls-auth ] || REGISTRY_CA=$dir/ca.pem
    registry_wait 20 "${REGISTRY_PIDS[$REGISTRY_NAME]%% *}" registry_answers || {
        registry_say "$registry_program does not answer"
        return 1
    }
    if [ "$kind" = nginx ]; then
        REGISTRY_CA=$dir/ca.pem
        registry_run_nginx "$dir" || {
            registry_say "nginx did not start"
            registry_log "$REGISTRY_NAME" >&2
            return 1
        }
    fi
    return 0
}
