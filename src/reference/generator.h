/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generator.h: made-up card authorisation records for the demo, the tests and the benchmarks.
 *
 * About 600 bytes of JSON each: card number (Luhn-valid, several BINs), holder, e-mail, phone,
 * IBAN (mod 97 valid), merchant, amount, and a memo with more personal data in free text. Record i
 * of a seed is always the same bytes, whoever makes it and in whatever order. Nobody real is meant.
 *
 * Threads:  pure functions over the caller's memory.
 */
#ifndef CSR_GENERATOR_H
#define CSR_GENERATOR_H

#include <stddef.h>
#include <stdint.h>

#define CSR_RECORD_SIZE_MAX  1008u /* bytes: fits the size class of 1,024-byte payloads */
#define CSR_SECRET_COUNT     8u
#define CSR_GENERATOR_PERIOD UINT64_C(1000000000) /* indices below this give distinct secrets */

struct csr_secret {
    const char *text; /* into the record that it is part of */
    size_t size;      /* bytes, at least 11 */
};

struct csr_record {
    char text[CSR_RECORD_SIZE_MAX];
    size_t size;
    /*
     * Strings that no other record of this seed has in that place, in the order: card number,
     * holder, e-mail, phone, IBAN, and from the memo a second card number, IBAN and e-mail address.
     */
    struct csr_secret secrets[CSR_SECRET_COUNT];
};

/* Makes record index (below CSR_GENERATOR_PERIOD) of a seed. */
void csr_generate(uint64_t seed, uint64_t index, struct csr_record *record);

#endif
