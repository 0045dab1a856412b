/* SPDX-License-Identifier: Apache-2.0 */
/* tra_api_keys.c: managing keys, in JSON. */
#include "tra_text.h"

#define POLICY_MEMBERS                                                                             \
    (TRA_HAS(KEY) | TRA_HAS(TYPE) | TRA_HAS(OPERATIONS) | TRA_HAS(DERIVED) | TRA_HAS(DELETABLE) |  \
     TRA_HAS(PURPOSES) | TRA_HAS(MAX_USES))

bool tra_api_name(const struct tra_request *request, const struct tra_members *members,
                  const char **name, uint32_t *size)
{
    const uint32_t node = members->at[TRA_MEMBER_KEY];
    const uint8_t *said = NULL;
    uint32_t said_size = 0;
    *name = cse_route_name(request->call, size);
    if (!tra_read_text(request, node, &said, &said_size)) {
        return false;
    }
    if (*name == NULL) {
        *name = (const char *)said;
        *size = said_size;
        return node != 0;
    }
    return node == 0 || (said_size == *size && memcmp(said, *name, said_size) == 0);
}

/* ---- what a key is ---- */

/* DER of SubjectPublicKeyInfo, but for the key itself. */
static uint32_t spki_head(uint32_t type, const uint8_t **head)
{
    static const uint8_t ed25519[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                      0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
    static const uint8_t x25519[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                     0x2b, 0x65, 0x6e, 0x03, 0x21, 0x00};
    static const uint8_t p256[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
    static const uint8_t p384[] = {0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86,
                                   0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
                                   0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00};
    switch (type) {
    case CSN_WIRE_TRANSIT_ED25519:
        *head = ed25519;
        return sizeof ed25519;
    case CSN_WIRE_TRANSIT_X25519:
        *head = x25519;
        return sizeof x25519;
    case CSN_WIRE_TRANSIT_P256:
        *head = p256;
        return sizeof p256;
    case CSN_WIRE_TRANSIT_P384:
        *head = p384;
        return sizeof p384;
    default:
        return 0;
    }
}

static void put_public(struct tra_work *work, const struct tra_version *version,
                       struct tra_writer *writer, uint8_t bytes[TRA_BIRTH_MAX])
{
    const uint8_t *head = NULL;
    const uint32_t head_size = spki_head(work->key->is.type, &head);
    const uint32_t size = tra_kind_public(work, version, bytes + head_size);
    if (size == 0) {
        return;
    }
    tra_put_base64(writer, "public_key", bytes + head_size, size);
    if (head_size != 0) {
        memcpy(bytes, head, head_size);
        tra_put_base64(writer, "spki", bytes, head_size + size);
    }
}

static void put_flag(struct tra_writer *writer, const char *name, bool flag)
{
    tra_put_name(writer, name);
    tra_put(writer, flag ? "true" : "false");
}

static void put_count(struct tra_writer *writer, const char *name, uint64_t number)
{
    tra_put_name(writer, name);
    tra_put_number(writer, number);
}

static void put_policy(const struct csn_wire_transit_key *view, struct tra_writer *writer)
{
    tra_put_string(writer, "name", view->name);
    tra_put_hex(writer, "id", view->id, sizeof view->id);
    tra_put_string(writer, "type", tra_kind(view->type)->name);
    tra_put_name(writer, "operations");
    tra_put_open(writer, "[");
    for (uint32_t i = 1; i < CSN_WIRE_TRANSIT_RANDOM; i++) {
        if ((view->operations >> i & 1) != 0) {
            tra_put_comma(writer);
            tra_put(writer, "\"");
            tra_put(writer, csn_wire_transit_operation_name(i));
            tra_put(writer, "\"");
        }
    }
    tra_put_close(writer, "]");
    put_flag(writer, "derived", (view->flags & CSN_WIRE_TRANSIT_KEY_DERIVED) != 0);
    put_flag(writer, "deletable", (view->flags & CSN_WIRE_TRANSIT_KEY_DELETABLE) != 0);
    tra_put_name(writer, "purposes");
    tra_put_open(writer, "[");
    for (uint32_t i = 0; i < 64; i++) {
        if ((view->purposes >> i & 1) != 0) {
            tra_put_comma(writer);
            tra_put_number(writer, i);
        }
    }
    tra_put_close(writer, "]");
    put_count(writer, "max_uses", view->max_uses);
}

static cse_status put_key(struct tra_work *work, uint32_t number, struct tra_writer *writer)
{
    struct csn_wire_transit_key view;
    uint8_t bytes[TRA_BIRTH_MAX];
    uint32_t size = 0;
    const struct tra_version *version =
        tra_version(work->store, work->key, number != 0 ? number : work->key->newest);
    if (version == NULL) {
        return CSN_WIRE_STATUS_NOT_FOUND;
    }
    tra_describe(work, version, &view);
    tra_put_open(writer, "{");
    put_policy(&view, writer);
    put_count(writer, "newest", view.newest);
    put_count(writer, "min_version", view.min_version);
    put_count(writer, "oldest", view.oldest);
    put_count(writer, "version", view.version);
    tra_put_string(writer, "origin",
                   view.origin == CSN_WIRE_TRANSIT_IMPORTED ? "imported" : "generated");
    put_count(writer, "uses", view.uses);
    put_public(work, version, writer, bytes);
    cse_status status = tra_birth(work, version, bytes, &size);
    if (status == CSN_WIRE_STATUS_OK) {
        tra_put_base64(writer, "birth", bytes, size);
    }
    tra_put_close(writer, "}");
    return status;
}

/* ---- reading ---- */

static bool fault(const struct tra_request *request, uint32_t node)
{
    cse_fail_at(request->call, request->nodes[node].begin);
    return false;
}

static bool read_operations(const struct tra_request *request, uint32_t node, uint32_t *mask)
{
    if (node == 0) {
        return true;
    }
    if (request->nodes[node].kind != CSN_JSON_ARRAY || csn_json_child(request->nodes, node) == 0) {
        return fault(request, node);
    }
    for (uint32_t at = csn_json_child(request->nodes, node); at != 0;
         at = request->nodes[at].next) {
        const uint8_t *text;
        uint32_t size;
        if (!tra_read_text(request, at, &text, &size)) {
            return false;
        }
        const uint32_t operation = tra_operation_find(text, size);
        if (operation == 0 || operation >= CSN_WIRE_TRANSIT_RANDOM) {
            return fault(request, at);
        }
        *mask |= UINT32_C(1) << operation;
    }
    return true;
}

static bool read_purposes(const struct tra_request *request, uint32_t node, uint64_t *mask)
{
    if (node == 0) {
        return true;
    }
    if (request->nodes[node].kind != CSN_JSON_ARRAY || csn_json_child(request->nodes, node) == 0) {
        return fault(request, node);
    }
    for (uint32_t at = csn_json_child(request->nodes, node); at != 0;
         at = request->nodes[at].next) {
        uint64_t number = 0;
        if (!tra_read_number(request, at, &number) || number > 63) {
            return fault(request, at);
        }
        *mask |= UINT64_C(1) << number;
    }
    return true;
}

static bool read_what(const struct tra_request *request, const struct tra_members *members,
                      struct csn_wire_transit_create *what)
{
    const uint32_t *at = members->at;
    const uint8_t *type;
    uint32_t size;
    bool derived = false, deletable = false;
    if (at[TRA_MEMBER_TYPE] == 0 || !tra_read_text(request, at[TRA_MEMBER_TYPE], &type, &size)) {
        return false;
    }
    what->type = (uint16_t)tra_kind_find(type, size);
    if (what->type == 0) {
        return fault(request, at[TRA_MEMBER_TYPE]);
    }
    if (!read_operations(request, at[TRA_MEMBER_OPERATIONS], &what->operations) ||
        !read_purposes(request, at[TRA_MEMBER_PURPOSES], &what->purposes) ||
        !tra_read_number(request, at[TRA_MEMBER_MAX_USES], &what->max_uses) ||
        !tra_read_flag(request, at[TRA_MEMBER_DERIVED], &derived) ||
        !tra_read_flag(request, at[TRA_MEMBER_DELETABLE], &deletable)) {
        return false;
    }
    what->flags = (uint16_t)((derived ? CSN_WIRE_TRANSIT_KEY_DERIVED : 0) |
                             (deletable ? CSN_WIRE_TRANSIT_KEY_DELETABLE : 0));
    return true;
}

/* ---- what changes keys ---- */

static cse_status make(struct tra_work *work, const struct tra_request *request,
                       const struct tra_members *members, struct tra_writer *writer)
{
    struct tra_making making = {.sealed = NULL};
    const bool imports = work->operation == CSN_WIRE_TRANSIT_IMPORT;
    if (!tra_api_name(request, members, &making.name, &making.name_size) ||
        !read_what(request, members, &making.what) ||
        !tra_read_base64(request, members->at[TRA_MEMBER_SEALED], &making.sealed,
                         &making.sealed_size) ||
        (making.sealed != NULL) != imports) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    cse_status status = tra_may(work, making.name, making.name_size);
    if (status != CSN_WIRE_STATUS_OK) {
        return status;
    }
    struct tra_key *key = tra_find(work->store, making.name, making.name_size);
    if (imports && key != NULL) {
        const struct csn_wire_transit_create bare = {.type = key->is.type};
        work->key = key;
        status = memcmp(&bare, &making.what, sizeof bare) == 0
                     ? tra_import_version(work, making.sealed, making.sealed_size)
                     : CSN_WIRE_STATUS_POLICY;
    } else {
        status = tra_create(work, &making);
    }
    return status == CSN_WIRE_STATUS_OK ? put_key(work, 0, writer) : status;
}

static bool read_config(const struct tra_request *request, const struct tra_members *members,
                        struct csn_wire_transit_config *config)
{
    const uint32_t *at = members->at;
    bool deletable = false, trim = false;
    uint64_t min_version = 0;
    if (!tra_read_number(request, at[TRA_MEMBER_MIN_VERSION], &min_version) ||
        min_version > UINT32_MAX ||
        !tra_read_number(request, at[TRA_MEMBER_MAX_USES], &config->max_uses) ||
        !tra_read_flag(request, at[TRA_MEMBER_DELETABLE], &deletable) ||
        !tra_read_flag(request, at[TRA_MEMBER_TRIM], &trim)) {
        return false;
    }
    config->min_version = (uint32_t)min_version;
    config->deletable = deletable;
    config->set = (at[TRA_MEMBER_MIN_VERSION] != 0 ? CSN_WIRE_TRANSIT_SET_MIN : 0) |
                  (at[TRA_MEMBER_MAX_USES] != 0 ? CSN_WIRE_TRANSIT_SET_MAX_USES : 0) |
                  (at[TRA_MEMBER_DELETABLE] != 0 ? CSN_WIRE_TRANSIT_SET_DELETABLE : 0) |
                  (trim ? CSN_WIRE_TRANSIT_SET_TRIM : 0);
    return true;
}

static cse_status change(struct tra_work *work, const struct tra_request *request,
                         const struct tra_members *members, struct tra_writer *writer)
{
    const char *name;
    uint32_t size;
    uint64_t number = 0;
    struct csn_wire_transit_config config = {.set = 0};
    if (!tra_api_name(request, members, &name, &size) ||
        !tra_read_number(request, members->at[TRA_MEMBER_VERSION], &number) ||
        number > UINT32_MAX || !read_config(request, members, &config)) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    cse_status status = tra_may_use(work, name, size);
    if (status == CSN_WIRE_STATUS_OK && work->operation == CSN_WIRE_TRANSIT_ROTATE) {
        status = tra_rotate(work);
    } else if (status == CSN_WIRE_STATUS_OK && work->operation == CSN_WIRE_TRANSIT_CONFIG) {
        status = tra_config(work, &config);
    } else if (status == CSN_WIRE_STATUS_OK && work->operation == CSN_WIRE_TRANSIT_DELETE) {
        status = tra_delete(work);
        tra_put(writer, "{}");
        return status;
    }
    return status == CSN_WIRE_STATUS_OK ? put_key(work, (uint32_t)number, writer) : status;
}

/* ---- what is of no key ---- */

#define LIST_END 16u /* bytes: what stands behind the names */

static cse_status list(struct tra_work *work, const struct tra_request *request,
                       const struct tra_members *members, struct tra_writer *writer)
{
    const uint8_t *after = NULL;
    uint32_t size = 0;
    uint64_t serial = 0;
    const struct tra_key *key = NULL;
    if (!tra_read_text(request, members->at[TRA_MEMBER_AFTER], &after, &size)) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    if (after != NULL) {
        key = tra_find(work->store, (const char *)after, size);
        if (key == NULL) {
            return CSN_WIRE_STATUS_NOT_FOUND;
        }
        serial = key->serial;
    }
    tra_put_open(writer, "{");
    tra_put_name(writer, "keys");
    tra_put_open(writer, "[");
    while ((key = tra_next(work->store, serial)) != NULL &&
           writer->max - writer->size >= LIST_END + CSN_WIRE_TRANSIT_NAME_SIZE + 3) {
        tra_put_comma(writer);
        tra_put(writer, "\"");
        tra_put(writer, key->is.name);
        tra_put(writer, "\"");
        serial = key->serial;
    }
    tra_put_close(writer, "]");
    put_flag(writer, "more", key != NULL);
    tra_put_close(writer, "}");
    return CSN_WIRE_STATUS_OK;
}

static cse_status survey(struct tra_work *work, const struct tra_request *request,
                         const struct tra_members *members, struct tra_writer *writer)
{
    uint8_t public_key[32], statement[64];
    cse_status status = tra_may(work, "", 0);
    if (status != CSN_WIRE_STATUS_OK) {
        return status;
    }
    if (work->operation == CSN_WIRE_TRANSIT_LIST) {
        return list(work, request, members, writer);
    }
    status = tra_import_key(work, public_key, statement);
    if (status == CSN_WIRE_STATUS_OK) {
        tra_put_open(writer, "{");
        tra_put_base64(writer, "public_key", public_key, sizeof public_key);
        tra_put_base64(writer, "statement", statement, sizeof statement);
        tra_put_close(writer, "}");
    }
    return status;
}

cse_status tra_api_keys(struct tra_work *work, const struct tra_request *request,
                        struct tra_writer *writer)
{
    static const uint32_t wanted[CSN_WIRE_TRANSIT_OPERATION_LAST + 1] = {
        [CSN_WIRE_TRANSIT_CREATE] = POLICY_MEMBERS,
        [CSN_WIRE_TRANSIT_IMPORT] = POLICY_MEMBERS | TRA_HAS(SEALED),
        [CSN_WIRE_TRANSIT_INFO] = TRA_HAS(KEY) | TRA_HAS(VERSION),
        [CSN_WIRE_TRANSIT_ROTATE] = TRA_HAS(KEY),
        [CSN_WIRE_TRANSIT_DELETE] = TRA_HAS(KEY),
        [CSN_WIRE_TRANSIT_CONFIG] = TRA_HAS(KEY) | TRA_HAS(MIN_VERSION) | TRA_HAS(MAX_USES) |
                                    TRA_HAS(DELETABLE) | TRA_HAS(TRIM),
        [CSN_WIRE_TRANSIT_LIST] = TRA_HAS(AFTER),
    };
    struct tra_members members;
    if (!tra_read_members(request, 0, wanted[work->operation], &members)) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    switch (work->operation) {
    case CSN_WIRE_TRANSIT_CREATE:
    case CSN_WIRE_TRANSIT_IMPORT:
        return make(work, request, &members, writer);
    case CSN_WIRE_TRANSIT_LIST:
    case CSN_WIRE_TRANSIT_IMPORT_KEY:
        return survey(work, request, &members, writer);
    default:
        return change(work, request, &members, writer);
    }
}
