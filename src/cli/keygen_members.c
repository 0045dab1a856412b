/* SPDX-License-Identifier: Apache-2.0 */
/* keygen_members.c: who is in a tenant's file, and taking one out. Nothing secret is printed. */
#include "cli.h"
#include "keygen.h"
#include "tenant_file.h"
#include <string.h>

/* ---- taking one out ---- */

/* 16 hex digits, as `caisson keygen producer` printed them. */
static int parse_id(const char *text, uint64_t *id)
{
    uint8_t bytes[8];
    int code = cli_hex("the producer's id", text, bytes, sizeof bytes);
    *id = 0;
    for (size_t i = 0; code == CLI_OK && i < sizeof bytes; i++) {
        *id = *id << 8 | bytes[i];
    }
    return code;
}

static int take_out(struct csv_tenant *tenant, bool consumer, const char *who)
{
    uint64_t id = 0;
    int code = consumer ? CLI_OK : parse_id(who, &id);
    if (code != CLI_OK) {
        return code;
    }
    csn_err err =
        consumer ? csv_tenant_remove_consumer(tenant, who) : csv_tenant_remove_producer(tenant, id);
    if (err == CSN_ERR_STATE) {
        return cli_fail(CLI_FAILURE,
                        "producers deliver to %s; revoke those first (caisson keygen "
                        "list)",
                        who);
    }
    return err == CSN_OK ? CLI_OK
                         : cli_fail(CLI_FAILURE, "the tenant has no %s %s; see caisson keygen list",
                                    consumer ? "consumer" : "producer", who);
}

int keygen_revoke(const char *tenant_path, bool consumer, const char *who, bool json)
{
    struct csv_tenant tenant;
    if (tenant_path == NULL) {
        return cli_fail(CLI_USAGE, "wants --tenant FILE");
    }
    if (!cli_tenant_read(tenant_path, &tenant)) {
        return CLI_FAILURE;
    }
    int code = take_out(&tenant, consumer, who);
    if (code == CLI_OK && !cli_tenant_write(tenant_path, &tenant, true)) {
        code = CLI_FAILURE;
    }
    explicit_bzero(&tenant, sizeof tenant);
    if (code == CLI_OK && json) {
        fputs("{\"revoked\":", stdout);
        cli_json_string(stdout, who);
        puts("}");
    } else if (code == CLI_OK) {
        printf("%s is out of %s; enclaves know it until the next grant, with a higher version\n",
               who, tenant_path);
    }
    return code;
}

/* ---- the token ---- */

int keygen_bearer(const char *path, bool json)
{
    struct csv_credential credential;
    char token[CSV_BEARER_SIZE];
    if (!cli_credential_read(path, &credential)) {
        return CLI_FAILURE;
    }
    csv_credential_bearer(&credential, token);
    printf(json ? "{\"bearer\":\"%s\"}\n" : "%s\n", token);
    explicit_bzero(&credential, sizeof credential);
    explicit_bzero(token, sizeof token);
    return CLI_OK;
}

/* ---- the list ---- */

static bool has_right(const struct csn_wire_credential *producer, uint32_t right)
{
    return (producer->rights & right) != 0;
}

/* "0,3,12" */
static void print_mask(uint64_t mask)
{
    const char *between = "";
    for (uint32_t bit = 0; bit < 64; bit++) {
        if ((mask >> bit & 1) != 0) {
            printf("%s%u", between, bit);
            between = ",";
        }
    }
}

static const char *consumer_of(const struct csv_tenant *tenant, uint32_t producer)
{
    uint32_t index = tenant->credentials[producer].consumer;
    return index < tenant->consumer_count ? tenant->consumers[index].name : NULL;
}

static void list_json(const struct csv_tenant *tenant)
{
    static const uint8_t none[32];
    fputs("{\"tenant_id\":\"", stdout);
    cli_print_hex(stdout, tenant->id, 32);
    fputs("\",\"consumers\":[", stdout);
    for (uint32_t i = 0; i < tenant->consumer_count; i++) {
        const struct csn_wire_consumer *consumer = &tenant->consumers[i];
        fputs(i == 0 ? "{\"name\":" : ",{\"name\":", stdout);
        cli_json_string(stdout, consumer->name);
        printf(",\"enclave_may_open\":%s}",
               memcmp(consumer->secret_key, none, 32) != 0 ? "true" : "false");
    }
    fputs("],\"producers\":[", stdout);
    for (uint32_t i = 0; i < tenant->credential_count; i++) {
        const struct csn_wire_credential *producer = &tenant->credentials[i];
        printf("%s{\"credential\":\"%016llx\",\"consumer\":", i == 0 ? "" : ",",
               (unsigned long long)producer->id);
        if (consumer_of(tenant, i) != NULL) {
            cli_json_string(stdout, consumer_of(tenant, i));
        } else {
            fputs("null", stdout);
        }
        fputs(",\"purposes\":[", stdout);
        print_mask(producer->purpose_mask);
        fputs("],\"fields\":[", stdout);
        print_mask(producer->field_mask);
        printf("],\"budget\":%llu,\"keys\":%s,\"requests\":%s,\"bearer\":%s}",
               (unsigned long long)producer->budget,
               has_right(producer, CSN_WIRE_RIGHT_KEYS) ? "true" : "false",
               has_right(producer, CSN_WIRE_RIGHT_REQUEST) ? "true" : "false",
               has_right(producer, CSN_WIRE_RIGHT_BEARER) ? "true" : "false");
    }
    puts("]}");
}

static void list_text(const struct csv_tenant *tenant)
{
    for (uint32_t i = 0; i < tenant->consumer_count; i++) {
        printf("consumer %s\n", tenant->consumers[i].name);
    }
    for (uint32_t i = 0; i < tenant->credential_count; i++) {
        const struct csn_wire_credential *producer = &tenant->credentials[i];
        const char *consumer = consumer_of(tenant, i);
        printf("producer %016llx, %s%s, purposes ", (unsigned long long)producer->id,
               consumer != NULL ? "delivers to " : "gets replies",
               consumer != NULL ? consumer : "");
        print_mask(producer->purpose_mask);
        if (has_right(producer, CSN_WIRE_RIGHT_DETOKENIZE)) {
            fputs(", detokenizes fields ", stdout);
            print_mask(producer->field_mask);
            printf(", budget %llu", (unsigned long long)producer->budget);
        } else if (producer->field_mask != 0) {
            fputs(", roles ", stdout);
            print_mask(producer->field_mask);
        }
        fputs(has_right(producer, CSN_WIRE_RIGHT_KEYS) ? ", manages keys" : "", stdout);
        fputs(has_right(producer, CSN_WIRE_RIGHT_REQUEST) ? ", sends requests" : "", stdout);
        fputs(has_right(producer, CSN_WIRE_RIGHT_BEARER) ? ", with a bearer token" : "", stdout);
        putchar('\n');
    }
}

int keygen_list(const char *tenant_path, bool json)
{
    struct csv_tenant tenant;
    if (!cli_tenant_read(tenant_path, &tenant)) {
        return CLI_FAILURE;
    }
    if (json) {
        list_json(&tenant);
    } else {
        list_text(&tenant);
    }
    explicit_bzero(&tenant, sizeof tenant);
    return CLI_OK;
}
