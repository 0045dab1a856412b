/* SPDX-License-Identifier: Apache-2.0 */
/* entry.h: constants that assembly and C share; start.c asserts that they agree. */
#ifndef CSN_ENCLAVE_ENTRY_H
#define CSN_ENCLAVE_ENTRY_H

#define CSE_ENTRY_STOP_ENTROPY 0x10005 /* CSN_WIRE_STOP_ENTROPY */

#endif
