/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tok_keys.c: one field of the policy, checked, with its keys ready for use.
 *
 * Keys depend on tenant, domain and version only, so that two fields of one domain give one token.
 */
#include "core/bytes.h"
#include "tok_state.h"
#include <string.h>

static bool is_lower(uint8_t byte)
{
    return byte >= 'a' && byte <= 'z';
}

bool tok_span_fits(const struct tok_source *source, const struct csn_wire_span *span,
                   uint32_t size_min, uint32_t size_max)
{
    return span->size >= size_min && span->size <= size_max &&
           span->offset <= source->head.text_size &&
           span->size <= source->head.text_size - span->offset &&
           (span->size > 0 || span->offset == 0);
}

static csn_err domain_key(const struct tok_source *source, uint32_t domain, enum tok_use use,
                          uint8_t key[32])
{
    static const char label[17] = "caisson-domain-v1";
    uint8_t info[sizeof label + 4 + 32 + 4 + 1];
    const struct csn_wire_domain *wire = &source->domains[domain];
    uint32_t size = sizeof label;
    memcpy(info, label, sizeof label);
    csn_store_u32(info + size, wire->name.size);
    size += 4;
    memcpy(info + size, source->text + wire->name.offset, wire->name.size);
    size += wire->name.size;
    csn_store_u32(info + size, wire->version);
    size += 4;
    info[size++] = (uint8_t)use;
    return csn_hkdf(source->grant->tenant, 32, source->grant->secret, 32, info, size, key, 32);
}

static csn_err mac_key(const struct tok_source *source, uint32_t domain, enum tok_use use,
                       struct csn_hmac_key *mac)
{
    uint8_t key[32];
    CSN_TRY(domain_key(source, domain, use, key));
    csn_hmac_key_init(mac, key, sizeof key);
    csn_wipe(key, sizeof key);
    return CSN_OK;
}

static void hash_sized(struct csn_sha256 *hash, const uint8_t *bytes, uint32_t size)
{
    uint8_t count[4];
    csn_store_u32(count, size);
    csn_sha256_update(hash, count, sizeof count);
    csn_sha256_update(hash, bytes, size);
}

static csn_err build_fpe(struct tok_field *field, const struct tok_source *source,
                         const struct csn_wire_field *wire)
{
    uint8_t key[32];
    uint8_t digest[32];
    const uint8_t *text = source->text;
    bool short_known = wire->short_action == CSN_WIRE_ACTION_REDACT ||
                       wire->short_action == CSN_WIRE_ACTION_TOKEN ||
                       wire->short_action == CSN_WIRE_ACTION_MASK ||
                       wire->short_action == CSN_WIRE_ACTION_DROP;
    if (!short_known || wire->luhn > 1 ||
        !tok_alphabet_build(&field->alphabet, text + wire->alphabet.offset, wire->alphabet.size) ||
        (wire->luhn == 1 && (wire->alphabet.size != 10 ||
                             memcmp(text + wire->alphabet.offset, "0123456789", 10) != 0))) {
        return CSN_ERR_POLICY;
    }
    CSN_TRY(domain_key(source, wire->domain, TOK_USE_FPE, key));
    csn_err result = csn_aes_key_init(&field->aes, key, sizeof key);
    csn_wipe(key, sizeof key);
    CSN_TRY(result);
    CSN_TRY(mac_key(source, wire->domain, TOK_USE_TOKEN, &field->mac));
    csn_sha256_init(&field->tweak);
    csn_sha256_update(&field->tweak, "caisson-fpe-v1", 14);
    csn_sha256_update(&field->tweak, source->grant->tenant, 32);
    hash_sized(&field->tweak, text + wire->path.offset, wire->path.size);
    hash_sized(&field->tweak, text + wire->tweak.offset, wire->tweak.size);
    struct csn_sha256 plain = field->tweak;
    hash_sized(&plain, text, 0);
    hash_sized(&plain, text, 0);
    csn_sha256_final(&plain, digest);
    memcpy(field->plain_tweak, digest, sizeof field->plain_tweak);
    return CSN_OK;
}

