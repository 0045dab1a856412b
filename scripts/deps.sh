#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what a build (or, with `check` or `long`, the tests; with `bench`, what `make bench`
# compares with) needs and this machine lacks, saying what. What is wished for is not needed:
# without libtss2-dev, for example, there is no `--evidence tpm`.
# Never calls apt when everything is there; without root or sudo it prints the line and exits 1.
set -eu

packages="gcc libc6-dev make pkg-config meson ninja-build python3 binutils"
packages="$packages libssl-dev libsodium-dev libbearssl-dev libcjson-dev libcmocka-dev"
packages="$packages libnghttp2-dev libcurl4-openssl-dev"
wished="libtss2-dev"
if [ "${1:-build}" = bench ]; then
    wished="$wished g++ libdpdk-dev libck-dev libboost-dev libgrpc++-dev libprotobuf-dev"
    wished="$wished protobuf-compiler-grpc liburing-dev libsimdjson-dev qemu-system-x86 strace"
    wished="$wished nginx-light nghttp2-client wrk libxgboost-dev softhsm2"
elif [ "${1:-build}" != build ]; then
    packages="$packages clang libclang-rt-dev clang-format valgrind" # rt: sanitizers, libFuzzer
    wished="$wished libfuse3-dev fuse3 swtpm strace"
    # of requests over HTTP: clients that we did not write, browsers, what reads metrics and units
    wished="$wished curl nghttp2-client wrk nodejs npm firefox-esr chromium prometheus systemd"
    wished="$wished python3-xgboost python3-sklearn" # whose scores ours must be
    # programs that use keys through PKCS #11
    wished="$wished openssl opensc openssh-client openssh-server libengine-pkcs11-openssl p11-kit"
    wished="$wished gnutls-bin"
fi
if [ "${1:-build}" = long ]; then
    wished="$wished qemu-system-x86 bc libelf1 frama-c-base"
fi

missing=""
for package in $packages $wished; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    if [ "$status" != installed ]; then
        missing="$missing $package"
    fi
done
# A tool that is there without its package (built by hand, or another version) serves as well.
needed=""
for package in $missing; do
    tool=$package
    case $package in
    ninja-build) tool=ninja ;;
    binutils) tool=objdump ;;
    fuse3) tool=fusermount3 ;;
    qemu-system-x86) tool=qemu-system-x86_64 ;;
    frama-c-base) tool=frama-c ;;
    nghttp2-client) tool=nghttp ;;
    nodejs) tool=node ;;
    nginx-light) tool=nginx ;;
    prometheus) tool=promtool ;;
    systemd) tool=systemd-analyze ;;
    opensc) tool=pkcs11-tool ;;
    openssh-client) tool=ssh-keygen ;;
    openssh-server) tool=/usr/sbin/sshd ;;
    gnutls-bin) tool=p11tool ;;
    softhsm2) tool=softhsm2-util ;;
    lib*) tool=/nonexistent ;;
    esac
    command -v "$tool" >/dev/null 2>&1 || needed="$needed $package"
done
[ -n "$needed" ] || exit 0

# 0 if nothing but wishes is missing: what hangs on them is left out, and says so.
only_wishes() {
    for package in $needed; do
        case " $wished " in
        *" $package "*) ;;
        *) return 1 ;;
        esac
    done
    echo "going on without:$needed" >&2
}

line="apt-get install -y --no-install-recommends$needed"
if ! command -v apt-get >/dev/null 2>&1; then
    echo "missing:$needed (this is not a Debian system: install their like by hand)" >&2
    only_wishes
    exit
fi
if [ "$(id -u)" = 0 ]; then
    run=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    run="sudo"
else
    echo "missing packages; as root, run:" >&2
    echo "    $line" >&2
    only_wishes
    exit
fi
echo "installing:$needed" >&2
log=$(mktemp)
policy=/usr/sbin/policy-rc.d
made_policy=""
trap 'rm -f "$log"; [ -z "$made_policy" ] || $run rm -f "$policy"' EXIT
trap 'exit 1' INT TERM
# Three of them are servers; here they are programs for tests, and nothing is to be served by them:
# neither now (policy-rc.d) nor after the next start of the machine (disable).
servers=""
case "$needed " in *" nginx-light "*) servers="$servers nginx" ;; esac
case "$needed " in *" prometheus "*) servers="$servers prometheus" ;; esac
case "$needed " in *" openssh-server "*) servers="$servers ssh" ;; esac
if [ -n "$servers" ] && [ ! -e "$policy" ]; then
    made_policy=yes
    $run sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy"
fi
# sudo takes no environment along by default: the variable is part of what it runs.
quietly="env DEBIAN_FRONTEND=noninteractive"
install() {
    # shellcheck disable=SC2086
    $run $quietly apt-get install -y --no-install-recommends "$@" >>"$log" 2>&1
}
each() { # one wish that cannot be had takes no other along
    for package in $needed; do
        install "$package" || true
    done
    left=""
    for package in $needed; do
        status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$status" = installed ] || left="$left $package"
    done
    needed=$left
    [ -z "$needed" ]
}
# shellcheck disable=SC2086
install $needed || { $run apt-get update >>"$log" 2>&1 && install $needed; } || each ||
    { tail -5 "$log" >&2; only_wishes; exit; }
if [ -n "$servers" ] && [ -d /run/systemd/system ]; then
    # shellcheck disable=SC2086
    $run systemctl --quiet disable --now $servers >/dev/null 2>&1 || true
fi
