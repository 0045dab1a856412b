/* SPDX-License-Identifier: Apache-2.0 */
/*
 * panic_hosted.c: cse_panic() where enclave code is linked into a host program for its numbers
 * alone (size.c). Nothing there can panic; if it does, the program must not go on.
 */
#include <caisson/enclave.h>

void cse_panic(uint32_t code)
{
    (void)code;
    __builtin_trap();
}
