# SPDX-License-Identifier: Apache-2.0
# What the examples' scripts begin with: `here` is the folder of the script. A folder of its own
# that goes away at the end, with whatever runs as $gateway and $proxy. $needs: programs that the
# script runs and a build does not (each in the package of its name).
for program in $needs; do
    command -v "$program" >/dev/null || {
        echo "$program is needed: apt-get install $program" >&2
        exit 1
    }
done
build=$(cd "${CAISSON_BUILD:-$here/../../build}" && pwd)
gateway_port=${GATEWAY_PORT:-8080} admin_port=${ADMIN_PORT:-9090} proxy_port=${PROXY_PORT:-8390}
PATH=$build:$PATH
folder=$(mktemp -d)
gateway="" proxy=""
trap 'kill $gateway $proxy 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
cd "$folder"
say() { printf '\n-- %s\n' "$*"; }
# until_ok URL: it answers with a status below 400
until_ok() {
    tries=0
    until curl -fs -o answer "$1"; do
        tries=$((tries + 1))
        [ $tries -lt 200 ] || { cat ./*.log >&2; exit 1; }
        sleep 0.1
    done
}
