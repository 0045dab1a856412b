/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tra_api_use.c: using keys, in JSON: one item, or a batch of them, into items of tra_work() and
 * back.
 */
#include "crypto/ecdsa.h"
#include "tra_text.h"

enum marshaling {
    MARSHAL_ASN1,
    MARSHAL_RAW,
    MARSHAL_JWS,
};

struct api {
    struct tra_work *work;
    const struct tra_request *request;
    struct tra_writer *writer;
    uint32_t item_members;
    enum marshaling marshaling;
    const uint8_t *alphabet;
    uint32_t alphabet_size;
    bool batch;
};

#define SEALED (TRA_HAS(ASSOCIATED) | TRA_HAS(CONTEXT))
#define HASHED (TRA_HAS(HASH) | TRA_HAS(PREHASHED) | TRA_HAS(MARSHALING))

/* Members of an item, and of the request beside them. */
static const uint32_t forms[CSN_WIRE_TRANSIT_RANDOM + 1][2] = {
    [CSN_WIRE_TRANSIT_ENCRYPT] = {TRA_HAS(PLAINTEXT) | TRA_HAS(VERSION) | SEALED, 0},
    [CSN_WIRE_TRANSIT_DECRYPT] = {TRA_HAS(CIPHERTEXT) | SEALED, 0},
    [CSN_WIRE_TRANSIT_REWRAP] = {TRA_HAS(CIPHERTEXT) | SEALED, 0},
    [CSN_WIRE_TRANSIT_SIGN] = {TRA_HAS(INPUT) | TRA_HAS(VERSION), HASHED},
    [CSN_WIRE_TRANSIT_VERIFY] = {TRA_HAS(INPUT) | TRA_HAS(SIGNATURE) | TRA_HAS(HMAC) |
                                     TRA_HAS(CONTEXT) | TRA_HAS(VERSION),
                                 HASHED},
    [CSN_WIRE_TRANSIT_MAC] = {TRA_HAS(INPUT) | TRA_HAS(CONTEXT) | TRA_HAS(VERSION), TRA_HAS(HASH)},
    [CSN_WIRE_TRANSIT_DERIVE] = {TRA_HAS(CONTEXT) | TRA_HAS(VERSION), TRA_HAS(SIZE)},
    [CSN_WIRE_TRANSIT_AGREE] = {TRA_HAS(PUBLIC_KEY) | TRA_HAS(INFO) | TRA_HAS(VERSION),
                                TRA_HAS(SIZE) | TRA_HAS(KDF)},
    [CSN_WIRE_TRANSIT_ENCAPSULATE] = {TRA_HAS(VERSION), 0},
    [CSN_WIRE_TRANSIT_DECAPSULATE] = {TRA_HAS(CIPHERTEXT) | TRA_HAS(VERSION), 0},
    [CSN_WIRE_TRANSIT_DATAKEY] = {SEALED | TRA_HAS(VERSION), TRA_HAS(SIZE) | TRA_HAS(WRAPPED)},
    [CSN_WIRE_TRANSIT_DATAKEY_OPEN] = {TRA_HAS(CIPHERTEXT) | SEALED, 0},
    [CSN_WIRE_TRANSIT_FPE_ENCRYPT] = {TRA_HAS(VALUE) | TRA_HAS(TWEAK) | TRA_HAS(VERSION),
                                      TRA_HAS(ALPHABET)},
    [CSN_WIRE_TRANSIT_FPE_DECRYPT] = {TRA_HAS(VALUE) | TRA_HAS(TWEAK) | TRA_HAS(VERSION),
                                      TRA_HAS(ALPHABET)},
    [CSN_WIRE_TRANSIT_RANDOM] = {0, TRA_HAS(SIZE)},
};

/* ---- the request beside its items ---- */

static bool read_choice(const struct api *api, uint32_t node, const char *const *choices,
                        uint32_t count, uint32_t *choice)
{
    if (node == 0) {
        return true;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (tra_read_is(api->request, node, choices[i])) {
            *choice = i;
            return true;
        }
    }
    cse_fail_at(api->work->call, api->request->nodes[node].begin);
    return false;
}

