/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transit.c: the enclave that keeps keys and uses them (docs/TRANSIT.md).
 *
 * Each operation is there in JSON, under a path of its own and under a number for records, and in
 * the binary form. Both come to the same items (tra_work.c) and the same changes (tra_manage.c).
 */
#include "tra_text.h"
#include <caisson/vouch.h>

#define JSON(name) (128u + CSN_WIRE_TRANSIT_##name) /* number of the operation in JSON */

static cse_status serve(struct cse_call *call, uint32_t operation, const uint8_t *input,
                        uint32_t input_size, struct tra_writer *writer)
{
    struct tra_work work;
    struct tra_request request;
    cse_status status = tra_begin(&work, call, operation);
    if (status == CSN_WIRE_STATUS_OK) {
        status = tra_read(&request, call, work.grant->seed, input, input_size);
    }
    if (status == CSN_WIRE_STATUS_OK) {
        status = operation <= CSN_WIRE_TRANSIT_RANDOM ? tra_api_use(&work, &request, writer)
                                                      : tra_api_keys(&work, &request, writer);
    }
    return status == CSN_WIRE_STATUS_OK && writer->full ? CSN_WIRE_STATUS_TOO_LARGE : status;
}

static cse_status in_json(struct cse_call *call, uint32_t operation, const uint8_t *input,
                          uint32_t input_size, uint8_t *output, uint32_t output_size_max,
                          uint32_t *output_size)
{
    struct tra_writer writer = {.bytes = output, .max = output_size_max};
    cse_status status = serve(call, operation, input, input_size, &writer);
    if (status != CSN_WIRE_STATUS_OK) {
        csn_wipe(output, writer.size);
        return status;
    }
    *output_size = writer.size;
    return CSN_WIRE_STATUS_OK;
}

/* A handler knows its operation by being it. */
#define HANDLER(name)                                                                              \
    static cse_status handle_##name(struct cse_call *call, const uint8_t *input,                   \
                                    uint32_t input_size, uint8_t *output, uint32_t output_max,     \
                                    uint32_t *output_size)                                         \
    {                                                                                              \
        return in_json(call, CSN_WIRE_TRANSIT_##name, input, input_size, output, output_max,       \
                       output_size);                                                               \
    }
HANDLER(ENCRYPT)
HANDLER(DECRYPT)
HANDLER(REWRAP)
HANDLER(SIGN)
HANDLER(VERIFY)
HANDLER(MAC)
HANDLER(DERIVE)
HANDLER(AGREE)
HANDLER(ENCAPSULATE)
HANDLER(DECAPSULATE)
HANDLER(DATAKEY)
HANDLER(DATAKEY_OPEN)
HANDLER(FPE_ENCRYPT)
HANDLER(FPE_DECRYPT)
HANDLER(RANDOM)
HANDLER(CREATE)
HANDLER(INFO)
HANDLER(LIST)
HANDLER(ROTATE)
HANDLER(CONFIG)
HANDLER(DELETE)
HANDLER(IMPORT)
HANDLER(IMPORT_KEY)

#define OPERATION(name)                                                                            \
    {                                                                                              \
        JSON(name), CSN_WIRE_PAYLOAD_MAX, CSN_WIRE_RIGHT_SUBMIT, handle_##name                     \
    }
#define MANAGES(name)                                                                              \
    {                                                                                              \
        JSON(name), CSN_WIRE_PAYLOAD_MAX, CSN_WIRE_RIGHT_SUBMIT | CSN_WIRE_RIGHT_KEYS,             \
            handle_##name                                                                          \
    }

static const struct cse_operation operations[] = {
    {CSN_WIRE_TRANSIT_OPERATION, CSN_WIRE_PAYLOAD_MAX, CSN_WIRE_RIGHT_SUBMIT, tra_binary},
    OPERATION(ENCRYPT),
    OPERATION(DECRYPT),
    OPERATION(REWRAP),
    OPERATION(SIGN),
    OPERATION(VERIFY),
    OPERATION(MAC),
    OPERATION(DERIVE),
    OPERATION(AGREE),
    OPERATION(ENCAPSULATE),
    OPERATION(DECAPSULATE),
    OPERATION(DATAKEY),
    OPERATION(DATAKEY_OPEN),
    OPERATION(FPE_ENCRYPT),
    OPERATION(FPE_DECRYPT),
    OPERATION(RANDOM),
    MANAGES(CREATE),
    OPERATION(INFO),
    OPERATION(LIST),
    MANAGES(ROTATE),
    MANAGES(CONFIG),
    MANAGES(DELETE),
    MANAGES(IMPORT),
    OPERATION(IMPORT_KEY),
};

#define POST(path, name)                                                                           \
    {                                                                                              \
        "POST", "/v1/transit/" path, JSON(name), "application/json", "application/json"            \
    }
#define GET(path, name)                                                                            \
    {                                                                                              \
        "GET", "/v1/transit/" path, JSON(name), NULL, "application/json"                           \
    }

static const struct cse_route routes[] = {
    {"POST", "/v1/transit/binary", CSN_WIRE_TRANSIT_OPERATION, "application/octet-stream",
     "application/octet-stream"},
    POST("encrypt/{}", ENCRYPT),
    POST("decrypt/{}", DECRYPT),
    POST("rewrap/{}", REWRAP),
    POST("sign/{}", SIGN),
    POST("verify/{}", VERIFY),
    POST("hmac/{}", MAC),
    POST("derive/{}", DERIVE),
    POST("agree/{}", AGREE),
    POST("encapsulate/{}", ENCAPSULATE),
    POST("decapsulate/{}", DECAPSULATE),
    POST("datakey/{}", DATAKEY),
    POST("datakey-open/{}", DATAKEY_OPEN),
    POST("fpe-encrypt/{}", FPE_ENCRYPT),
    POST("fpe-decrypt/{}", FPE_DECRYPT),
    POST("random", RANDOM),
    GET("keys", LIST),
    POST("keys", LIST),
    POST("keys/{}", CREATE),
    GET("keys/{}", INFO),
    POST("keys/{}/public", INFO),
    POST("keys/{}/rotate", ROTATE),
    POST("keys/{}/config", CONFIG),
    POST("keys/{}/delete", DELETE),
    POST("keys/{}/import", IMPORT),
    GET("import-key", IMPORT_KEY),
};

const struct cse_service cse_service = {
    .operations = operations,
    .operation_count = sizeof operations / sizeof operations[0],
    .routes = routes,
    .route_count = sizeof routes / sizeof routes[0],
    .grant = tra_take_grant,
    .purpose_mask = UINT64_MAX,
    .statements = &cse_statements,
    .claim_count = 1,
};
