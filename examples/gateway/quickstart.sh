#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# From nothing to attested requests by curl, on one machine, with development evidence.
#
#   make build && examples/gateway/quickstart.sh
#
# GATEWAY_PORT, ADMIN_PORT, PROXY_PORT (8080, 9090, 8390), CAISSON_BUILD may be set. All files are
# in a folder of its own that goes away at the end; with STAY=1 it serves until you press Enter.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
needs=curl
. "$here/../begin.sh"

say "keys: who signs images, who vouches for this machine, a tenant, and what its program asks with"
caisson keygen signer signer.key >signer.pub
root=$(caisson keygen root root.key)
caisson keygen tenant bank.key >bank.id
caisson keygen producer --tenant bank.key till.key >till.id

say "an image, signed"
cp "$build/enclaves/echo.elf" .
caisson sign echo.elf --key signer.key -o echo.sig

say "the gateway (untrusted): http://127.0.0.1:$admin_port/ is its page"
sed -e "s/8080/$gateway_port/" -e "s/9090/$admin_port/" "$here/serve.json" >serve.json
caisson serve serve.json >gateway.log 2>&1 &
gateway=$!
until_ok "http://127.0.0.1:$admin_port/healthz"

say "the tenant appraises evidence, and grants its keys to exactly that enclave"
caisson grant --control echo.sock --tenant bank.key --no-policy --version 1 --statement statement \
    --image echo.elf --insecure-dev --root "$root"
until_ok "http://127.0.0.1:$admin_port/readyz"

say "one request, verified first and sealed"
caisson call --gateway "http://127.0.0.1:$gateway_port" --service echo --label bank \
    --credential till.key --image echo.elf --insecure-dev --root "$root" \
    -d 'hello from call' /v1/echo
echo

say "a proxy on loopback (the client's): any program that speaks HTTP"
caisson proxy --gateway "http://127.0.0.1:$gateway_port" --service echo --label bank \
    --credential till.key --image echo.elf --insecure-dev --root "$root" \
    --listen "127.0.0.1:$proxy_port" >proxy.log 2>&1 &
proxy=$!
until_ok "http://127.0.0.1:$proxy_port/.well-known/caisson/proxy"
curl -fs "http://127.0.0.1:$proxy_port/v1/echo" -d 'hello from curl'
echo

say "another image than the one that is wanted: refused, and nothing is sent"
other=$(printf '%096d' 0)
status=0
caisson call --gateway "http://127.0.0.1:$gateway_port" --credential till.key \
    --measurement "$other" --insecure-dev --root "$root" -d secret /v1/echo 2>refusal || status=$?
head -1 refusal
[ $status = 3 ]

say "what the gateway counted"
curl -fs "http://127.0.0.1:$admin_port/metrics" | grep '^caisson_tenant_requests_total'
if [ "${STAY:-0}" = 1 ]; then
    say "it serves until you press Enter"
    read -r _
fi
