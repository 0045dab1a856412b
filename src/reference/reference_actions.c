/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reference_actions.c: what is made of one value (docs/TOKENIZE.md section 3).
 */
#include "reference/reference_parts.h"

#include <string.h>

#define SYMBOL_COUNT_MAX 256u
#define DOMAIN_SIZE_MIN  1000000u

void csr_put_redacted(struct csr_policy *policy)
{
    csr_bytes_put_text(&policy->output, "\"[redacted]\"");
}

static void put_work(struct csr_policy *policy)
{
    csr_json_encode(&policy->output, policy->work.data, policy->work.size);
}

static const uint8_t *source_of(const struct csr_policy *policy, const struct csr_value *value)
{
    return policy->json.text + value->begin;
}

static void put_source(struct csr_policy *policy, const struct csr_value *value)
{
    csr_bytes_put(&policy->output, source_of(policy, value), value->end - value->begin);
}

static void decode_value(const struct csr_policy *policy, const struct csr_value *value,
                         struct csr_bytes *target)
{
    size_t fault = 0;
    if (value->kind == CSR_STRING) {
        csr_json_decode(policy->json.text, policy->json.size, value->begin, target, &fault);
    } else {
        csr_bytes_put(target, source_of(policy, value), value->end - value->begin);
    }
}

static void store_le32(uint8_t bytes[4], size_t value)
{
    for (unsigned index = 0; index < 4; index++) {
        bytes[index] = (uint8_t)(value >> (8 * index));
    }
}

/* HMAC over LP(typed value), and LE32(counter) where there is one. */
static void typed_mac(struct csr_policy *policy, const uint8_t key[32], char type,
                      const struct csr_bytes *value, uint8_t mac[32])
{
    uint8_t size[4];
    store_le32(size, value->size + 1);
    struct csr_span spans[3] = {{size, 4}, {&type, 1}, {value->data, value->size}};
    if (!csr_hmac(&policy->hash, key, spans, 3, mac)) {
        policy->status = CSN_WIRE_STATUS_INTERNAL;
    }
}

static char type_of(const struct csr_value *value)
{
    return value->kind == CSR_STRING ? 's' : 'n';
}

/* ---- token and hash ---- */
static void put_base32(struct csr_bytes *target, const uint8_t *data, size_t size)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    size_t bits = size * 8;
    for (size_t bit = 0; bit < bits; bit += 5) {
        unsigned symbol = 0;
        for (size_t index = bit; index < bit + 5; index++) {
            unsigned one = index < bits ? data[index / 8] >> (7 - index % 8) & 1u : 0;
            symbol = symbol << 1 | one;
        }
        csr_bytes_put(target, &digits[symbol], 1);
    }
}

struct token_form {
    const char *prefix;
    uint32_t bits;
    uint32_t keep_first;
    uint32_t keep_last;
};

static void put_token(struct csr_policy *policy, const uint8_t key[32], char type,
                      const struct csr_bytes *value, const struct token_form *form)
{
    uint8_t mac[32];
    char kept[64];
    size_t count = 0;
    char last[9];
    size_t last_size = 0;
    for (size_t index = 0; index < value->size; index++) {
        uint8_t byte = value->data[index];
        if ((byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
            (byte >= 'a' && byte <= 'z')) {
            if (count < form->keep_first) {
                kept[count] = (char)byte;
            }
            if (last_size == form->keep_last && last_size > 0) {
                memmove(last, last + 1, --last_size);
            }
            if (form->keep_last > 0) {
                last[last_size++] = (char)byte;
            }
            count++;
        }
    }
    bool keeps = count >= (size_t)form->keep_first + form->keep_last + 4;
    typed_mac(policy, key, type, value, mac);
    csr_bytes_put_text(&policy->work, form->prefix);
    csr_bytes_put_text(&policy->work, "_");
    if (keeps && form->keep_first > 0) {
        csr_bytes_put(&policy->work, kept, form->keep_first);
        csr_bytes_put_text(&policy->work, "_");
    }
    put_base32(&policy->work, mac, form->bits / 8);
    if (keeps && form->keep_last > 0) {
        csr_bytes_put_text(&policy->work, "_");
        csr_bytes_put(&policy->work, last, form->keep_last);
    }
}

static void put_hash(struct csr_policy *policy, const struct csr_field *field, char type)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t mac[32];
    typed_mac(policy, field->hash_key, type, &policy->scratch, mac);
    for (size_t index = 0; index < sizeof mac; index++) {
        csr_bytes_put(&policy->work, &digits[mac[index] >> 4], 1);
        csr_bytes_put(&policy->work, &digits[mac[index] & 15], 1);
    }
}

