/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mock.h: the real run loop in threads of the test, behind the interface of a backend, so that the
 * host side can be tested where the enclave misbehaves on command. A test build, not a backend.
 */
#ifndef TESTS_HOST_MOCK_H
#define TESTS_HOST_MOCK_H

#include "backend/backend.h"
#include <stdbool.h>
#include <stdint.h>

#define MOCK_PILL 0x4c4c4950u /* an input that begins with it kills the enclave */

#define MOCK_LATER 0x5254414cu /* one that is this alone is answered later, */
#define MOCK_TELL  0x4c4c4554u /* by one part and the last one, when this comes */

/* What the enclave does with each input beyond pings; read with every input. */
struct mock_script {
    uint32_t outputs;     /* per input; the last is final */
    uint32_t hold;        /* 1: sleep inside the batch until it is 0 */
    uint32_t kill_after;  /* inputs until it dies without another word; 0: never */
    uint32_t lie_tag;     /* 1: answer under another tag */
    uint32_t crash_count; /* how often it died so far */
};

extern struct mock_script mock_script;
extern const struct csn_backend mock_backend;

#endif
