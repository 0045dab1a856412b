/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stop.h: why an enclave stopped by itself, as the host sees it. Numbers only, never a secret.
 *
 * 1..65535 belong to the author's own cse_panic() calls; the library's codes start above them.
 */
#ifndef CAISSON_WIRE_STOP_H
#define CAISSON_WIRE_STOP_H

#include <stdint.h>

#define CSN_WIRE_STOP_LIBRARY UINT32_C(0x10000)

enum csn_wire_stop {
    CSN_WIRE_STOP_NONE = 0,
    /* start refused: made.state is CSN_WIRE_STATE_REFUSED */
    CSN_WIRE_STOP_ABI = 0x10001,      /* boot region of another ABI version */
    CSN_WIRE_STOP_WORKER = 0x10002,   /* worker index out of range, or started twice */
    CSN_WIRE_STOP_MANIFEST = 0x10003, /* the manifest does not pass its own rules */
    CSN_WIRE_STOP_CPU = 0x10004,      /* a kernel failed its known-answer test */
    CSN_WIRE_STOP_ENTROPY = 0x10005,  /* RDRAND is unhealthy; at start or later */
    CSN_WIRE_STOP_POOL = 0x10006,     /* the pool of the manifest is too small */
    CSN_WIRE_STOP_TIMEOUT = 0x10007,  /* worker 0 did not get ready */
    CSN_WIRE_STOP_START = 0x10008,    /* rings or sessions refused to start */
    /* panic while serving */
    CSN_WIRE_STOP_STACK = 0x10020,  /* stack protector */
    CSN_WIRE_STOP_ASSERT = 0x10021, /* a check of our own state failed */
};

#endif
