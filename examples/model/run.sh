#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# From a GGUF file to curl: run.sh CAISSON IMAGE MODEL.gguf [BACKEND] (docs/guide/model.md).
# Everything lies in a folder that is removed at the end; servers are on loopback.
set -eu
command -v curl >/dev/null || { echo "curl is needed: apt-get install curl" >&2; exit 1; }
caisson=$(realpath "$1")
image=$(realpath "$2")
model=$(realpath "$3")
backend=${4:-process}
folder=$(mktemp -d)
cd "$folder"
gateway=
proxy=
stop() {
    [ -z "$proxy" ] || kill "$proxy" 2>/dev/null || true
    [ -z "$gateway" ] || kill "$gateway" 2>/dev/null || true
    wait
    rm -rf "$folder"
}
trap stop EXIT

echo "== the owner seals the weights"
"$caisson" keygen weights weights.key
mkdir store
"$caisson" model pack --key weights.key "$model" store/
digest=$(ls store)

echo "== the host runs the image; it has a sealed file and no key"
root=$("$caisson" keygen root root.key | tail -n 1 | sed 's/.* //')
"$caisson" keygen signer signer.key >signer.txt
"$caisson" sign "$image" --key signer.key -o image.sig
cat >serve.json <<EOF
{"listeners": [{"port": 0}], "admin": {"port": 0}, "tenants": [{"label": "owner"}],
 "services": [{"name": "model", "image": "$image", "signature": "image.sig", "backend": "$backend",
               "control": "model.sock", "store": {"folder": "store"},
               "evidence": {"root": "root.key"}}]}
EOF
"$caisson" serve serve.json --json >serve.out 2>serve.err &
gateway=$!
while ! [ -s serve.out ]; do
    kill -0 "$gateway" || { cat serve.err; exit 1; }
    sleep 0.1
done
port=$(sed 's/.*"listeners":\[{[^}]*"port":\([0-9]*\).*/\1/' serve.out)

echo "== the owner verifies it, and only then gives it the key"
"$caisson" keygen tenant owner.key
"$caisson" keygen producer --tenant owner.key app.key
cat >owner.json <<EOF
{"version": 1, "service": "model", "language": {"model": "$digest", "share": true}}
EOF
"$caisson" grant --control model.sock --tenant owner.key --policy owner.json \
    --weights-key weights.key --version 1 --image "$image" --insecure-dev --root "$root" \
    --statement owner.statement

echo "== a proxy on the asker's machine seals what it asks"
"$caisson" proxy --gateway "http://127.0.0.1:$port" --credential app.key --image "$image" \
    --insecure-dev --root "$root" --listen 127.0.0.1:0 --json >proxy.out 2>proxy.err &
proxy=$!
while ! grep -q '"listening"' proxy.out; do
    kill -0 "$proxy" || { cat proxy.err; exit 1; }
    sleep 0.1
done
url=$(sed -n 's/.*"url":"\([^"]*\)".*/\1/p' proxy.out | sed 's#/$##')
ask() {
    tries=0
    until curl -sfN -m 60 "$url$1" -H 'content-type: application/json' -d "$2"; do
        tries=$((tries + 1))
        [ "$tries" -lt 20 ] || return 1
        sleep 0.5
    done
}
echo '== curl: "What is a lighthouse?"'
ask /v1/chat/completions '{"messages": [{"role": "user", "content": "What is a lighthouse?"}],
    "temperature": 0, "max_tokens": 40}'
echo
echo '== curl -N: "Once there was"'
ask /v1/completions '{"prompt": "Once there was", "max_tokens": 40, "temperature": 0.7, "seed": 2,
    "stream": true}' | sed -n 's/^data: .*"text":"\(.*\)","finish_reason":null.*/\1/p' | tr -d '\n'
echo
echo "== done"
