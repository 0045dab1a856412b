/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reference_parts.h: what the files of the reference share. Not for other folders.
 */
#ifndef CSR_REFERENCE_PARTS_H
#define CSR_REFERENCE_PARTS_H

#include "reference/reference.h"

#include <openssl/evp.h>

#define CSR_FIELD_COUNT_MAX 64u
#define CSR_DEPTH_MAX       64u

/* ---- bytes that grow ---- */
struct csr_bytes {
    uint8_t *data;
    size_t size;
    size_t capacity;
    bool failed; /* out of memory at some point: the content is not to be used */
};
void csr_bytes_put(struct csr_bytes *bytes, const void *data, size_t size);
void csr_bytes_put_text(struct csr_bytes *bytes, const char *text);
void csr_bytes_free(struct csr_bytes *bytes);

/* ---- JSON: a tree of spans over the source text ---- */
enum csr_kind {
    CSR_NULL,
    CSR_BOOLEAN,
    CSR_NUMBER,
    CSR_STRING,
    CSR_ARRAY,
    CSR_OBJECT,
};

struct csr_value {
    enum csr_kind kind;
    uint32_t item;      /* offset just after the `{`, `[` or `,` before this member or element */
    uint32_t begin;     /* of the value */
    uint32_t end;       /* just after the value */
    uint32_t name;      /* offset of the decoded name in csr_json.names */
    uint32_t name_size; /* bytes */
    uint32_t name_hash;
    int32_t first_child; /* index, -1 = none */
    int32_t next;        /* index of the next sibling, -1 = none */
};

struct csr_json {
    const uint8_t *text;
    size_t size;
    size_t offset; /* where reading stands; at a fault, where it is */
    enum csn_wire_status status;
    struct csr_value *values;
    uint32_t value_count;
    uint32_t value_capacity;
    struct csr_bytes names;
};

/* Reads one JSON text at json->offset (white space before it allowed); -1 at a fault. */
int32_t csr_json_read(struct csr_json *json);
/* Skips white space; true if a line feed was in it. */
bool csr_json_skip(struct csr_json *json);
/* Appends the decoded bytes of the string at begin (its quote); returns the offset after it, or
 * 0 at a fault with *fault the offset of it. */
size_t csr_json_decode(const uint8_t *text, size_t size, size_t begin, struct csr_bytes *target,
                       size_t *fault);
/* Appends a JSON string with the escapes of TOKENIZE.md section 3. */
void csr_json_encode(struct csr_bytes *target, const uint8_t *text, size_t size);

/* ---- cryptography by OpenSSL ---- */
struct csr_hash {
    EVP_MAC *mac;
    EVP_MAC_CTX *context;
};
struct csr_span {
    const void *data;
    size_t size;
};
bool csr_hash_init(struct csr_hash *hash);
void csr_hash_free(struct csr_hash *hash);
bool csr_hmac(struct csr_hash *hash, const uint8_t key[32], const struct csr_span *spans,
              size_t span_count, uint8_t mac[32]);
bool csr_hkdf(const uint8_t salt[32], const uint8_t secret[32], const void *info, size_t info_size,
              uint8_t key[32]);

struct csr_ff1 {
    EVP_CIPHER_CTX *block; /* AES in ECB mode, no padding */
};
enum csr_ff1_path {
    CSR_FF1_BIGNUM, /* the text of SP 800-38G, word for word, with BIGNUM */
    CSR_FF1_AUTO,   /* 128-bit integers where they are enough */
};
bool csr_ff1_init(struct csr_ff1 *ff1, const uint8_t *key, size_t key_size);
void csr_ff1_free(struct csr_ff1 *ff1);
/* symbols: count numerals below radix, replaced in place. False: parameters or OpenSSL failed. */
bool csr_ff1_run(const struct csr_ff1 *ff1, enum csr_ff1_path path, bool encrypt,
                 const uint8_t *tweak, size_t tweak_size, uint32_t radix, uint16_t *symbols,
                 size_t count);

/* ---- detection (TOKENIZE.md section 4) ---- */
enum csr_match_kind {
    CSR_MATCH_EMAIL,
    CSR_MATCH_IBAN,
    CSR_MATCH_CARD,
    CSR_MATCH_ID,
    CSR_MATCH_PHONE,
    CSR_MATCH_COUNT,
};
extern const char *const csr_match_names[CSR_MATCH_COUNT];
/* Size of the match at position, 0 = none; kinds is a mask of 1 << enum csr_match_kind. */
size_t csr_match(const uint8_t *text, size_t size, size_t position, uint32_t kinds,
                 enum csr_match_kind *kind);
bool csr_luhn_valid(const uint8_t *digits, size_t count);

/* ---- the policy ---- */
enum csr_action {
    CSR_KEEP,
    CSR_DROP,
    CSR_REDACT,
    CSR_MASK,
    CSR_TOKEN,
    CSR_HASH,
    CSR_FPE,
    CSR_ENCRYPT,
    CSR_SHIFT,
    CSR_DETECT,
};

struct csr_node {
    struct csr_bytes name;
    bool every; /* the `[*]` child */
    int field;  /* -1 = leads to fields below */
    struct csr_node *child;
    struct csr_node *next;
};

struct csr_field {
    enum csr_action action;
    struct csr_bytes path; /* as written */
    uint32_t keep_first;
    uint32_t keep_last;
    char with;
    char prefix[17];
    uint32_t bits;
    char alphabet[96];
    uint32_t radix;
    bool luhn;
    struct csr_bytes tweak;
    enum csr_action unfit; /* what `short` says */
    uint32_t days;
    struct csr_node *subject; /* a chain through ->child */
    uint32_t kinds;
    enum csr_action then;
    uint8_t fpe_key[32];
    uint8_t token_key[32];
    uint8_t hash_key[32];
    uint8_t shift_key[32];
    struct csr_ff1 ff1;
};

struct csr_policy {
    uint8_t tenant_id[32];
    enum csr_action otherwise; /* the default */
    struct csr_field fields[CSR_FIELD_COUNT_MAX];
    uint32_t field_count;
    struct csr_node root;
    struct csr_hash hash;
    struct csr_json json;
    struct csr_bytes output;
    struct csr_bytes scratch; /* decoded value of the current field */
    struct csr_bytes subject; /* typed subject value */
    struct csr_bytes work;    /* what is made of a value, before it is escaped */
    bool reveal;              /* operation 2 */
    uint64_t field_mask;
    const struct csr_opener *opener;
    enum csn_wire_status status;
};

/*
 * Applies a field to a value and appends the result to policy->output; top is the JSON text's root
 * value. False: the member or element is to be dropped, and nothing was appended.
 */
bool csr_apply(struct csr_policy *policy, const struct csr_field *field,
               const struct csr_value *top, const struct csr_value *value);
/* The inverse of an fpe field, for operation 2; the same contract. */
bool csr_apply_reveal(struct csr_policy *policy, const struct csr_field *field,
                      const struct csr_value *value);
void csr_put_redacted(struct csr_policy *policy);
/* Transforms scratch (the value bytes) in place of a fit value into work; false = unfit. */
bool csr_fpe(struct csr_policy *policy, const struct csr_field *field, bool encrypt);
bool csr_shift(struct csr_policy *policy, const struct csr_field *field,
               const struct csr_value *top);

#endif
