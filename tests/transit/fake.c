/* SPDX-License-Identifier: Apache-2.0 */
/* fake.c: see fake.h. */
#include "fake.h"
#include "../../enclaves/transit/tra_text.h"
#include "../../src/crypto/cpu.h"
#include "../../src/crypto/curve.h"
#include "../../src/crypto/hpke.h"
#include "../../src/crypto/random.h"
#include <caisson/vouch.h>
#include <caisson/wire/grant.h>
#include <stdio.h>
#include <stdlib.h>

#define SCRATCH_MAX 933888u /* the image's */

static struct csn_random generator;

/* Once for a process: the health checks take longer than most boots here. */
static void begin_process(void)
{
    uint64_t features;
    if (generator.source == NULL &&
        (csn_cpu_features(&features) != CSN_OK || csn_cpu_select(features) != CSN_OK ||
         csn_random_init(&generator, csn_random_system, NULL) != CSN_OK)) {
        abort();
    }
}

static void boot_outside(struct cse_call *call, struct store_double *store)
{
    static struct csn_wire_manifest manifest;
    struct csn_pool pool;
    manifest = (struct csn_wire_manifest){.flags = CSN_WIRE_FLAG_STORE,
                                          .input_line_count = 256,
                                          .output_line_count = 256,
                                          .input_size_max = 4096 + 16,
                                          .output_size_max = 4096 + 80};
    call->store = store;
    store->manifest = &manifest;
    call->outside_memory = aligned_alloc(64, 65536);
    csn_pool_init(&pool, call->outside_memory, 65536);
    const struct cse_outside_options options = {.manifest = &manifest,
                                                .port = store_double_port(store),
                                                .random = &generator,
                                                .boot_id = cse_boot_id(call)};
    if (cse_outside_init(&call->outside, &pool, &options) != CSN_OK) {
        abort();
    }
}

struct cse_call *fake_boot(struct store_double *store)
{
    static int boots;
    struct cse_call *call = calloc(1, sizeof *call);
    call->boot = (FAKE_BOOT + boots++) & 0xff;
    begin_process();
    call->worker = aligned_alloc(64, (sizeof(struct tra_worker) + 63) / 64 * 64);
    memset(call->worker, 0, sizeof(struct tra_worker));
    call->scratch = aligned_alloc(64, SCRATCH_MAX);
    call->scratch_max = SCRATCH_MAX;
    call->output_max = FAKE_OUTPUT_MAX;
    call->rights = CSN_WIRE_RIGHT_SUBMIT | CSN_WIRE_RIGHT_KEYS;
    memset(call->statement_seed, 0x55, sizeof call->statement_seed);
    for (uint32_t i = 0; i < FAKE_TENANTS; i++) {
        call->states[i] = calloc(1, sizeof(struct tra_grant));
    }
    if (store != NULL) {
        boot_outside(call, store);
    }
    return call;
}

struct cse_call *fake_new(void)
{
    struct cse_call *call = fake_boot(NULL);
    if (fake_grant(call, 0, NULL, 0) != CSN_OK) {
        abort();
    }
    return call;
}

void fake_free(struct cse_call *call)
{
    for (uint32_t i = 0; i < FAKE_TENANTS; i++) {
        free(call->states[i]);
    }
    free(call->worker);
    free(call->outside_memory);
    free(call->scratch);
    free(call);
}

static const uint8_t *tenant_id(uint32_t tenant)
{
    static uint8_t ids[FAKE_TENANTS][32];
    memset(ids[tenant], (int)tenant + 1, 32);
    return ids[tenant];
}

csn_err fake_grant(struct cse_call *call, uint32_t tenant, const void *policy, uint32_t size)
{
    uint8_t secret[32];
    memset(secret, (int)tenant + 0x40, sizeof secret);
    const struct cse_grant_view view = {.tenant = tenant_id(tenant),
                                        .secret = secret,
                                        .policy = policy,
                                        .policy_size = size,
                                        .worker_state = call->worker,
                                        .outside = call->outside,
                                        .claims = (struct cse_claims *)call};
    struct tra_grant *spare = calloc(1, sizeof *spare);
    csn_err result = cse_service.grant(spare, &view);
    if (result == CSN_OK) {
        memcpy(call->states[tenant], spare, sizeof *spare);
        call->grant_version++;
    }
    free(spare);
    return result;
}

cse_status fake_run(struct cse_call *call, uint16_t operation, const void *input, uint32_t size)
{
    call->scratch_used = 0;
    call->failed = false;
    call->fail_at = 0;
    call->output_size = 0;
    for (uint32_t i = 0; i < cse_service.operation_count; i++) {
        const struct cse_operation *entry = &cse_service.operations[i];
        if (entry->id != operation) {
            continue;
        }
        if ((call->rights & entry->rights) != entry->rights) {
            return CSN_WIRE_STATUS_RIGHTS;
        }
        /* In memory of its own size, so that what reads behind it is seen. */
        uint8_t *copy = malloc(size);
        if (size != 0) {
            memcpy(copy, input, size);
        }
        cse_status status =
            entry->handler(call, copy, size, call->output, call->output_max, &call->output_size);
        free(copy);
        call->output[call->output_size] = 0;
        if (call->outside != NULL && call->outside->tend != NULL) {
            call->outside->tend(call->outside);
        }
        return status;
    }
    return CSN_WIRE_STATUS_OPERATION;
}

