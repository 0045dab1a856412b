#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# hello_test.sh HOST IMAGE BACKEND: the enclave's answers against what they must be, as TAP.
host=$1 image=$2 backend=$3
number=0
failures=0

answer() { "$host" "$image" "$backend" "$1" 2>&1; }

check() { # TEXT EXPECTED
    number=$((number + 1))
    got=$(answer "$1")
    if [ "$got" = "$2" ]; then
        echo "ok $number - '$(printf %.40s "$1")'"
    else
        echo "not ok $number - '$(printf %.40s "$1")': expected '$2', got '$got'"
        failures=1
    fi
}

reason=$(answer "x")
if [ $? -eq 77 ]; then
    echo "1..0 # SKIP $reason"
    exit 0
fi
check "the quick fox" "3 words, 11 letters"
check "" "0 words, 0 letters"
check "one, two; three... 4" "3 words, 11 letters"
check "$(printf '%04096d' 0 | tr 0 a)" "1 words, 4096 letters"

# Negative control: the same image with one byte of its manifest changed must not pass for it.
number=$((number + 1))
changed=$(mktemp)
sed "s/hello\\x00/$(echo hello | tr a-z b-za)\\x00/" "$image" > "$changed"
if cmp -s "$image" "$changed"; then
    echo "not ok $number - the changed image is the same image"
    failures=1
elif got=$("$host" "$image" "$backend" "x" "$changed" 2>&1); then
    echo "not ok $number - a changed image was granted keys"
    failures=1
elif ! echo "$got" | grep -q "failed  image.measurement"; then
    echo "not ok $number - refused, but not for its measurement: $got"
    failures=1
else
    echo "ok $number - a changed image is granted nothing"
fi
rm -f "$changed"
echo "1..$number"
exit $failures