/* ---- mask ---- */
static void put_mask(struct csr_policy *policy, size_t keep_first, size_t keep_last, char with)
{
    const struct csr_bytes *value = &policy->scratch;
    size_t points = 0;
    for (size_t index = 0; index < value->size; index++) {
        points += (value->data[index] & 0xc0) != 0x80;
    }
    if (keep_first + keep_last >= points) {
        keep_first = keep_last = 0;
    }
    size_t point = 0;
    for (size_t index = 0; index < value->size; index++) {
        bool begins = (value->data[index] & 0xc0) != 0x80;
        point += begins;
        /* point is 1 for the first code point */
        if (point <= keep_first || point > points - keep_last) {
            csr_bytes_put(&policy->work, &value->data[index], 1);
        } else if (begins) {
            csr_bytes_put(&policy->work, &with, 1);
        }
    }
}

/* ---- fpe ---- */
struct symbols {
    uint16_t numeral[SYMBOL_COUNT_MAX];
    size_t offset[SYMBOL_COUNT_MAX]; /* in the value */
    size_t count;
};

static bool read_symbols(const struct csr_bytes *value, const struct csr_field *field,
                         struct symbols *symbols)
{
    symbols->count = 0;
    for (size_t index = 0; index < value->size; index++) {
        uint8_t byte = value->data[index];
        const char *found = byte == 0 ? NULL : strchr(field->alphabet, byte);
        if (found == NULL) {
            if (byte == 0 || strchr(" -./()+", byte) == NULL) {
                return false;
            }
            continue;
        }
        if (symbols->count == SYMBOL_COUNT_MAX) {
            return false;
        }
        symbols->offset[symbols->count] = index;
        symbols->numeral[symbols->count++] = (uint16_t)(found - field->alphabet);
    }
    return true;
}

static bool domain_is_large(uint32_t radix, size_t count)
{
    uint64_t domain = 1;
    for (size_t index = 0; index < count && domain < DOMAIN_SIZE_MIN; index++) {
        domain *= radix;
    }
    return domain >= DOMAIN_SIZE_MIN;
}

static bool luhn_of(const struct symbols *symbols)
{
    uint8_t digits[SYMBOL_COUNT_MAX];
    for (size_t index = 0; index < symbols->count; index++) {
        digits[index] = (uint8_t)symbols->numeral[index];
    }
    return csr_luhn_valid(digits, symbols->count);
}

static void hash_sized(EVP_MD_CTX *context, const void *data, size_t size)
{
    uint8_t prefix[4];
    store_le32(prefix, size);
    EVP_DigestUpdate(context, prefix, 4);
    EVP_DigestUpdate(context, data, size);
}

static bool fpe_tweak(const struct csr_policy *policy, const struct csr_field *field,
                      const struct symbols *symbols, uint8_t tweak[8])
{
    uint8_t first[SYMBOL_COUNT_MAX];
    uint8_t last[SYMBOL_COUNT_MAX];
    uint8_t digest[32];
    for (size_t index = 0; index < field->keep_first; index++) {
        first[index] = (uint8_t)field->alphabet[symbols->numeral[index]];
    }
    for (size_t index = 0; index < field->keep_last; index++) {
        size_t at = symbols->count - field->keep_last + index;
        last[index] = (uint8_t)field->alphabet[symbols->numeral[at]];
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(context);
        return false;
    }
    EVP_DigestUpdate(context, "caisson-fpe-v1", 14);
    EVP_DigestUpdate(context, policy->tenant_id, 32);
    hash_sized(context, field->path.data, field->path.size);
    hash_sized(context, field->tweak.data, field->tweak.size);
    hash_sized(context, first, field->keep_first);
    hash_sized(context, last, field->keep_last);
    bool done = EVP_DigestFinal_ex(context, digest, NULL) == 1;
    EVP_MD_CTX_free(context);
    memcpy(tweak, digest, 8);
    return done;
}