cse_status fake_json(struct cse_call *call, uint32_t operation, const char *name, const char *text)
{
    call->route = name;
    return fake_run(call, (uint16_t)(128 + operation), text, (uint32_t)strlen(text));
}

bool fake_text(const struct cse_call *call, const char *member, char *text, uint32_t max)
{
    char quoted[80];
    snprintf(quoted, sizeof quoted, "\"%s\":", member);
    const char *at = strstr((const char *)call->output, quoted);
    if (at == NULL) {
        return false;
    }
    at += strlen(quoted);
    const bool string = *at == '"';
    at += string;
    const size_t size = strcspn(at, string ? "\"" : ",}]");
    if (size >= max) {
        abort();
    }
    memcpy(text, at, size);
    text[size] = 0;
    return true;
}

uint32_t fake_bytes(const struct cse_call *call, const char *member, uint8_t *bytes, uint32_t max)
{
    static char text[FAKE_OUTPUT_MAX];
    static uint8_t decoded[FAKE_OUTPUT_MAX];
    uint32_t size = 0;
    if (!fake_text(call, member, text, sizeof text)) {
        return 0;
    }
    const char *colon = strrchr(text, ':');
    const char *digits = colon != NULL ? colon + 1 : text;
    const uint32_t count = (uint32_t)strlen(digits);
    const bool url = count % 4 != 0 || strpbrk(digits, "-_") != NULL;
    if (!tra_base64_decode((const uint8_t *)digits, count, url, decoded, &size) || size > max) {
        abort();
    }
    memcpy(bytes, decoded, size);
    return size;
}

void fake_base64(const uint8_t *bytes, uint32_t size, char *text)
{
    tra_base64_encode(bytes, size, false, (uint8_t *)text);
    text[tra_base64_size(size, false)] = 0;
}

void fake_sealed(struct cse_call *call, const char *name, uint32_t type, const uint8_t *secret,
                 uint32_t size, char *text)
{
    uint8_t info[25 + 32 + 64] = {0};
    uint8_t sealed[32 + 256 + 16];
    uint8_t public_key[32], ephemeral[32];
    const uint8_t aad = (uint8_t)type;
    struct csn_hpke_context context;
    const struct csn_hpke_setup setup = {
        .aead = CSN_AEAD_AES_256_GCM, .info = info, .info_size = sizeof info};
    if (fake_json(call, CSN_WIRE_TRANSIT_IMPORT_KEY, NULL, "") != CSN_WIRE_STATUS_OK ||
        fake_bytes(call, "public_key", public_key, 32) != 32 ||
        csn_random_fill(&generator, ephemeral, sizeof ephemeral) != CSN_OK) {
        abort();
    }
    memcpy(info, "caisson-transit-import-v1", 25);
    memcpy(info + 25, tenant_id(call->tenant), 32);
    memcpy(info + 57, name, strlen(name));
    if (csn_hpke_sender(&context, sealed, public_key, ephemeral, &setup) != CSN_OK ||
        csn_hpke_seal(&context, &aad, 1, secret, size, sealed + 32, sealed + 32 + size) != CSN_OK) {
        abort();
    }
    fake_base64(sealed, 48 + size, text);
}

cse_status fake_import(struct cse_call *call, const char *name, const char *type,
                       const uint8_t *secret, uint32_t size, const char *more)
{
    char sealed[512];
    char text[1024];
    fake_sealed(call, name, tra_kind_find((const uint8_t *)type, (uint32_t)strlen(type)), secret,
                size, sealed);
    snprintf(text, sizeof text, "{\"type\":\"%s\",\"sealed\":\"%s\"%s}", type, sealed, more);
    return fake_json(call, CSN_WIRE_TRANSIT_IMPORT, name, text);
}

/* ---- binary ---- */

static uint32_t add(uint8_t *message, uint32_t at, const void *bytes, uint32_t size)
{
    if (size != 0) {
        memcpy(message + at, bytes, size);
    }
    return at + size;
}

