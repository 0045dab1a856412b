/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field.c: single values sealed to a consumer, and opened again (docs/WIRE.md section 10).
 *
 * Trust:    sealed values come back inside records of the tenant and may be anything.
 */
#include "state.h"

static csn_err find_consumer(const struct cse_grant *grant, const struct csn_wire_record *header,
                             uint32_t *index)
{
    for (uint32_t i = 0; i < grant->consumer_count; i++) {
        if (grant->wire_consumers[i].credential == header->credential &&
            __builtin_memcmp(grant->consumers[i].key_id, header->key_id, 8) == 0) {
            *index = i;
            return CSN_OK;
        }
    }
    return CSN_ERR_UNKNOWN;
}

csn_err cse_field_seal(struct cse_call *call, uint32_t consumer, uint64_t place,
                       const uint8_t *value, uint32_t size, uint8_t *output,
                       uint32_t output_size_max, uint32_t *output_size)
{
    struct cse_grant *grant = call->answer.tenant->grant;
    struct csn_wire_record header = {.kind = CSN_WIRE_RECORD,
                                     .version = CSN_WIRE_RECORD_VERSION,
                                     .direction = CSN_WIRE_DIRECTION_FIELD,
                                     .suite = CSN_WIRE_SUITE,
                                     .encapsulation_size = 32,
                                     .cipher_size = size,
                                     .grant_version = grant->version,
                                     .challenge = place};
    if (consumer >= grant->consumer_count) {
        return CSN_ERR_ARGUMENT;
    }
    if (output_size_max < CSE_FIELD_OVERHEAD || size > output_size_max - CSE_FIELD_OVERHEAD) {
        return CSN_ERR_SPACE;
    }
    struct cse_sender *sender = &grant->consumers[consumer].field;
    if (sender->salt_count >= CSN_WIRE_SALT_RECORDS_MAX) {
        cse_sender_salt(call->session, sender); /* fields are sealed at once: none waits */
    }
    header.credential = grant->wire_consumers[consumer].credential;
    __builtin_memcpy(header.tenant, call->answer.tenant->id, 32);
    __builtin_memcpy(header.key_id, grant->consumers[consumer].key_id, 8);
    cse_sender_header(sender, &header);
    __builtin_memcpy(output, &header, sizeof header);
    struct csn_gcm_item item = {.key = &sender->key.key,
                                .aad = output,
                                .aad_size = sizeof header,
                                .size = size,
                                .input = value,
                                .output = output + sizeof header,
                                .tag = output + sizeof header + size};
    csn_aead_nonce(sender->key.iv, header.sequence, item.nonce);
    csn_gcm_seal_batch(&item, 1);
    *output_size = (uint32_t)CSE_FIELD_OVERHEAD + size;
    return CSN_OK;
}

/* The key exchange of the field context opened last is kept: values come in runs. */
static csn_err field_secrets(struct cse_call *call, uint32_t index,
                             const struct csn_wire_record *header,
                             struct csn_record_secrets *secrets)
{
    struct cse_grant *grant = call->answer.tenant->grant;
    struct cse_consumer *consumer = &grant->consumers[index];
    const struct csn_wire_consumer *wire = &grant->wire_consumers[index];
    if (consumer->field_in_used &&
        __builtin_memcmp(consumer->field_in_encapsulation, header->encapsulation, 32) == 0) {
        *secrets = consumer->field_in;
        return CSN_OK;
    }
    struct csn_binding binding = {.direction = CSN_WIRE_DIRECTION_FIELD,
                                  .mode = CSN_WIRE_MODE_IDEMPOTENT,
                                  .credential = wire->credential};
    struct csn_wire_recipient recipient;
    __builtin_memcpy(binding.tenant, call->answer.tenant->id, 32);
    __builtin_memcpy(binding.key_id, consumer->key_id, 8);
    __builtin_memcpy(recipient.secret_key, wire->secret_key, 32);
    __builtin_memcpy(recipient.public_key, wire->public_key, 32);
    csn_err result = csn_record_receiver(&binding, wire->credential_secret, &recipient,
                                         header->encapsulation, secrets);
    csn_wipe(&recipient, sizeof recipient);
    return result;
}

static csn_err check_field(const struct cse_call *call, uint64_t place, const uint8_t *sealed,
                           uint32_t size, struct csn_wire_record *header)
{
    if (size < CSE_FIELD_OVERHEAD) {
        return CSN_ERR_FORMAT;
    }
    __builtin_memcpy(header, sealed, sizeof *header);
    if (header->kind != CSN_WIRE_RECORD || header->version != CSN_WIRE_RECORD_VERSION ||
        header->direction != CSN_WIRE_DIRECTION_FIELD || header->mode != CSN_WIRE_MODE_IDEMPOTENT ||
        header->encapsulation_size != 32 || header->route_size != 0 ||
        header->cipher_size != size - CSE_FIELD_OVERHEAD) {
        return CSN_ERR_FORMAT;
    }
    if (header->suite != CSN_WIRE_SUITE) {
        return CSN_ERR_SUITE;
    }
    /* Whoever may have one field back must not get another's value by moving it there. */
    bool here = __builtin_memcmp(header->tenant, call->answer.tenant->id, 32) == 0 &&
                CSN_CHECK(CSE_CHECK_PLACE, header->challenge == place);
    return here ? CSN_OK : CSN_ERR_UNKNOWN;
}

csn_err cse_field_open(struct cse_call *call, uint64_t place, const uint8_t *sealed, uint32_t size,
                       uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    struct cse_grant *grant = call->answer.tenant->grant;
    struct csn_wire_record header;
    struct csn_record_secrets secrets;
    struct csn_record_key key;
    uint32_t index;
    CSN_TRY(check_field(call, place, sealed, size, &header));
    CSN_TRY(find_consumer(grant, &header, &index));
    if (csn_is_zero_ct(grant->wire_consumers[index].secret_key, 32)) {
        return CSN_ERR_POLICY;
    }
    if (header.cipher_size > output_size_max) {
        return CSN_ERR_SPACE;
    }
    CSN_TRY(field_secrets(call, index, &header, &secrets));
    uint8_t tag[CSN_WIRE_TAG_SIZE];
    __builtin_memcpy(tag, sealed + size - sizeof tag, sizeof tag);
    csn_record_key_from_salt(secrets.base, header.salt, &key);
    struct csn_gcm_item item = {.key = &key.key,
                                .aad = sealed,
                                .aad_size = sizeof header,
                                .size = header.cipher_size,
                                .input = sealed + sizeof header,
                                .output = output,
                                .tag = tag};
    csn_aead_nonce(key.iv, header.sequence, item.nonce);
    bool committed = csn_equal_ct(secrets.commitment, header.commitment, 32);
    item.result = CSN_ERR_AUTH;
    if (committed) {
        csn_gcm_open_batch(&item, 1);
    }
    if (item.result == CSN_OK) {
        struct cse_consumer *consumer = &grant->consumers[index];
        consumer->field_in = secrets;
        consumer->field_in_used = true;
        __builtin_memcpy(consumer->field_in_encapsulation, header.encapsulation, 32);
        *output_size = header.cipher_size;
    }
    csn_wipe(&secrets, sizeof secrets);
    csn_wipe(&key, sizeof key);
    return item.result;
}
