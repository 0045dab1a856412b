/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eif.c: hostile enclave image files against the prediction of their registers. The checksum is put
 * right first, so that the sections behind it are reached.
 */
#include "check.h"
#include "predict/nitro.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t crc_of(const uint8_t *bytes, size_t size)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= i < 544 || i >= 548 ? bytes[i] : 0;
        for (int bit = 0; bit < 8 && (i < 544 || i >= 548); bit++) {
            crc = crc >> 1 ^ ((crc & 1) != 0 ? UINT32_C(0xedb88320) : 0);
        }
    }
    return ~crc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct csv_eif eif;
    const char *why = "";
    if (size > 65536) {
        return 0;
    }
    uint8_t *copy = malloc(size + 1);
    if (copy == NULL) {
        return 0;
    }
    memcpy(copy + 1, data, size);
    for (size_t i = 0; size >= 548 && i < 4; i++) {
        copy[1 + 544 + i] = (uint8_t)(crc_of(copy + 1, size) >> (24 - 8 * i));
    }
    bool good = csv_eif_predict((struct csv_bytes){copy + 1, size}, &eif, &why);
    if (good != (why == NULL) || (good && size < 548)) {
        fprintf(stderr, "%s\n", why != NULL ? why : "too short");
        abort();
    }
    free(copy);
    return 0;
}