bool csr_fpe(struct csr_policy *policy, const struct csr_field *field, bool encrypt)
{
    struct symbols symbols;
    uint8_t tweak[8];
    size_t kept = (size_t)field->keep_first + field->keep_last;
    if (!read_symbols(&policy->scratch, field, &symbols) || symbols.count < kept + 1) {
        return false;
    }
    size_t middle = symbols.count - kept;
    size_t free_count = field->luhn ? middle - 1 : middle;
    if ((field->luhn && !luhn_of(&symbols)) || !domain_is_large(field->radix, free_count)) {
        return false;
    }
    if (!fpe_tweak(policy, field, &symbols, tweak) ||
        !csr_ff1_run(&field->ff1, CSR_FF1_AUTO, encrypt, tweak, sizeof tweak, field->radix,
                     symbols.numeral + field->keep_first, free_count)) {
        policy->status = CSN_WIRE_STATUS_INTERNAL;
        return false;
    }
    if (field->luhn) {
        uint16_t *check = &symbols.numeral[field->keep_first + free_count];
        for (*check = 0; *check < 9 && !luhn_of(&symbols);) {
            ++*check;
        }
    }
    csr_bytes_put(&policy->work, policy->scratch.data, policy->scratch.size);
    for (size_t index = 0; index < symbols.count && !policy->work.failed; index++) {
        policy->work.data[symbols.offset[index]] = (uint8_t)field->alphabet[symbols.numeral[index]];
    }
    return true;
}

/* A value that is unfit for fpe: what `short` says. False = drop. */
static bool apply_unfit(struct csr_policy *policy, const struct csr_field *field, char type)
{
    static const struct token_form form = {.prefix = "tok", .bits = 96};
    if (field->unfit == CSR_DROP) {
        return false;
    }
    if (field->unfit == CSR_TOKEN) {
        put_token(policy, field->token_key, type, &policy->scratch, &form);
        put_work(policy);
    } else if (field->unfit == CSR_MASK) {
        put_mask(policy, 0, 0, '*');
        put_work(policy);
    } else {
        csr_put_redacted(policy);
    }
    return true;
}

/* ---- detect ---- */
static void put_canonical(struct csr_bytes *target, const uint8_t *match, size_t size, bool whole)
{
    for (size_t index = 0; index < size; index++) {
        uint8_t byte = match[index];
        if (byte >= 'A' && byte <= 'Z') {
            byte = (uint8_t)(byte - 'A' + 'a');
        }
        if (whole || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z')) {
            csr_bytes_put(target, &byte, 1);
        }
    }
}

static void put_match(struct csr_policy *policy, const struct csr_field *field,
                      enum csr_match_kind kind, const uint8_t *match, size_t size)
{
    if (field->then == CSR_TOKEN) {
        struct csr_bytes canonical = {0};
        struct token_form form = {.prefix = csr_match_names[kind], .bits = 96};
        put_canonical(&canonical, match, size, kind == CSR_MATCH_EMAIL);
        put_token(policy, field->token_key, 's', &canonical, &form);
        csr_bytes_free(&canonical);
    } else if (field->then == CSR_MASK) {
        for (size_t index = 0; index < size; index++) {
            uint8_t low = match[index] | 0x20;
            bool plain = (match[index] >= '0' && match[index] <= '9') || (low >= 'a' && low <= 'z');
            csr_bytes_put(&policy->work, plain ? (const uint8_t *)"*" : match + index, 1);
        }
    } else {
        csr_bytes_put_text(&policy->work, "[");
        csr_bytes_put_text(&policy->work, csr_match_names[kind]);
        csr_bytes_put_text(&policy->work, "]");
    }
}

static void apply_detect(struct csr_policy *policy, const struct csr_field *field,
                         const struct csr_value *value)
{
    const struct csr_bytes *text = &policy->scratch;
    bool found = false;
    policy->scratch.size = 0;
    policy->work.size = 0;
    decode_value(policy, value, &policy->scratch);
    for (size_t p = 0; p < text->size;) {
        enum csr_match_kind kind = CSR_MATCH_CARD;
        size_t size = csr_match(text->data, text->size, p, field->kinds, &kind);
        if (size == 0) {
            csr_bytes_put(&policy->work, text->data + p++, 1);
            continue;
        }
        found = true;
        put_match(policy, field, kind, text->data + p, size);
        p += size;
    }
    if (found) {
        put_work(policy);
    } else {
        put_source(policy, value);
    }
}

