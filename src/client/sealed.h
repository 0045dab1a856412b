/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sealed.h: what the parts of the client share: randomness, and reading what an enclave sealed.
 *
 * Trust:    records are hostile until csv_sealed_check() and the AEAD have accepted them.
 */
#ifndef CSV_CLIENT_SEALED_H
#define CSV_CLIENT_SEALED_H

#include "../core/bytes.h"
#include "../crypto/schedule.h"
#include "../verify/recipient.h"
#include <caisson/client.h>

#define CSV_RECORD_SIZE ((uint32_t)sizeof(struct csn_wire_record))
#define CSV_RESULT_SIZE ((uint32_t)sizeof(struct csn_wire_result))

/* From the kernel each time: a generator of ours would be cloned by fork. CSN_ERR_ENTROPY. */
CSN_MUST_USE csn_err csv_random(void *bytes, size_t size);

/* Room for plaintexts that nobody has checked yet, so that a caller's buffer stays untouched. */
struct csv_plain {
    uint8_t *bytes;
    uint64_t size;
};
/* For the records of these items side by side. CSN_ERR_MEMORY. */
CSN_MUST_USE csn_err csv_plain_reserve(struct csv_plain *plain, const struct csv_open_item *items,
                                       uint32_t count);
void csv_plain_wipe(struct csv_plain *plain);

/* A record from an enclave, cut into its parts; nothing in it is authenticated yet. */
struct csv_sealed {
    struct csn_wire_record header;
    const uint8_t *bytes;
    const uint8_t *cipher;
    uint32_t aad_size;
};
/* Version, suite, lengths, direction. CSN_ERR_FORMAT, CSN_ERR_SUITE. */
CSN_MUST_USE csn_err csv_sealed_parse(const void *record, uint32_t size, uint8_t direction,
                                      struct csv_sealed *sealed);
/* The result in front of an authenticated plaintext; checks lengths and padding. */
CSN_MUST_USE csn_err csv_result_read(const uint8_t *plain, uint32_t size,
                                     struct csn_wire_result *result);
/* A reply or a receipt, by the exported reply secret. plain: cipher_size bytes, wiped on error. */
CSN_MUST_USE csn_err csv_answer_open(const struct csv_sealed *sealed, const uint8_t reply[32],
                                     uint8_t *plain);

#endif