cse_status fake_binary(struct cse_call *call, struct csn_wire_transit_request *request,
                       const char *name, const struct fake_item *items, struct fake_result *results)
{
    static uint8_t message[FAKE_INPUT_MAX + 4096];
    memset(message, 0, sizeof message);
    request->version = CSN_WIRE_TRANSIT_VERSION;
    request->name_size = (uint8_t)strlen(name);
    memset(request->name, 0, sizeof request->name);
    memcpy(request->name, name, request->name_size);
    uint32_t at = add(message, 0, request, sizeof *request);
    for (uint32_t i = 0; i < request->item_count; i++) {
        const struct csn_wire_transit_item head = {items[i].input_size, items[i].extra_size,
                                                   items[i].context_size, 0};
        at = add(message, at, &head, sizeof head);
        at = add(message, at, items[i].input, items[i].input_size);
        at = add(message, at, items[i].extra, items[i].extra_size);
        at = add(message, at, items[i].context, items[i].context_size);
        at = (at + 7) / 8 * 8;
    }
    call->route = NULL;
    cse_status status = fake_run(call, CSN_WIRE_TRANSIT_OPERATION, message, at);
    if (status != CSN_WIRE_STATUS_OK) {
        return status;
    }
    at = sizeof(struct csn_wire_transit_answer);
    for (uint32_t i = 0; i < request->item_count; i++) {
        struct fake_result *result = &results[i];
        memcpy(&result->head, call->output + at, sizeof result->head);
        at += (uint32_t)sizeof result->head;
        result->output = call->output + at;
        result->second = result->output + result->head.output_size;
        at = (at + result->head.output_size + result->head.second_size + 7) / 8 * 8;
    }
    if (at != call->output_size) {
        abort();
    }
    return status;
}

/* ---- enclave.h ---- */
CSN_NORETURN void cse_panic(uint32_t code)
{
    fprintf(stderr, "panic %u\n", code);
    abort();
}
void *cse_state(struct cse_call *call)
{
    return call->states[call->tenant];
}
void *cse_worker_state(struct cse_call *call)
{
    return call->worker;
}
const uint8_t *cse_tenant(const struct cse_call *call)
{
    return tenant_id(call->tenant);
}
uint32_t cse_rights(const struct cse_call *call)
{
    return call->rights;
}
uint64_t cse_field_mask(const struct cse_call *call)
{
    return call->field_mask;
}
uint32_t cse_purpose(const struct cse_call *call)
{
    return call->purpose;
}
const char *cse_route_name(const struct cse_call *call, uint32_t *size)
{
    *size = call->route != NULL ? (uint32_t)strlen(call->route) : 0;
    return call->route;
}
void *cse_scratch(struct cse_call *call, uint32_t size)
{
    const uint32_t taken = (size + 63) / 64 * 64;
    if (taken > call->scratch_max - call->scratch_used || taken < size) {
        return NULL;
    }
    call->scratch_used += taken;
    return call->scratch + call->scratch_used - taken;
}
bool cse_random(struct cse_call *call, void *bytes, uint32_t size)
{
    return !call->random_fails && csn_random_fill(&generator, bytes, size) == CSN_OK;
}
void cse_fail_at(struct cse_call *call, uint32_t offset)
{
    call->failed = true;
    call->fail_at = offset;
}

/* ---- vouch.h ---- */
const struct cse_statements cse_statements = {0};
csn_err cse_statement_sign(struct cse_call *call, const char *label, const void *bytes, size_t size,
                           uint8_t signature[64])
{
    uint8_t *message = malloc(strlen(label) + size);
    memcpy(message, label, strlen(label));
    memcpy(message + strlen(label), bytes, size);
    csn_ed25519_sign(signature, message, strlen(label) + size, call->statement_seed);
    free(message);
    return CSN_OK;
}
const uint8_t *cse_boot_id(const struct cse_call *call)
{
    static uint8_t boot_id[16];
    memset(boot_id, call->boot, sizeof boot_id);
    return boot_id;
}
const uint8_t *cse_measurement(const struct cse_call *call)
{
    static uint8_t measurement[48];
    (void)call;
    memset(measurement, FAKE_MEASUREMENT, sizeof measurement);
    return measurement;
}
uint64_t cse_grant_version(const struct cse_call *call)
{
    return call->grant_version;
}
const uint8_t *cse_grant_digest(const struct cse_call *call)
{
    static uint8_t digest[32];
    (void)call;
    memset(digest, FAKE_DIGEST, sizeof digest);
    return digest;
}

csn_err cse_claim_grant(const struct cse_grant_view *grant, uint32_t label, const uint8_t claim[32])
{
    struct cse_call *call = (struct cse_call *)grant->claims;
    if (label == CSN_WIRE_CLAIM_STORE) {
        memcpy(call->claim, claim, sizeof call->claim);
    }
    return CSN_OK;
}
void cse_claim_word(uint8_t claim[32], const char *word)
{
    memset(claim, 0, 32);
    memcpy(claim, word, strlen(word));
}

/* ---- enclave_store.h: each change a batch of its own ---- */
struct cse_outside *cse_outside(struct cse_call *call)
{
    return call->outside;
}
csn_err cse_journal_append(struct cse_call *call, struct cse_journal *journal, const uint8_t *bytes,
                           uint32_t size)
{
    (void)call;
    return cse_journal_write(journal, bytes, size);
}