static void apply_detect_array(struct csr_policy *policy, const struct csr_field *field,
                               const struct csr_value *array)
{
    const uint8_t *text = policy->json.text;
    uint32_t tail = array->begin + 1;
    csr_bytes_put_text(&policy->output, "[");
    for (int32_t index = array->first_child; index >= 0;) {
        const struct csr_value *element = &policy->json.values[index];
        if (index != array->first_child) {
            csr_bytes_put_text(&policy->output, ",");
        }
        csr_bytes_put(&policy->output, text + element->item, element->begin - element->item);
        if (element->kind == CSR_STRING) {
            apply_detect(policy, field, element);
        } else {
            csr_put_redacted(policy);
        }
        tail = element->end;
        index = element->next;
    }
    csr_bytes_put(&policy->output, text + tail, array->end - tail);
}

/* ---- encrypt: a placeholder that cannot be in a real output (a raw control byte) ---- */
static void put_placeholder(struct csr_policy *policy, const struct csr_value *value)
{
    csr_bytes_put_text(&policy->output, "\"enc_\x01");
    for (uint32_t offset = value->begin; offset < value->end; offset++) {
        static const char digits[] = "0123456789abcdef";
        uint8_t byte = policy->json.text[offset];
        csr_bytes_put(&policy->output, &digits[byte >> 4], 1);
        csr_bytes_put(&policy->output, &digits[byte & 15], 1);
    }
    csr_bytes_put_text(&policy->output, "\"");
}

/* ---- all of them ---- */
static bool apply_scalar(struct csr_policy *policy, const struct csr_field *field,
                         const struct csr_value *top, const struct csr_value *value)
{
    struct token_form form = {field->prefix, field->bits, field->keep_first, field->keep_last};
    bool text = value->kind == CSR_STRING || value->kind == CSR_NUMBER;
    policy->scratch.size = 0;
    policy->work.size = 0;
    decode_value(policy, value, &policy->scratch);
    if (field->action == CSR_TOKEN) {
        put_token(policy, field->token_key, type_of(value), &policy->scratch, &form);
    } else if (field->action == CSR_HASH) {
        put_hash(policy, field, type_of(value));
    } else if (field->action == CSR_MASK && text) {
        put_mask(policy, field->keep_first, field->keep_last, field->with);
    } else if (field->action == CSR_FPE && text) {
        if (!csr_fpe(policy, field, true)) {
            return apply_unfit(policy, field, type_of(value));
        }
    } else if (field->action != CSR_SHIFT || value->kind != CSR_STRING ||
               !csr_shift(policy, field, top)) {
        csr_put_redacted(policy);
        return true;
    }
    put_work(policy);
    return true;
}

bool csr_apply(struct csr_policy *policy, const struct csr_field *field,
               const struct csr_value *top, const struct csr_value *value)
{
    bool container = value->kind == CSR_OBJECT || value->kind == CSR_ARRAY;
    if (field->action == CSR_DROP) {
        return false;
    }
    if (field->action == CSR_REDACT) {
        csr_put_redacted(policy);
    } else if (field->action == CSR_KEEP || value->kind == CSR_NULL) {
        put_source(policy, value);
    } else if (field->action == CSR_ENCRYPT) {
        put_placeholder(policy, value);
    } else if (field->action == CSR_DETECT && value->kind == CSR_ARRAY) {
        apply_detect_array(policy, field, value);
    } else if (container || (field->action == CSR_DETECT && value->kind == CSR_BOOLEAN)) {
        csr_put_redacted(policy);
    } else if (field->action == CSR_DETECT) {
        apply_detect(policy, field, value);
    } else {
        return apply_scalar(policy, field, top, value);
    }
    return true;
}

bool csr_apply_reveal(struct csr_policy *policy, const struct csr_field *field,
                      const struct csr_value *value)
{
    char plain[65536];
    size_t plain_size = 0;
    policy->scratch.size = 0;
    policy->work.size = 0;
    if (value->kind == CSR_NULL) {
        put_source(policy, value);
        return true;
    }
    decode_value(policy, value, &policy->scratch);
    if (field->action == CSR_FPE) {
        bool text = value->kind == CSR_STRING || value->kind == CSR_NUMBER;
        if (text && csr_fpe(policy, field, false)) {
            put_work(policy);
        } else {
            csr_put_redacted(policy);
        }
        return true;
    }
    if (value->kind != CSR_STRING || policy->opener == NULL ||
        !policy->opener->open(policy->opener->context, (const char *)policy->scratch.data,
                              policy->scratch.size, plain, sizeof plain, &plain_size)) {
        policy->status = CSN_WIRE_STATUS_NOT_FOUND;
        return true;
    }
    csr_bytes_put(&policy->output, plain, plain_size);
    return true;
}