static csn_err build_token(struct tok_field *field, const struct tok_source *source,
                           const struct csn_wire_field *wire)
{
    if (wire->token_size < 10 || wire->token_size > 32 || wire->keep_first > 8 ||
        wire->keep_last > 8 || !tok_span_fits(source, &wire->prefix, 1, TOK_PREFIX_SIZE)) {
        return CSN_ERR_POLICY;
    }
    for (uint32_t i = 0; i < wire->prefix.size; i++) {
        field->prefix[i] = source->text[wire->prefix.offset + i];
        if (!is_lower(field->prefix[i])) {
            return CSN_ERR_POLICY;
        }
    }
    field->prefix_size = (uint8_t)wire->prefix.size;
    return mac_key(source, wire->domain, TOK_USE_TOKEN, &field->mac);
}

/* A sealed value goes back to the path that it came from, as an fpe value does by its tweak. */
static uint64_t place_of(const struct tok_source *source, const struct csn_wire_field *wire)
{
    uint8_t digest[32];
    struct csn_sha256 hash;
    csn_sha256_init(&hash);
    csn_sha256_update(&hash, "caisson-encrypt-v1", 18);
    hash_sized(&hash, source->text + wire->path.offset, wire->path.size);
    csn_sha256_final(&hash, digest);
    return csn_load_u64(digest);
}

static csn_err build_encrypt(struct tok_field *field, const struct tok_source *source,
                             const struct csn_wire_field *wire)
{
    const struct cse_grant_view *grant = source->grant;
    for (uint32_t i = 0; i < grant->consumer_count; i++) {
        const struct csn_wire_consumer *consumer = &grant->consumers[i];
        if (wire->consumer.size < sizeof consumer->name &&
            memcmp(consumer->name, source->text + wire->consumer.offset, wire->consumer.size) ==
                0 &&
            consumer->name[wire->consumer.size] == 0) {
            field->consumer = i;
            field->place = place_of(source, wire);
            field->opens = !csn_is_zero_ct(consumer->secret_key, sizeof consumer->secret_key);
            return CSN_OK;
        }
    }
    return CSN_ERR_POLICY;
}

static csn_err build_shift(struct tok_state *state, struct tok_field *field,
                           const struct tok_source *source, const struct csn_wire_field *wire)
{
    if (wire->days < 180 || wire->days > 3650 || wire->subject_count < 1 ||
        wire->subject_count > CSN_WIRE_POLICY_PATH_STEPS ||
        (uint32_t)wire->subject_first + wire->subject_count > source->head.step_count) {
        return CSN_ERR_POLICY;
    }
    field->subject_count = wire->subject_count;
    for (uint32_t i = 0; i < wire->subject_count; i++) {
        const struct csn_wire_step *step = &source->steps[wire->subject_first + i];
        if (step->kind != CSN_WIRE_STEP_NAME) {
            return CSN_ERR_POLICY;
        }
        field->subject[i] = (struct tok_name){step->name.offset, step->name.size};
        field->subject_hash[i] =
            csn_json_hash(state->seed, state->text + step->name.offset, step->name.size);
    }
    return mac_key(source, wire->domain, TOK_USE_SHIFT, &field->mac);
}

static csn_err build_detect(struct tok_field *field, const struct tok_source *source,
                            const struct csn_wire_field *wire)
{
    if (wire->kinds == 0 || (wire->kinds & ~CSN_WIRE_DETECT_ALL) != 0) {
        return CSN_ERR_POLICY;
    }
    if (wire->then == CSN_WIRE_ACTION_TOKEN) {
        return mac_key(source, wire->domain, TOK_USE_TOKEN, &field->mac);
    }
    bool known = wire->then == CSN_WIRE_ACTION_REDACT || wire->then == CSN_WIRE_ACTION_MASK;
    return known ? CSN_OK : CSN_ERR_POLICY;
}

