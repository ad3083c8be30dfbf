#!/usr/bin/env bash
# Installs from Debian what the deep tier tests against besides the peers of CI: NSS, JSSE, Erlang's ssl, nginx; and those, where they are
# missing. Nothing is started: the tests run their own servers, on the loopback interface or in a network namespace of their own.
set -euo pipefail

missing=()
need() { command -v "$1" >/dev/null || [ -e "$1" ] || missing+=("${@:2}"); }
need openssl openssl
need gnutls-serv gnutls-bin
need ip iproute2
need selfserv libnss3-tools
need java default-jdk-headless
need escript erlang-base
need /usr/share/doc/erlang-ssl erlang-ssl erlang-public-key
need nginx nginx-light
need /usr/lib/nginx/modules/ngx_stream_module.so libnginx-mod-stream
[ ${#missing[@]} -gt 0 ] || exit 0

root=()
[ "$(id -u)" = 0 ] || root=(sudo)
"${root[@]}" apt-get update -qq
# In run level 1 Debian starts no service that it installs.
"${root[@]}" env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
