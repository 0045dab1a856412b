/* SPDX-License-Identifier: Apache-2.0 */
/* verb_keygen.c: `caisson keygen`: every key file there is, made in one place. */
#include "cli.h"
#include "crypto/curve.h"
#include "keygen.h"
#include "pack/pack.h"
#include "seed.h"
#include "tenant_file.h"
#include <caisson/client.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: caisson keygen signer FILE                    signs images (caisson sign)\n"
    "       caisson keygen root FILE                      signs development evidence (caisson "
    "run)\n"
    "       caisson keygen weights FILE                   seals models (caisson model)\n"
    "       caisson keygen tenant FILE                    owns data: keys, consumers, producers\n"
    "       caisson keygen consumer --tenant FILE --name NAME OUT [--enclave-may-open]\n"
    "       caisson keygen producer --tenant FILE [--consumer NAME] OUT [--purposes N,N]\n"
    "                               [--detokenize --fields N,N [--budget N]]\n"
    "                               [--keys] [--roles N,N] [--requests] [--bearer]\n"
    "       caisson keygen bearer FILE                    a producer's token for requests\n"
    "       caisson keygen revoke-producer --tenant FILE ID\n"
    "       caisson keygen revoke-consumer --tenant FILE NAME\n"
    "       caisson keygen list FILE                      whom a tenant's file gives access\n"
    "\n"
    "Makes a secret file, readable by you alone (0600), and prints what is public about it.\n"
    "`consumer` and `producer` also write themselves into the tenant's file, so that the next\n"
    "`caisson grant` gives them to the enclave. `revoke-producer` and `revoke-consumer` take them\n"
    "out again: the next grant, with a higher version, shuts them out (caisson(1), REVOCATION).\n"
    "Key files with a mode wider than 0600 are refused, as ssh does.\n"
    "\n"
    "  --tenant FILE        the tenant file to add to\n"
    "  --name NAME          the consumer's name, 1 to 31 bytes, as `encrypt` policies say it\n"
    "  --enclave-may-open   detokenize may open fields sealed to this consumer\n"
    "  --consumer NAME      who gets the outputs of this producer's records; without it they\n"
    "                       go back to the producer as replies\n"
    "  --purposes N,N       what the producer's records may be for, 0 to 63 (default 0: general), "
    "as\n"
    "                       caisson seal --purpose says it\n"
    "  --detokenize         the producer may ask for clear values (policy fields of --fields)\n"
    "  --fields N,N         numbers of policy fields, the first one is 0; they count places in "
    "the\n"
    "                       policy, so add new fields at its end\n"
    "  --budget N           how many values it may ask for while an enclave lives (default 1000)\n"
    "  --keys               the producer may make, change and delete keys (transit)\n"
    "  --roles N,N          roles of the policy that it has, the first one is 0 (transit)\n"
    "  --requests           the producer may send requests over HTTP, each with a proof of its "
    "own\n"
    "  --bearer             the producer may send requests with one token for all, as `bearer` "
    "prints\n"
    "                       it: for browsers and others that can do no better. The token is a "
    "secret\n"
    "  --force              overwrite an existing file\n"
    "  --json               print one JSON object\n"
    "\n"
    "Example: a bank, its analysts, and the till that feeds them\n"
    "  caisson keygen tenant bank.key\n"
    "  caisson keygen consumer --tenant bank.key --name analysts analysts.key\n"
    "  caisson keygen producer --tenant bank.key --consumer analysts till.key\n";

struct wish {
    const char *tenant_path;
    const char *name;
    const char *consumer;
    const char *fields;
    const char *purposes;
    const char *budget;
    bool enclave_may_open;
    const char *roles;
    bool detokenize;
    bool keys;
    bool requests;
    bool bearer;
    bool force;
    bool json;
};

/* What is public about the new file, on stdout. */
static int report(const struct wish *wish, const char *kind, const char *path, const char *label,
                  const uint8_t bytes[32])
{
    if (wish->json) {
        printf("{\"kind\":\"%s\",\"file\":", kind);
        cli_json_string(stdout, path);
        printf(",\"%s\":\"", label);
        cli_print_hex(stdout, bytes, 32);
        puts("\"}");
    } else {
        cli_print_hex(stdout, bytes, 32);
        putchar('\n');
    }
    return CLI_OK;
}

static int make_seed(const struct wish *wish, const char *kind, const char *path)
{
    uint8_t seed[32];
    uint8_t public_key[32];
    const char *magic = strcmp(kind, "root") == 0 ? CLI_SEED_ROOT : CLI_SEED_SIGNER;
    if (!cli_seed_create(path, magic, wish->force, seed)) {
        return CLI_FAILURE;
    }
    csn_ed25519_public(public_key, seed);
    explicit_bzero(seed, sizeof seed);
    return report(wish, kind, path, "public_key", public_key);
}

