/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_tpm.c: the commands of a counter, and no others, to the TPM.
 *
 * Sessions that an enclave began and did not end are ended with the store: a TPM has room for a
 * few. A resource manager (/dev/tpmrm0) does the same, also where this process is killed.
 */
#include "store.h"
#include <string.h>

#define TPM_HEAD           10u
#define TPM_START_SESSION  0x176u
#define TPM_NV_READ_PUBLIC 0x169u
#define TPM_NV_INCREMENT   0x134u
#define TPM_NV_EXTEND      0x136u
#define TPM_NV_READ        0x14eu
#define TPM_FLUSH          0x165u
#define TPM_NO_SESSIONS    0x8001u

static uint32_t load(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static uint32_t *find_session(struct csn_store *store, uint32_t handle)
{
    for (uint32_t i = 0; i < CSN_STORE_SESSIONS; i++) {
        if (store->sessions[i] == handle) {
            return &store->sessions[i];
        }
    }
    return NULL;
}

/* Others use the same TPM: an enclave ends no session but one that an enclave began. */
static bool is_allowed(struct csn_store *store, const uint8_t *command, uint32_t size)
{
    if (size < TPM_HEAD || size > CSN_WIRE_OUTSIDE_TPM_SIZE || load(command + 2) != size) {
        return false;
    }
    switch (load(command + 6)) {
    case TPM_START_SESSION:
        return find_session(store, 0) != NULL;
    case TPM_NV_READ_PUBLIC:
    case TPM_NV_INCREMENT:
    case TPM_NV_EXTEND:
    case TPM_NV_READ:
        return true;
    case TPM_FLUSH:
        return size == TPM_HEAD + 4 && load(command + TPM_HEAD) != 0 &&
               find_session(store, load(command + TPM_HEAD)) != NULL;
    default:
        return false;
    }
}

static void note_sessions(struct csn_store *store, const uint8_t *command, const uint8_t *response,
                          size_t size)
{
    if (size < TPM_HEAD || load(response + 6) != 0) {
        return;
    }
    uint32_t code = load(command + 6);
    if (code == TPM_START_SESSION && size >= TPM_HEAD + 4) {
        *find_session(store, 0) = load(response + TPM_HEAD);
    } else if (code == TPM_FLUSH) {
        *find_session(store, load(command + TPM_HEAD)) = 0;
    }
}

uint32_t csn_store_tpm_ask(struct csn_store *store, const uint8_t *command, uint32_t size,
                           uint8_t *response, uint32_t room, uint32_t *response_size)
{
    size_t got = room < CSN_WIRE_OUTSIDE_TPM_SIZE ? room : CSN_WIRE_OUTSIDE_TPM_SIZE;
    if (store->options.tpm == NULL) {
        return CSN_WIRE_OUTSIDE_NONE;
    }
    if (!is_allowed(store, command, size)) {
        return CSN_WIRE_OUTSIDE_REFUSED;
    }
    store->counts.tpm_commands++;
    if (store->options.tpm(store->options.tpm_state, command, size, response, &got) != CSN_OK) {
        return CSN_WIRE_OUTSIDE_FAILED;
    }
    note_sessions(store, command, response, got);
    *response_size = (uint32_t)got;
    return CSN_WIRE_OUTSIDE_OK;
}

void csn_store_tpm_flush(struct csn_store *store)
{
    for (uint32_t i = 0; i < CSN_STORE_SESSIONS; i++) {
        const uint32_t handle = store->sessions[i];
        uint8_t command[TPM_HEAD + 4] = {TPM_NO_SESSIONS >> 8,
                                         TPM_NO_SESSIONS & 0xff,
                                         0,
                                         0,
                                         0,
                                         TPM_HEAD + 4,
                                         0,
                                         0,
                                         TPM_FLUSH >> 8,
                                         TPM_FLUSH & 0xff,
                                         (uint8_t)(handle >> 24),
                                         (uint8_t)(handle >> 16),
                                         (uint8_t)(handle >> 8),
                                         (uint8_t)handle};
        uint8_t response[CSN_WIRE_OUTSIDE_TPM_SIZE];
        uint32_t size = 0;
        if (handle != 0) {
            uint32_t status =
                csn_store_tpm_ask(store, command, sizeof command, response, sizeof response, &size);
            (void)status; /* it is gone, or the TPM is */
            store->sessions[i] = 0;
        }
    }
}
