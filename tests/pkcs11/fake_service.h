/* SPDX-License-Identifier: Apache-2.0 */
/* fake_service.h: a keeper of keys in this process (libcrypto), and what it counts and is told. */
#ifndef CSN_TESTS_PKCS11_FAKE_SERVICE_H
#define CSN_TESTS_PKCS11_FAKE_SERVICE_H

#include "pkcs11/service.h"

extern unsigned fake_uses, fake_lists; /* calls since the start; any thread */
extern unsigned fake_forgotten;        /* services that a child let go */
extern CK_RV fake_failure;             /* not CKR_OK: what the next calls come to */
extern unsigned fake_delay_us;         /* of each use */

/* A key that somebody else made. */
void fake_add(const char *name, uint32_t type, uint32_t operations);
void fake_remove(const char *name);
void fake_rotate(const char *name);
uint32_t fake_key_count(void);
/* All keys away, counters to zero. */
void fake_reset(void);

#endif