/* Whether the settings that the action does not use are zero, so that nothing is ignored. */
static bool unused_are_zero(const struct csn_wire_field *wire)
{
    uint8_t action = wire->action;
    bool fpe = action == CSN_WIRE_ACTION_FPE;
    bool token = action == CSN_WIRE_ACTION_TOKEN;
    bool mask = action == CSN_WIRE_ACTION_MASK;
    bool detect = action == CSN_WIRE_ACTION_DETECT;
    bool shift = action == CSN_WIRE_ACTION_SHIFT;
    bool keyed = fpe || token || shift || action == CSN_WIRE_ACTION_HASH ||
                 (detect && wire->then == CSN_WIRE_ACTION_TOKEN);
    bool kept = wire->keep_first == 0 && wire->keep_last == 0;
    return (keyed || wire->domain == CSN_WIRE_DOMAIN_NONE) && (fpe || token || mask || kept) &&
           (fpe || (wire->short_action == 0 && wire->luhn == 0 && wire->alphabet.size == 0 &&
                    wire->tweak.size == 0)) &&
           (detect || (wire->then == 0 && wire->kinds == 0)) &&
           (mask ? wire->with >= 0x20 && wire->with <= 0x7e : wire->with == 0) &&
           (token || (wire->token_size == 0 && wire->prefix.size == 0)) &&
           (shift || (wire->days == 0 && wire->subject_first == 0 && wire->subject_count == 0)) &&
           (action == CSN_WIRE_ACTION_ENCRYPT || wire->consumer.size == 0) && wire->reserved == 0;
}

static bool spans_fit(const struct tok_source *source, const struct csn_wire_field *wire)
{
    return tok_span_fits(source, &wire->path, 1, CSN_WIRE_POLICY_PATH_SIZE) &&
           tok_span_fits(source, &wire->prefix, 0, TOK_PREFIX_SIZE) &&
           tok_span_fits(source, &wire->alphabet, 0, CSN_WIRE_POLICY_ALPHABET_MAX) &&
           tok_span_fits(source, &wire->tweak, 0, CSN_WIRE_POLICY_TWEAK_SIZE) &&
           tok_span_fits(source, &wire->consumer, 0, 31);
}

csn_err tok_build_field(struct tok_state *state, const struct tok_source *source, uint32_t index)
{
    const struct csn_wire_field *wire = &source->fields[index];
    struct tok_field *field = &state->fields[index];
    if (!spans_fit(source, wire) || !unused_are_zero(wire) ||
        (wire->domain != CSN_WIRE_DOMAIN_NONE && wire->domain >= source->head.domain_count)) {
        return CSN_ERR_POLICY;
    }
    field->action = wire->action;
    field->short_action = wire->short_action;
    field->then = wire->then;
    field->kinds = wire->kinds;
    field->luhn = wire->luhn;
    field->keep_first = wire->keep_first;
    field->keep_last = wire->keep_last;
    field->with = wire->with;
    field->token_size = wire->token_size;
    field->days = wire->days;
    bool no_domain = wire->domain == CSN_WIRE_DOMAIN_NONE;
    switch (wire->action) {
    case CSN_WIRE_ACTION_DROP:
    case CSN_WIRE_ACTION_REDACT:
    case CSN_WIRE_ACTION_KEEP:
    case CSN_WIRE_ACTION_MASK:
        return CSN_OK;
    case CSN_WIRE_ACTION_TOKEN:
        return no_domain ? CSN_ERR_POLICY : build_token(field, source, wire);
    case CSN_WIRE_ACTION_HASH:
        return no_domain ? CSN_ERR_POLICY
                         : mac_key(source, wire->domain, TOK_USE_HASH, &field->mac);
    case CSN_WIRE_ACTION_FPE:
        return no_domain ? CSN_ERR_POLICY : build_fpe(field, source, wire);
    case CSN_WIRE_ACTION_ENCRYPT:
        return build_encrypt(field, source, wire);
    case CSN_WIRE_ACTION_SHIFT:
        return no_domain ? CSN_ERR_POLICY : build_shift(state, field, source, wire);
    case CSN_WIRE_ACTION_DETECT:
        return no_domain && wire->then == CSN_WIRE_ACTION_TOKEN ? CSN_ERR_POLICY
                                                                : build_detect(field, source, wire);
    default:
        return CSN_ERR_POLICY;
    }
}
