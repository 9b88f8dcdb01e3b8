# SPDX-License-Identifier: MIT
#
# Registries for system tests: Debian's docker-registry on 127.0.0.1, any free port. To be sourced after
# tests/system/lib.sh (or by with.sh); what is started ends with the test, and everything lies below $T.
#
#	registry_start NAME [tls [clients]] [token|basic]
#
# sets, until the next start,
#
#	REGISTRY           127.0.0.1:PORT
#	REGISTRY_CA        the CA's certificate, for the client (with tls, else empty)
#	REGISTRY_CLIENT    of a client's certificate, without .crt and .key (with clients, which are let in only by one)
#	REGISTRY_CREDS     user:password that may do everything (with token or basic, else empty)
#	REGISTRY_LOG       what the registry said, one line a request
#	REGISTRY_STORE     its files: blobs in docker/registry/v2/blobs
#
# With "token" a repository below public/ can be pulled by anyone, any other only with REGISTRY_CREDS.
#
#	registry_push LAYOUT:TAG REPOSITORY:TAG    into the one that was started last
#	registry_stop NAME

registry_here=$SRC/tests/registry

# --- certificates

# Quick to make, also where the processor is emulated.
registry_key='-newkey ec -pkeyopt ec_paramgen_curve:P-256'

# A certificate authority, once a test.
registry_ca() {
	[ ! -f "$T/ca/ca.crt" ] || return 0
	mkdir -p "$T/ca"
	openssl req -x509 $registry_key -nodes -days 2 -subj '/CN=liblcx test authority' \
		-addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign' \
		-keyout "$T/ca.key" -out "$T/ca/ca.crt" 2>"$T/ca.log"
}

# A certificate for the names, signed by that authority.
registry_certificate() { # FILE (gets .crt and .key) SUBJECT-ALT-NAMES [USAGE]
	printf 'subjectAltName=%s\nextendedKeyUsage=%s\n' "$2" "${3:-serverAuth}" >"$1.ext"
	openssl req $registry_key -nodes -subj '/CN=liblcx test server' -keyout "$1.key" -out "$1.csr" 2>>"$T/ca.log"
	openssl x509 -req -in "$1.csr" -CA "$T/ca/ca.crt" -CAkey "$T/ca.key" -CAserial "$T/ca.serial" -CAcreateserial -days 2 \
		-extfile "$1.ext" -out "$1.crt" 2>>"$T/ca.log"
}

# --- the parts of a configuration

registry_config_tls() {
	registry_ca
	registry_certificate "$registry_dir/server" 'IP:127.0.0.1,DNS:localhost'
	cat <<-EOF
		  tls:
		    certificate: $registry_dir/server.crt
		    key: $registry_dir/server.key
	EOF
}

# Behind tls, as a part of it.
registry_config_clients() {
	registry_certificate "$REGISTRY_CLIENT" 'DNS:client.example' clientAuth
	cat <<-EOF
		    clientcas:
		      - $T/ca/ca.crt
	EOF
}

registry_config_basic() {
	htpasswd -Bbc "$registry_dir/htpasswd" "${REGISTRY_CREDS%%:*}" "${REGISTRY_CREDS#*:}" 2>"$registry_dir/htpasswd.log"
	cat <<-EOF
		auth:
		  htpasswd:
		    realm: liblcx-test
		    path: $registry_dir/htpasswd
	EOF
}

# The token server signs with a key whose certificate the registry trusts.
registry_config_token() { # [tls]
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=liblcx test tokens' \
		-keyout "$registry_dir/token.key" -out "$registry_dir/token.crt" 2>"$registry_dir/openssl.log"
	set -- "${1:+$registry_dir/server}"
	python3 "$registry_here/token.py" "$registry_dir" "$REGISTRY_CREDS" "$1" >"$registry_dir/token.log" 2>&1 &
	echo $! >"$registry_dir/token.pid"
	wait_for 20 test -s "$registry_dir/token.port"
	cat <<-EOF
		auth:
		  token:
		    realm: http${1:+s}://127.0.0.1:$(cat "$registry_dir/token.port")/token
		    service: liblcx-test
		    issuer: liblcx-test-issuer
		    rootcertbundle: $registry_dir/token.crt
	EOF
}

registry_config() { # [tls] [token|basic]
	cat <<-EOF
		version: 0.1
		log:
		  level: info
		storage:
		  filesystem:
		    rootdirectory: $REGISTRY_STORE
		  delete:
		    enabled: true
		http:
		  addr: 127.0.0.1:0
		  secret: liblcx-test
	EOF
	registry_tls=
	for registry_option; do
		case $registry_option in
		tls) registry_tls=tls && registry_config_tls ;;
		clients) registry_config_clients ;;
		token) registry_config_token "$registry_tls" ;;
		basic) registry_config_basic ;;
		*) echo "registry_start: unknown option '$registry_option'" >&2; return 1 ;;
		esac
	done
}

# --- life

registry_listens() {
	registry_port=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$REGISTRY_LOG" | head -n 1)
	[ -n "$registry_port" ]
}

registry_start() { # NAME [tls] [token|basic]
	need docker-registry openssl python3
	registry_dir=$T/registry-$1
	REGISTRY_STORE=$registry_dir/store
	REGISTRY_LOG=$registry_dir/log
	REGISTRY_CREDS='' REGISTRY_CA='' REGISTRY_CLIENT=$registry_dir/client
	registry_name=$1
	shift
	case " $* " in *' token '* | *' basic '*) REGISTRY_CREDS=tester:open-sesame ;; esac
	case " $* " in *' tls '*) REGISTRY_CA=$T/ca/ca.crt ;; esac
	mkdir -p "$REGISTRY_STORE"
	defer "registry_stop $registry_name"
	registry_config "$@" >"$registry_dir/config.yml"
	OTEL_TRACES_EXPORTER=none docker-registry serve "$registry_dir/config.yml" >"$REGISTRY_LOG" 2>&1 &
	echo $! >"$registry_dir/pid"
	wait_for 20 registry_listens || { cat "$REGISTRY_LOG" >&2; return 1; }
	REGISTRY=127.0.0.1:$registry_port
}

registry_stop() { # NAME
	for registry_file in "$T/registry-$1/pid" "$T/registry-$1/token.pid"; do
		[ -f "$registry_file" ] || continue
		kill "$(cat "$registry_file")" 2>/dev/null || :
		wait "$(cat "$registry_file")" 2>/dev/null || :
		rm -f "$registry_file"
	done
}

registry_push() { # LAYOUT:TAG REPOSITORY:TAG
	set -- "$1" "$2" --dest-tls-verify=false
	if [ -n "$REGISTRY_CA" ]; then
		set -- "$1" "$2" --dest-cert-dir "$T/ca"
	fi
	[ -z "$REGISTRY_CREDS" ] || set -- "$@" --dest-creds "$REGISTRY_CREDS"
	registry_source=$1 registry_target=$2
	shift 2
	# skopeo would otherwise replace a layer by one of other compression that the registry has.
	skopeo --insecure-policy copy --preserve-digests "$@" "oci:$registry_source" "docker://$REGISTRY/$registry_target" >"$T/push.log" 2>&1 ||
		{ cat "$T/push.log" >&2; return 1; }
}
