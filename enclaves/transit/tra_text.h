/* SPDX-License-Identifier: Apache-2.0 */
/* tra_text.h: requests and answers in JSON: base64, members, and a writer. */
#ifndef TRA_TEXT_H
#define TRA_TEXT_H

#include "tra_state.h"
#include "json/json.h"

/* ---- tra_base64.c: url: the other alphabet, and no padding ---- */
uint32_t tra_base64_size(uint32_t size, bool url);
void tra_base64_encode(const uint8_t *bytes, uint32_t size, bool url, uint8_t *text);
/* bytes: room for size / 4 * 3 + 2. Strict: the one text that there is for those bytes. */
bool tra_base64_decode(const uint8_t *text, uint32_t size, bool url, uint8_t *bytes,
                       uint32_t *bytes_size);

/* ---- tra_write.c: an answer, until it is full ---- */
struct tra_writer {
    uint8_t *bytes;
    uint32_t max;
    uint32_t size;
    bool full;
    bool first; /* no comma before the next member */
};
void tra_put(struct tra_writer *writer, const char *text);
void tra_put_open(struct tra_writer *writer, const char *bracket);
void tra_put_close(struct tra_writer *writer, const char *bracket);
/* "name":  with a comma before it where one is needed. */
void tra_put_name(struct tra_writer *writer, const char *name);
void tra_put_comma(struct tra_writer *writer);
void tra_put_number(struct tra_writer *writer, uint64_t number);
void tra_put_string(struct tra_writer *writer, const char *name, const char *text);
/* Printable bytes, with escapes where JSON needs them. */
void tra_put_bytes(struct tra_writer *writer, const char *name, const uint8_t *bytes,
                   uint32_t size);
void tra_put_hex(struct tra_writer *writer, const char *name, const uint8_t *bytes, uint32_t size);
void tra_put_base64(struct tra_writer *writer, const char *name, const uint8_t *bytes,
                    uint32_t size);
/* "caisson:vVERSION:BASE64" */
void tra_put_marked(struct tra_writer *writer, const char *name, uint32_t version,
                    const uint8_t *bytes, uint32_t size, bool url);
const char *tra_status_name(cse_status status);

/* ---- tra_read.c: a request ---- */
enum tra_member {
    TRA_MEMBER_KEY,
    TRA_MEMBER_BATCH,
    TRA_MEMBER_VERSION,
    TRA_MEMBER_PLAINTEXT,
    TRA_MEMBER_CIPHERTEXT,
    TRA_MEMBER_ASSOCIATED,
    TRA_MEMBER_CONTEXT,
    TRA_MEMBER_INPUT,
    TRA_MEMBER_SIGNATURE,
    TRA_MEMBER_HMAC,
    TRA_MEMBER_HASH,
    TRA_MEMBER_PREHASHED,
    TRA_MEMBER_MARSHALING,
    TRA_MEMBER_SIZE,
    TRA_MEMBER_PUBLIC_KEY,
    TRA_MEMBER_INFO,
    TRA_MEMBER_KDF,
    TRA_MEMBER_WRAPPED,
    TRA_MEMBER_VALUE,
    TRA_MEMBER_TWEAK,
    TRA_MEMBER_ALPHABET,
    TRA_MEMBER_TYPE,
    TRA_MEMBER_OPERATIONS,
    TRA_MEMBER_DERIVED,
    TRA_MEMBER_DELETABLE,
    TRA_MEMBER_PURPOSES,
    TRA_MEMBER_MAX_USES,
    TRA_MEMBER_MIN_VERSION,
    TRA_MEMBER_TRIM,
    TRA_MEMBER_SEALED,
    TRA_MEMBER_AFTER,
    TRA_MEMBER_COUNT,
};
#define TRA_HAS(member) (UINT32_C(1) << TRA_MEMBER_##member)

struct tra_request {
    struct cse_call *call;
    const uint8_t *text;
    uint32_t size;
    struct csn_json_node *nodes;
    uint32_t node_count;
};
/* Members of one object: index of the node, 0: not there. */
struct tra_members {
    uint32_t at[TRA_MEMBER_COUNT];
};
/* Scans the content (nothing at all counts as {}), which must be an object. */
cse_status tra_read(struct tra_request *request, struct cse_call *call, uint64_t seed,
                    const uint8_t *text, uint32_t size);
/*
 * Members of the object at a node. False: one that is not among those wanted, or is there twice;
 * the place is told to the call.
 */
bool tra_read_members(const struct tra_request *request, uint32_t object, uint32_t wanted,
                      struct tra_members *members);
/* Each is true, and changes nothing, where the member is not there; false: not of that kind. */
bool tra_read_number(const struct tra_request *request, uint32_t node, uint64_t *number);
bool tra_read_flag(const struct tra_request *request, uint32_t node, bool *flag);
/* The bytes of a string: in the text, or (with escapes) in the scratch. */
bool tra_read_text(const struct tra_request *request, uint32_t node, const uint8_t **bytes,
                   uint32_t *size);
bool tra_read_base64(const struct tra_request *request, uint32_t node, const uint8_t **bytes,
                     uint32_t *size);
/* The same behind "caisson:vN:", N into *version, or bare. */
bool tra_read_marked(const struct tra_request *request, uint32_t node, bool url,
                     const uint8_t **bytes, uint32_t *size, uint32_t *version);
bool tra_read_is(const struct tra_request *request, uint32_t node, const char *text);

/* ---- tra_api_use.c, tra_api_keys.c ---- */
cse_status tra_api_use(struct tra_work *work, const struct tra_request *request,
                       struct tra_writer *writer);
cse_status tra_api_keys(struct tra_work *work, const struct tra_request *request,
                        struct tra_writer *writer);
/* The key that a request is about, by its path or by the member `key`. False: none, or two. */
bool tra_api_name(const struct tra_request *request, const struct tra_members *members,
                  const char **name, uint32_t *size);

#endif
