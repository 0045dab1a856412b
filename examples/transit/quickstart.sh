#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Keys that never leave an enclave, used by curl: made, used, rotated, kept over a restart. On one
# machine, with development evidence.
#
#   make build && examples/transit/quickstart.sh
#
# GATEWAY_PORT, ADMIN_PORT, PROXY_PORT (8080, 9090, 8390), CAISSON_BUILD may be set. All files are
# in a folder of its own that goes away at the end.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
needs="curl openssl"
. "$here/../begin.sh"
# ask PATH [JSON]: through the proxy
ask() {
    path=$1
    shift
    curl -sS "http://127.0.0.1:$proxy_port/v1/transit/$path" \
        ${1:+-H content-type:application/json -d "$1"}
    echo
}
# member NAME: of the JSON on stdin, a string without escapes
member() { sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/"; }
begin() { # VERSION of the grant
    caisson serve serve.json >gateway.log 2>&1 &
    gateway=$!
    until_ok "http://127.0.0.1:$admin_port/healthz"
    caisson grant --control transit.sock --tenant bank.key --policy "$here/policy.json" \
        --version "$1" --statement statement --image transit.elf --insecure-dev --root "$root"
    until_ok "http://127.0.0.1:$admin_port/readyz"
}
# as CREDENTIAL: a proxy on loopback that asks with it
as() {
    [ -z "$proxy" ] || { kill "$proxy"; wait "$proxy" || true; }
    caisson proxy --gateway "http://127.0.0.1:$gateway_port" --service transit --label bank \
        --credential "$1" --image transit.elf --insecure-dev --root "$root" \
        --listen "127.0.0.1:$proxy_port" >proxy.log 2>&1 &
    proxy=$!
    until_ok "http://127.0.0.1:$proxy_port/.well-known/caisson/proxy"
}

say "a tenant, who manages its keys, and an application that uses them"
caisson keygen signer signer.key >signer.pub
root=$(caisson keygen root root.key)
caisson keygen tenant bank.key >bank.id
caisson keygen producer --tenant bank.key --keys --roles 0 officer.key >officer.id
caisson keygen producer --tenant bank.key --roles 1 app.key >app.id
cp "$build/enclaves/transit.elf" .
caisson sign transit.elf --key signer.key -o transit.sig
sed -e "s/8080/$gateway_port/" -e "s/9090/$admin_port/" "$here/serve.json" >serve.json
mkdir -m 700 store
begin 1

say "the officer makes two keys; their secret halves are in the enclave and nowhere else"
as officer.key
ask keys/app-sign '{"type":"p-256"}' | tee key.json
ask keys/app-data '{"type":"aes-256"}' >/dev/null
ask sign/app-sign '{"input":"aGVsbG8="}' # not his role: refused

say "whoever appraised the evidence can check where the key was born"
member birth <key.json | base64 -d >birth
curl -s "http://127.0.0.1:$gateway_port/.well-known/caisson/evidence?nonce=$(printf '%064d' 0)" \
    >evidence
caisson verify --evidence evidence --nonce "$(printf '%064d' 0)" --image transit.elf \
    --insecure-dev --root "$root" --birth birth | grep -i birth

say "the application signs, and openssl verifies"
as app.key
ask sign/app-sign '{"input":"aGVsbG8="}' | tee signed.json
member signature <signed.json | sed 's/.*://' | base64 -d >signature
member spki <key.json | base64 -d >key.der
printf hello | openssl dgst -sha256 -verify key.der -keyform DER -signature signature

say "it encrypts, and has it back"
ask encrypt/app-data '{"plaintext":"aGVsbG8=","associated_data":"cm93IDc="}' | tee sealed.json
sealed=$(member ciphertext <sealed.json)
ask decrypt/app-data "{\"ciphertext\":\"$sealed\",\"associated_data\":\"cm93IDc=\"}"

say "power is lost; the journal in the folder brings the keys back, rotated by the officer"
kill -9 "$gateway"
wait "$gateway" 2>/dev/null || true
begin 2
as officer.key
ask keys/app-data/rotate '{}' >/dev/null
as app.key
ask rewrap/app-data "{\"ciphertext\":\"$sealed\",\"associated_data\":\"cm93IDc=\"}" |
    member ciphertext | cut -c1-40
