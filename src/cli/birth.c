/* SPDX-License-Identifier: Apache-2.0 */
/* birth.c: see birth.h. The certificate says what is printed only if it verified. */
#include "birth.h"
#include "appraise.h"
#include <caisson/wire/birth.h>
#include <stdlib.h>
#include <string.h>

struct view {
    csn_err err;
    struct csv_birth birth;
};

static const char *const operation_names[] = {"encrypt",     "decrypt", "sign",   "verify",
                                              "mac",         "derive",  "agree",  "encapsulate",
                                              "decapsulate", "datakey", "rewrap", "fpe"};
#define OPERATION_COUNT (sizeof operation_names / sizeof operation_names[0])
_Static_assert(CSN_WIRE_OPERATIONS_ALL == (UINT32_C(1) << OPERATION_COUNT) - 1, "names");

static const char *failure(csn_err err)
{
    switch (err) {
    case CSN_ERR_FORMAT:
        return "not a birth certificate";
    case CSN_ERR_STATE:
        return "nothing to check it with: no valid evidence that names a key for statements";
    case CSN_ERR_AUTH:
        return "not signed by the instance that the evidence is of";
    default:
        return csn_err_name(err);
    }
}

static const char *origin(const struct csv_birth *birth)
{
    return birth->origin == CSN_WIRE_BIRTH_GENERATED ? "generated" : "imported";
}

static void print_names(const struct csv_birth *birth, const char *before, const char *between)
{
    const char *gap = "";
    for (size_t i = 0; i < OPERATION_COUNT; i++) {
        if ((birth->operations >> i & 1) != 0) {
            printf("%s%s%s%s", gap, before, operation_names[i], before);
            gap = between;
        }
    }
}

static void print_text(const struct view *view)
{
    const struct csv_birth *birth = &view->birth;
    if (view->err != CSN_OK) {
        printf("birth certificate: refused: %s\n", failure(view->err));
        return;
    }
    printf("birth certificate: key %s, version %u: %s, %s %s\n", birth->name, birth->key_version,
           csv_birth_type_name(birth->key_type), origin(birth),
           birth->own_boot ? "in this boot" : "in an earlier boot");
    if (birth->origin == CSN_WIRE_BIRTH_IMPORTED) {
        printf("  imported: whoever sent it in has its private half, too\n");
    }
    if (!birth->own_boot) {
        printf("  restored from the store: that it never left is the word of the image and of\n"
               "  whoever gives it the store's key\n");
    }
    printf("  operations  ");
    print_names(birth, "", " ");
    printf("\n  tenant      ");
    cli_print_hex(stdout, birth->tenant, sizeof birth->tenant);
    if (birth->public_size != 0) {
        printf("\n  public key  ");
        cli_print_hex(stdout, birth->public_key, birth->public_size);
    }
    printf("\n");
}

static void print_member(const char *name, const uint8_t *bytes, size_t size)
{
    printf(",\"%s\":\"", name);
    cli_print_hex(stdout, bytes, size);
    printf("\"");
}

static void print_json(const struct view *view)
{
    const struct csv_birth *birth = &view->birth;
    printf(",\"birth\":{\"valid\":%s", view->err == CSN_OK ? "true" : "false");
    if (view->err != CSN_OK) {
        printf(",\"reason\":\"%s\"}}\n", failure(view->err));
        return;
    }
    printf(",\"name\":\"%s\",\"version\":%u,\"type\":\"%s\",\"origin\":\"%s\",\"own_boot\":%s",
           birth->name, birth->key_version, csv_birth_type_name(birth->key_type), origin(birth),
           birth->own_boot ? "true" : "false");
    printf(",\"operations\":[");
    print_names(birth, "\"", ",");
    printf("],\"derived\":%s,\"grant_version\":%llu,\"change\":%llu,\"max_uses\":%llu",
           (birth->flags & CSN_WIRE_BIRTH_DERIVED) != 0 ? "true" : "false",
           (unsigned long long)birth->grant_version, (unsigned long long)birth->change,
           (unsigned long long)birth->records_max);
    print_member("tenant", birth->tenant, sizeof birth->tenant);
    print_member("boot_id", birth->boot_id, sizeof birth->boot_id);
    print_member("measurement", birth->measurement, sizeof birth->measurement);
    print_member("grant_digest", birth->grant_digest, sizeof birth->grant_digest);
    print_member("public_key", birth->public_key, birth->public_size);
    printf("}}\n");
}

/* The verdict's object without its last brace. */
static bool print_verdict_open(const struct csv_verdict *verdict)
{
    size_t size = csv_verdict_json(verdict, NULL, 0);
    char *text = malloc(size + 1);
    if (text == NULL) {
        return false;
    }
    csv_verdict_json(verdict, text, size + 1);
    printf("%.*s", (int)size - 1, text);
    free(text);
    return true;
}

int cli_birth_report(const struct csv_verdict *verdict, const struct cli_birth_options *options)
{
    struct view view;
    size_t size = 0;
    int code = CLI_UNVERIFIED;
    uint8_t *bytes = cli_read_file(options->path, CSN_WIRE_BIRTH_SIZE_MAX, &size);
    if (bytes == NULL) {
        return CLI_UNVERIFIED;
    }
    view.err = csv_birth_check(verdict, bytes, size, &view.birth);
    uint32_t result = csv_verdict_result(verdict);
    if (!options->json) {
        code = cli_appraise_report(verdict, stdout, options->explain, false);
        print_text(&view);
    } else if (print_verdict_open(verdict)) {
        code = result == CSV_VALID ? CLI_OK : result == CSV_INVALID ? CLI_INVALID : CLI_UNVERIFIED;
        print_json(&view);
    }
    free(bytes);
    return code == CLI_OK && view.err != CSN_OK ? CLI_INVALID : code;
}
