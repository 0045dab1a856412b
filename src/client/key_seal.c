/* SPDX-License-Identifier: Apache-2.0 */
/* key_seal.c: a key's secret half, sealed to a transit enclave's import key (docs/TRANSIT.md, 4).
 */
#include "crypto/hpke.h"
#include "sealed.h"
#include <caisson/wire/transit.h>
#include <string.h>

#define LABEL      "caisson-transit-import-v1"
#define LABEL_SIZE (sizeof LABEL - 1)

_Static_assert(CSV_KEY_BESIDE == 32 + 16, "encapsulation and tag");

csn_err csv_key_seal(const struct csv_key_target *target, const uint8_t *secret, uint32_t size,
                     uint8_t *sealed)
{
    uint8_t info[LABEL_SIZE + 32 + CSN_WIRE_TRANSIT_NAME_SIZE] = {0};
    uint8_t ephemeral[32];
    const uint8_t aad = (uint8_t)target->type;
    const size_t name_size = strlen(target->name);
    struct csn_hpke_context context = {0};
    const struct csn_hpke_setup setup = {
        .aead = CSN_AEAD_AES_256_GCM, .info = info, .info_size = sizeof info};
    if (name_size == 0 || name_size >= CSN_WIRE_TRANSIT_NAME_SIZE || size > CSV_KEY_SECRET_MAX) {
        return CSN_ERR_ARGUMENT;
    }
    memcpy(info, LABEL, LABEL_SIZE);
    memcpy(info + LABEL_SIZE, target->tenant, 32);
    memcpy(info + LABEL_SIZE + 32, target->name, name_size);
    csn_err err = csv_random(ephemeral, sizeof ephemeral);
    if (err == CSN_OK) {
        err = csn_hpke_sender(&context, sealed, target->import_key, ephemeral, &setup);
    }
    if (err == CSN_OK) {
        err = csn_hpke_seal(&context, &aad, 1, secret, size, sealed + 32, sealed + 32 + size);
    }
    csn_wipe(ephemeral, sizeof ephemeral);
    csn_wipe(&context, sizeof context);
    return err;
}