static int make_weights(const struct wish *wish, const char *path)
{
    uint8_t key[32];
    uint8_t id[32];
    if (!cli_seed_create(path, CLI_SEED_WEIGHTS, wish->force, key)) {
        return CLI_FAILURE;
    }
    csn_pack_key_id(key, id);
    explicit_bzero(key, sizeof key);
    return report(wish, "weights", path, "key_id", id);
}

static int make_tenant(const struct wish *wish, const char *path)
{
    struct csv_tenant tenant;
    csn_err err = csv_tenant_new(&tenant);
    if (err != CSN_OK) {
        return cli_fail(CLI_FAILURE, "no keys made: %s", csn_err_name(err));
    }
    bool good = cli_tenant_write(path, &tenant, wish->force);
    int code = good ? report(wish, "tenant", path, "tenant_id", tenant.id) : CLI_FAILURE;
    explicit_bzero(&tenant, sizeof tenant);
    return code;
}

/* The new file first: a tenant file that lists a key which nobody holds would be no use. */
static int save_both(const struct wish *wish, const char *path, const void *file, size_t size,
                     const struct csv_tenant *tenant)
{
    bool good = cli_secret_write(path, file, size, wish->force) &&
                cli_tenant_write(wish->tenant_path, tenant, true);
    return good ? CLI_OK : CLI_FAILURE;
}

static int make_consumer(const struct wish *wish, struct csv_tenant *tenant, const char *path)
{
    struct csv_consumer consumer;
    uint8_t file[CSV_CONSUMER_FILE_SIZE];
    csn_err err = csv_tenant_add_consumer(tenant, wish->name, wish->enclave_may_open, &consumer);
    if (err != CSN_OK) {
        return cli_fail(CLI_FAILURE, "consumer %s: %s", wish->name,
                        err == CSN_ERR_LIMIT ? "the tenant has no room for one more"
                                             : "a name is 1 to 31 bytes and there only once");
    }
    csv_consumer_encode(&consumer, file);
    int code = save_both(wish, path, file, sizeof file, tenant);
    if (code == CLI_OK) {
        code = report(wish, "consumer", path, "public_key", consumer.public_key);
    }
    explicit_bzero(&consumer, sizeof consumer);
    explicit_bzero(file, sizeof file);
    return code;
}

/* "0,3,12" as a bit mask; numbers 0 .. 63. */
static int parse_mask(const char *option, const char *text, uint64_t *mask)
{
    *mask = 0;
    while (*text != 0) {
        char number[8] = {0};
        uint64_t field = 0;
        size_t length = strcspn(text, ",");
        memcpy(number, text, length < sizeof number ? length : sizeof number - 1);
        int code = cli_number(option, number, 0, 63, &field);
        if (code != CLI_OK) {
            return code;
        }
        *mask |= UINT64_C(1) << field;
        text += length;
        text += *text == ',' ? 1 : 0;
    }
    return *mask != 0 ? CLI_OK : cli_fail(CLI_USAGE, "%s: names none", option);
}

static int parse_rights(const struct wish *wish, const struct csv_tenant *tenant,
                        struct csv_rights *rights)
{
    *rights =
        (struct csv_rights){.rights = CSN_WIRE_RIGHT_SUBMIT, .consumer = CSN_WIRE_CONSUMER_NONE};
    for (uint32_t i = 0; wish->consumer != NULL && i < tenant->consumer_count; i++) {
        if (strcmp(tenant->consumers[i].name, wish->consumer) == 0) {
            rights->consumer = i;
        }
    }
    if (wish->consumer != NULL && rights->consumer == CSN_WIRE_CONSUMER_NONE) {
        return cli_fail(CLI_FAILURE,
                        "the tenant has no consumer %s; make it with caisson keygen "
                        "consumer",
                        wish->consumer);
    }
    if (wish->detokenize != (wish->fields != NULL)) {
        return cli_fail(CLI_USAGE, "--detokenize and --fields go together");
    }
    if (wish->roles != NULL && wish->fields != NULL) {
        return cli_fail(CLI_USAGE,
                        "--fields are of a tokenize policy, --roles of a transit policy");
    }
    if ((wish->requests || wish->bearer) && wish->consumer != NULL) {
        return cli_fail(CLI_USAGE, "who sends requests gets the answers: --requests and --bearer "
                                   "go without --consumer");
    }
    rights->rights |= wish->requests ? CSN_WIRE_RIGHT_REQUEST : 0;
    rights->rights |= wish->bearer ? CSN_WIRE_RIGHT_BEARER : 0;
    rights->rights |= wish->keys ? CSN_WIRE_RIGHT_KEYS : 0;
    int code = parse_mask("--purposes", wish->purposes, &rights->purpose_mask);
    if (code == CLI_OK && wish->roles != NULL) {
        code = parse_mask("--roles", wish->roles, &rights->field_mask);
    }
    if (code == CLI_OK && wish->detokenize) {
        rights->rights |= CSN_WIRE_RIGHT_DETOKENIZE;
        code = parse_mask("--fields", wish->fields, &rights->field_mask);
        return code != CLI_OK
                   ? code
                   : cli_number("--budget", wish->budget, 1, UINT64_MAX, &rights->budget);
    }
    return code;
}

