#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# new_test.sh CAISSON IMAGE: does a scaffold build, pass its own test, and measure as the example?
caisson=$1 image=$2
folder=$(mktemp -d)
failures=0
number=0

result() { # STATUS TEXT
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
        failures=1
    fi
}

command -v make >/dev/null || { echo "1..0 # SKIP no make"; exit 0; }
"$caisson" new hello "$folder/hello" >/dev/null
result $? "caisson new hello"
make -C "$folder/hello" test >"$folder/log" 2>&1
result $? "make test in the scaffold"
[ $failures -eq 0 ] || sed 's/^/# /' "$folder/log"
[ "$("$caisson" measure "$folder/hello/build/hello.elf")" = "$("$caisson" measure "$image")" ]
result $? "built outside of the tree it measures the same"
"$caisson" new hello "$folder/hello" >/dev/null 2>&1
[ $? -eq 1 ]
result $? "what exists is not overwritten"
"$caisson" new ../up "$folder/up" >/dev/null 2>&1
[ $? -eq 2 ]
result $? "a name that is no name is refused"
# Negative control: a broken operation must fail the scaffold's own test.
sed -i 's/letters += letter;/letters += 2 * letter;/' "$folder/hello/hello.c"
! make -C "$folder/hello" test >/dev/null 2>&1
result $? "a broken operation fails its test"
rm -rf "$folder"
echo "1..$number"
exit $failures