static bool read_alphabet(struct api *api, uint32_t node)
{
    static const char *const named[][2] = {
        {"digits", "0123456789"},
        {"lower", "abcdefghijklmnopqrstuvwxyz"},
        {"upper", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
        {"alnum-lower", "0123456789abcdefghijklmnopqrstuvwxyz"},
        {"alnum-upper", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
        {"alnum", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"},
        {"hex", "0123456789abcdef"},
    };
    const uint8_t *text = (const uint8_t *)named[0][0];
    uint32_t size = tra_length(named[0][0]);
    if (!tra_read_text(api->request, node, &text, &size)) {
        return false;
    }
    if (size > 1 && text[0] == '=') {
        api->alphabet = text + 1;
        api->alphabet_size = size - 1;
        return true;
    }
    for (uint32_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        if (tra_length(named[i][0]) == size && memcmp(named[i][0], text, size) == 0) {
            api->alphabet = (const uint8_t *)named[i][1];
            api->alphabet_size = tra_length(named[i][1]);
            return true;
        }
    }
    return false;
}

static bool read_request(struct api *api, const struct tra_members *members)
{
    static const char *const hashes[] = {"", "sha2-256", "sha2-384", "sha2-512"};
    static const char *const marshalings[] = {"asn1", "raw", "jws"};
    static const char *const kdfs[] = {"hkdf-sha256", "none"};
    const uint32_t *at = members->at;
    uint32_t marshaling = MARSHAL_ASN1, kdf = 0;
    uint64_t size = 0;
    bool prehashed = false, wrapped = false;
    if (!read_choice(api, at[TRA_MEMBER_HASH], hashes, 4, &api->work->hash) ||
        !read_choice(api, at[TRA_MEMBER_MARSHALING], marshalings, 3, &marshaling) ||
        !read_choice(api, at[TRA_MEMBER_KDF], kdfs, 2, &kdf) ||
        !tra_read_number(api->request, at[TRA_MEMBER_SIZE], &size) ||
        !tra_read_flag(api->request, at[TRA_MEMBER_PREHASHED], &prehashed) ||
        !tra_read_flag(api->request, at[TRA_MEMBER_WRAPPED], &wrapped) ||
        !read_alphabet(api, at[TRA_MEMBER_ALPHABET]) || size > UINT16_MAX ||
        (at[TRA_MEMBER_SIZE] != 0 && size == 0) ||
        (at[TRA_MEMBER_HASH] != 0 && api->work->hash == 0)) {
        return false;
    }
    api->marshaling = (enum marshaling)marshaling;
    api->work->size = (uint32_t)size;
    api->work->flags = (prehashed ? CSN_WIRE_TRANSIT_PREHASHED : 0) |
                       (kdf != 0 ? CSN_WIRE_TRANSIT_BARE : 0) |
                       (wrapped ? CSN_WIRE_TRANSIT_WRAPPED : 0);
    return tra_fits(api->work);
}

/* ---- items ---- */

static uint32_t curve_of(const struct api *api)
{
    return api->work->key != NULL ? tra_kind(api->work->key->is.type)->curve : 0;
}

/* A signature or a MAC, as verify takes it. */
static bool read_proof(const struct api *api, const struct tra_members *members,
                       struct tra_item *item)
{
    const bool is_mac = api->work->key->is.type == CSN_WIRE_TRANSIT_HMAC;
    const uint32_t node = members->at[is_mac ? TRA_MEMBER_HMAC : TRA_MEMBER_SIGNATURE];
    const uint32_t other = members->at[is_mac ? TRA_MEMBER_SIGNATURE : TRA_MEMBER_HMAC];
    const uint32_t curve = curve_of(api);
    if (node == 0 || other != 0 ||
        !tra_read_marked(api->request, node, !is_mac && api->marshaling == MARSHAL_JWS,
                         &item->extra, &item->extra_size, &item->version)) {
        return false;
    }
    if (curve != 0 && api->marshaling == MARSHAL_ASN1) {
        uint8_t *raw = cse_scratch(api->work->call, CSN_ECDSA_SIZE_MAX);
        if (raw == NULL) {
            return false;
        }
        /* What is no DER is zeros, and no signature. */
        if (csn_ecdsa_from_der(curve, item->extra, item->extra_size, raw) != CSN_OK) {
            memset(raw, 0, CSN_ECDSA_SIZE_MAX);
        }
        item->extra = raw;
        item->extra_size = 2 * csn_ec_size(curve);
    }
    return true;
}

/* The one string that most operations need, by the member that it has. */
static bool read_main(const struct api *api, const struct tra_members *members,
                      struct tra_item *item)
{
    const uint32_t *at = members->at;
    const struct tra_request *request = api->request;
    switch (api->work->operation) {
    case CSN_WIRE_TRANSIT_ENCRYPT:
        return at[TRA_MEMBER_PLAINTEXT] != 0 &&
               tra_read_base64(request, at[TRA_MEMBER_PLAINTEXT], &item->input, &item->input_size);
    case CSN_WIRE_TRANSIT_SIGN:
    case CSN_WIRE_TRANSIT_MAC:
    case CSN_WIRE_TRANSIT_VERIFY:
        return at[TRA_MEMBER_INPUT] != 0 &&
               tra_read_base64(request, at[TRA_MEMBER_INPUT], &item->input, &item->input_size);
    case CSN_WIRE_TRANSIT_AGREE:
        return tra_read_base64(request, at[TRA_MEMBER_PUBLIC_KEY], &item->input, &item->input_size);
    case CSN_WIRE_TRANSIT_FPE_ENCRYPT:
    case CSN_WIRE_TRANSIT_FPE_DECRYPT:
        item->context = api->alphabet;
        item->context_size = api->alphabet_size;
        return tra_read_text(request, at[TRA_MEMBER_VALUE], &item->input, &item->input_size);
    default: /* those without a ciphertext have no such member */
        return tra_read_marked(request, at[TRA_MEMBER_CIPHERTEXT], false, &item->input,
                               &item->input_size, &item->version);
    }
}

static bool read_item(const struct api *api, const struct tra_members *members,
                      struct tra_item *item)
{
    const uint32_t *at = members->at;
    const struct tra_request *request = api->request;
    uint64_t version = 0;
    if (!tra_read_number(request, at[TRA_MEMBER_VERSION], &version) || version > UINT32_MAX ||
        (at[TRA_MEMBER_VERSION] != 0 && version == 0)) {
        return false;
    }
    *item = (struct tra_item){.version = (uint32_t)version};
    if (!read_main(api, members, item) ||
        !tra_read_base64(request, at[TRA_MEMBER_ASSOCIATED], &item->extra, &item->extra_size) ||
        !tra_read_base64(request, at[TRA_MEMBER_INFO], &item->extra, &item->extra_size) ||
        !tra_read_base64(request, at[TRA_MEMBER_TWEAK], &item->extra, &item->extra_size) ||
        !tra_read_base64(request, at[TRA_MEMBER_CONTEXT], &item->context, &item->context_size)) {
        return false;
    }
    return api->work->operation != CSN_WIRE_TRANSIT_VERIFY || read_proof(api, members, item);
}

/* Room for what comes of it. */
static cse_status prepare(const struct api *api, struct tra_item *item)
{
    uint32_t output, second;
    if (!tra_rooms(api->work, item, &output, &second)) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    item->output = cse_scratch(api->work->call, output + second + 1);
    item->second = item->output + output;
    return item->output != NULL ? CSN_WIRE_STATUS_OK : CSN_WIRE_STATUS_LIMIT;
}

static cse_status read_batch(struct api *api, uint32_t array)
{
    const struct csn_json_node *nodes = api->request->nodes;
    struct tra_work *work = api->work;
    if (nodes[array].kind != CSN_JSON_ARRAY) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    for (uint32_t at = csn_json_child(nodes, array); at != 0; at = nodes[at].next) {
        work->count++;
    }
    if (work->count == 0 || work->count > CSN_WIRE_TRANSIT_ITEM_MAX) {
        return CSN_WIRE_STATUS_LIMIT;
    }
    work->items = cse_scratch(work->call, work->count * (uint32_t)sizeof *work->items);
    if (work->items == NULL) {
        return CSN_WIRE_STATUS_LIMIT;
    }
    uint32_t i = 0;
    for (uint32_t at = csn_json_child(nodes, array); at != 0; at = nodes[at].next, i++) {
        struct tra_members members;
        struct tra_item *item = &work->items[i];
        *item = (struct tra_item){.version = 0};
        item->status = nodes[at].kind == CSN_JSON_OBJECT &&
                               tra_read_members(api->request, at, api->item_members, &members) &&
                               read_item(api, &members, item)
                           ? prepare(api, item)
                           : CSN_WIRE_STATUS_MALFORMED;
    }
    return CSN_WIRE_STATUS_OK;
}

static cse_status read_single(struct api *api, const struct tra_members *members)
{
    struct tra_work *work = api->work;
    work->items = cse_scratch(work->call, (uint32_t)sizeof *work->items);
    work->count = 1;
    if (work->items == NULL) {
        return CSN_WIRE_STATUS_LIMIT;
    }
    return read_item(api, members, &work->items[0]) ? prepare(api, &work->items[0])
                                                    : CSN_WIRE_STATUS_MALFORMED;
}

/* ---- answers ---- */

static void write_signature(const struct api *api, const struct tra_item *item)
{
    uint8_t der[CSN_ECDSA_DER_SIZE_MAX];
    size_t der_size = 0;
    const uint32_t curve = curve_of(api);
    if (curve != 0 && api->marshaling == MARSHAL_ASN1) {
        if (csn_ecdsa_to_der(curve, item->output, der, &der_size) != CSN_OK) {
            api->writer->full = true;
            return;
        }
        tra_put_marked(api->writer, "signature", item->version, der, (uint32_t)der_size, false);
        return;
    }
    tra_put_marked(api->writer, "signature", item->version, item->output, item->output_size,
                   api->marshaling == MARSHAL_JWS);
}

static void write_item(const struct api *api, const struct tra_item *item)
{
    struct tra_writer *writer = api->writer;
    const uint32_t size = item->output_size;
    switch (api->work->operation) {
    case CSN_WIRE_TRANSIT_ENCRYPT:
    case CSN_WIRE_TRANSIT_REWRAP:
        tra_put_marked(writer, "ciphertext", item->version, item->output, size, false);
        break;
    case CSN_WIRE_TRANSIT_DECRYPT:
    case CSN_WIRE_TRANSIT_DATAKEY_OPEN:
        tra_put_base64(writer, "plaintext", item->output, size);
        break;
    case CSN_WIRE_TRANSIT_SIGN:
        write_signature(api, item);
        break;
    case CSN_WIRE_TRANSIT_VERIFY:
        tra_put_name(writer, "valid");
        tra_put(writer, item->output[0] != 0 ? "true" : "false");
        break;
    case CSN_WIRE_TRANSIT_MAC:
        tra_put_marked(writer, "hmac", item->version, item->output, size, false);
        break;
    case CSN_WIRE_TRANSIT_DERIVE:
        tra_put_base64(writer, "key", item->output, size);
        break;
    case CSN_WIRE_TRANSIT_AGREE:
        tra_put_base64(writer, "secret", item->output, size);
        break;
    case CSN_WIRE_TRANSIT_ENCAPSULATE:
        tra_put_marked(writer, "ciphertext", item->version, item->second, item->second_size, false);
        tra_put_base64(writer, "shared_secret", item->output, size);
        break;
    case CSN_WIRE_TRANSIT_DECAPSULATE:
        tra_put_base64(writer, "shared_secret", item->output, size);
        break;
    case CSN_WIRE_TRANSIT_DATAKEY:
        tra_put_marked(writer, "ciphertext", item->version, item->output, size, false);
        if (item->second_size != 0) {
            tra_put_base64(writer, "plaintext", item->second, item->second_size);
        }
        break;
    case CSN_WIRE_TRANSIT_RANDOM:
        tra_put_base64(writer, "random", item->output, size);
        return; /* of no key's version */
    default:
        tra_put_bytes(writer, "value", item->output, size);
    }
    tra_put_name(writer, "version");
    tra_put_number(writer, item->version);
}

static void write_batch(const struct api *api)
{
    tra_put_name(api->writer, "batch_results");
    tra_put_open(api->writer, "[");
    for (uint32_t i = 0; i < api->work->count; i++) {
        const struct tra_item *item = &api->work->items[i];
        tra_put_comma(api->writer);
        tra_put_open(api->writer, "{");
        tra_put_string(api->writer, "status", tra_status_name(item->status));
        if (item->status == CSN_WIRE_STATUS_OK) {
            write_item(api, item);
        }
        tra_put_close(api->writer, "}");
    }
    tra_put_close(api->writer, "]");
}

/* ---- all together ---- */

static cse_status find_key(struct api *api, const struct tra_members *members)
{
    const char *name = "";
    uint32_t size = 0;
    if (api->work->operation == CSN_WIRE_TRANSIT_RANDOM) {
        return tra_may(api->work, "", 0);
    }
    return tra_api_name(api->request, members, &name, &size) ? tra_may_use(api->work, name, size)
                                                             : CSN_WIRE_STATUS_MALFORMED;
}

cse_status tra_api_use(struct tra_work *work, const struct tra_request *request,
                       struct tra_writer *writer)
{
    const uint32_t *form = forms[work->operation];
    const uint32_t key = work->operation != CSN_WIRE_TRANSIT_RANDOM ? TRA_HAS(KEY) : 0;
    struct api api = {.work = work, .request = request, .writer = writer, .item_members = form[0]};
    struct tra_members members;
    if (!tra_read_members(request, 0, form[0] | form[1] | key | TRA_HAS(BATCH), &members)) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    api.batch = members.at[TRA_MEMBER_BATCH] != 0;
    /* Beside a batch stands nothing of an item. */
    if (api.batch && !tra_read_members(request, 0, form[1] | key | TRA_HAS(BATCH), &members)) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    cse_status status = find_key(&api, &members);
    if (status == CSN_WIRE_STATUS_OK && !read_request(&api, &members)) {
        status = CSN_WIRE_STATUS_MALFORMED;
    }
    if (status == CSN_WIRE_STATUS_OK) {
        status = api.batch ? read_batch(&api, members.at[TRA_MEMBER_BATCH])
                           : read_single(&api, &members);
    }
    if (status != CSN_WIRE_STATUS_OK) {
        return status;
    }
    tra_work(work);
    if (!api.batch && work->items[0].status != CSN_WIRE_STATUS_OK) {
        return work->items[0].status;
    }
    tra_put_open(writer, "{");
    if (api.batch) {
        write_batch(&api);
    } else {
        write_item(&api, &work->items[0]);
    }
    tra_put_close(writer, "}");
    return CSN_WIRE_STATUS_OK;
}