static int make_producer(const struct wish *wish, struct csv_tenant *tenant, const char *path)
{
    struct csv_rights rights;
    struct csv_credential credential;
    uint8_t file[CSV_CREDENTIAL_FILE_SIZE];
    int code = parse_rights(wish, tenant, &rights);
    if (code != CLI_OK) {
        return code;
    }
    csn_err err = csv_tenant_add_producer(tenant, &rights, &credential);
    if (err != CSN_OK) {
        return cli_fail(CLI_FAILURE, "no producer added: %s", csn_err_name(err));
    }
    csv_credential_encode(&credential, file);
    code = save_both(wish, path, file, sizeof file, tenant);
    if (code == CLI_OK && wish->json) {
        printf("{\"kind\":\"producer\",\"file\":");
        cli_json_string(stdout, path);
        printf(",\"credential\":\"%016llx\"}\n", (unsigned long long)credential.id);
    } else if (code == CLI_OK) {
        printf("%016llx\n", (unsigned long long)credential.id);
    }
    explicit_bzero(&credential, sizeof credential);
    explicit_bzero(file, sizeof file);
    return code;
}

static int make_member(const struct wish *wish, const char *kind, const char *path)
{
    struct csv_tenant tenant;
    bool consumer = strcmp(kind, "consumer") == 0;
    if (wish->tenant_path == NULL || (consumer && wish->name == NULL)) {
        return cli_fail(CLI_USAGE, "%s wants --tenant FILE%s", kind,
                        consumer ? " and --name NAME" : "");
    }
    if (!cli_tenant_read(wish->tenant_path, &tenant)) {
        return CLI_FAILURE;
    }
    int code = consumer ? make_consumer(wish, &tenant, path) : make_producer(wish, &tenant, path);
    explicit_bzero(&tenant, sizeof tenant);
    return code;
}

static int run(int argc, char **argv)
{
    struct wish wish = {.budget = "1000", .purposes = "0"};
    const struct cli_option options[] = {
        {"--tenant", &wish.tenant_path, NULL},
        {"--name", &wish.name, NULL},
        {"--consumer", &wish.consumer, NULL},
        {"--fields", &wish.fields, NULL},
        {"--roles", &wish.roles, NULL},
        {"--purposes", &wish.purposes, NULL},
        {"--budget", &wish.budget, NULL},
        {"--enclave-may-open", NULL, &wish.enclave_may_open},
        {"--detokenize", NULL, &wish.detokenize},
        {"--keys", NULL, &wish.keys},
        {"--requests", NULL, &wish.requests},
        {"--bearer", NULL, &wish.bearer},
        {"--force", NULL, &wish.force},
        {"--json", NULL, &wish.json},
    };
    const char *operands[2];
    size_t count;
    bool done;
    int code = cli_options(&cli_keygen, argc, argv, options, sizeof options / sizeof options[0],
                           operands, 2, &count, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (count != 2) {
        return cli_fail(CLI_USAGE, "wants a kind and a file; see caisson keygen --help");
    }
    code = cli_client_init();
    if (code != CLI_OK) {
        return code;
    }
    const char *kind = operands[0];
    if (strcmp(kind, "signer") == 0 || strcmp(kind, "root") == 0) {
        return make_seed(&wish, kind, operands[1]);
    }
    if (strcmp(kind, "weights") == 0) {
        return make_weights(&wish, operands[1]);
    }
    if (strcmp(kind, "tenant") == 0) {
        return make_tenant(&wish, operands[1]);
    }
    if (strcmp(kind, "consumer") == 0 || strcmp(kind, "producer") == 0) {
        return make_member(&wish, kind, operands[1]);
    }
    if (strcmp(kind, "revoke-producer") == 0 || strcmp(kind, "revoke-consumer") == 0) {
        return keygen_revoke(wish.tenant_path, strcmp(kind, "revoke-consumer") == 0, operands[1],
                             wish.json);
    }
    if (strcmp(kind, "bearer") == 0) {
        return keygen_bearer(operands[1], wish.json);
    }
    if (strcmp(kind, "list") == 0) {
        return keygen_list(operands[1], wish.json);
    }
    return cli_fail(CLI_USAGE, "no such kind of key: %s; see caisson keygen --help", kind);
}

const struct cli_verb cli_keygen = {.name = "keygen",
                                    .summary = "make key files: signer, root, weights, tenant, "
                                               "consumer, producer",
                                    .help = help,
                                    .run = run};
