/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verb_grant.c: `caisson grant`: verify a running enclave, then give it keys and a policy.
 *
 * Trust: nothing is sealed to a key that this very call has not verified, with a nonce of its own.
 */
#include "appraise.h"
#include "cli.h"
#include "control.h"
#include "seed.h"
#include "tenant_file.h"
#include <caisson/client.h>
#include <caisson/policy.h>
#include <caisson/wire/policy.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define SERVE_PAUSE_MAX 8u /* seconds between looks, where they fail */

static const char help[] =
    "usage: caisson grant --check POLICY.json [--tenant FILE]\n"
    "       caisson grant --control SOCKET --tenant FILE (--policy POLICY.json | --no-policy)\n"
    "                     --version N --statement OUT [--purpose N] [--serve]\n"
    "                     (--image ELF | --measurement HEX | --signer HEX[:MIN])\n"
    "                     [--insecure-dev --root HEX] [--allow-debug]\n"
    "\n"
    "The first form only compiles a policy; what is wrong is said as FILE:LINE:COLUMN.\n"
    "The second asks the enclave behind SOCKET for evidence over a fresh nonce, appraises it, and\n"
    "only then seals the tenant's keys, credentials and policy to it. The receipt must come from\n"
    "the enclave itself. The statement says to your producers which key to seal to.\n"
    "\n"
    "  --check POLICY       compile only; with --tenant its consumers are known\n"
    "  --control SOCKET     as given to caisson run; it has five seconds to appear\n"
    "  --tenant FILE        caisson keygen tenant\n"
    "  --policy POLICY      of the image: docs/TOKENIZE.md, docs/TRANSIT.md, docs/MODEL.md\n"
    "  --weights-key FILE   caisson keygen weights: opens the model that the policy names; it goes "
    "to\n"
    "                       the enclave with the grant\n"
    "  --no-policy          for an enclave that takes none\n"
    "  --version N          of the grant; an enclave takes only rising ones\n"
    "  --purpose N          1 to 63: only records sealed for that purpose are served (default 0: "
    "any\n"
    "                       that their credential lists)\n"
    "  --statement OUT      where the signed statement goes\n" CLI_APPRAISE_HELP
    "  --serve              stay, and do it all again for each new instance behind SOCKET: after "
    "a\n"
    "                       crash, or another run. Reads tenant and policy anew each time. Ends "
    "by\n"
    "                       a signal; what goes wrong is said, and tried again\n"
    "  --json               print one JSON object, for each grant\n"
    "\n"
    "Exit codes: 0 granted, 1 failure (a policy that does not compile, a refusal), 2 usage,\n"
    "3 the evidence is invalid or a receipt is forged, 4 could not verify.\n"
    "\n"
    "Example\n"
    "  caisson grant --check card.json\n"
    "  caisson grant --control run.sock --tenant bank.key --policy card.json --version 1 \\\n"
    "      --image tokenize.elf --insecure-dev --root $root --statement statement\n";

struct wish {
    struct cli_appraise appraise;
    const char *check, *control, *tenant, *policy, *version_text, *statement, *purpose_text;
    const char *weights_key;
    bool no_policy;
    bool serve;
    bool json;
    uint64_t version;
    uint64_t purpose;
};

/* Who has the grant already. */
struct granted {
    bool any;
    uint8_t boot_id[16];
};

static struct csv_tenant tenant;
static uint8_t policy[CSN_WIRE_POLICY_SIZE_MAX];
static size_t policy_size;
static uint8_t weights_key[32]; /* zeros while only checking, without one */

static int load_tenant(const char *path)
{
    return cli_tenant_read(path, &tenant) ? CLI_OK : CLI_FAILURE;
}

static int compile(const struct wish *wish, const char *path)
{
    const char *names[CSN_WIRE_CONSUMER_COUNT_MAX];
    const bool has_key = wish->weights_key != NULL || wish->check != NULL;
    struct csv_policy_consumers consumers = {.names = names,
                                             .count = tenant.consumer_count,
                                             .weights_key = has_key ? weights_key : NULL};
    struct csv_policy_error error = {0};
    size_t size = 0;
    for (uint32_t i = 0; i < tenant.consumer_count; i++) {
        names[i] = tenant.consumers[i].name;
    }
    uint8_t *text = cli_read_file(path, CSV_POLICY_TEXT_SIZE_MAX, &size);
    if (text == NULL) {
        return CLI_FAILURE;
    }
    csn_err err = csv_policy_compile((const char *)text, size, &consumers, policy, sizeof policy,
                                     &policy_size, &error);
    free(text);
    if (err == CSN_ERR_FORMAT && error.line != 0) {
        fprintf(stderr, "%s:%u:%u: %s\n", path, error.line, error.column, error.text);
        return CLI_FAILURE;
    }
    return err == CSN_OK ? CLI_OK
                         : cli_fail(CLI_FAILURE, "%s: %s", path,
                                    error.text[0] != 0 ? error.text : csn_err_name(err));
}

static int check_only(const struct wish *wish)
{
    int code = wish->tenant != NULL ? load_tenant(wish->tenant) : CLI_OK;
    code = code == CLI_OK ? compile(wish, wish->check) : code;
    if (code == CLI_OK && wish->json) {
        printf("{\"policy\":");
        cli_json_string(stdout, wish->check);
        printf(",\"compiled_size\":%zu}\n", policy_size);
    } else if (code == CLI_OK) {
        printf("%s: ok, %zu bytes compiled\n", wish->check, policy_size);
    }
    return code;
}

/* Fresh evidence, appraised; the verdict is the caller's to free. */
static int verify(const struct wish *wish, int fd, struct csv_verdict **verdict)
{
    uint8_t nonce[32];
    uint32_t size = 0;
    if (getrandom(nonce, sizeof nonce, 0) != (ssize_t)sizeof nonce) {
        return cli_fail(CLI_FAILURE, "no randomness");
    }
    uint8_t *bundle = cli_control_call(fd, CSN_CONTROL_EVIDENCE, nonce, sizeof nonce, &size);
    if (bundle == NULL) {
        return CLI_UNVERIFIED;
    }
    csn_err err = csv_appraise_bundle(wish->appraise.policy, bundle, size, nonce, verdict);
    free(bundle);
    if (err == CSN_OK) {
        return CLI_OK;
    }
    cli_fail(0, "nothing was granted: %s", csn_err_name(err));
    return *verdict != NULL ? cli_appraise_report(*verdict, stderr, true, false) : CLI_UNVERIFIED;
}

/* One answer of one worker at *at; moves on. */
static int open_receipt(const struct csv_grant *grant, const uint8_t *reply, uint32_t size,
                        uint32_t *at)
{
    struct csn_wire_answer answer;
    struct csn_wire_result result;
    struct csn_wire_receipt receipt;
    if (size - *at < sizeof answer) {
        return cli_fail(CLI_INVALID, "the answer is cut off");
    }
    memcpy(&answer, reply + *at, sizeof answer);
    *at += (uint32_t)sizeof answer;
    if (answer.size > size - *at) {
        return cli_fail(CLI_INVALID, "the answer is cut off");
    }
    if (answer.code != CSN_WIRE_GRANTED) {
        return cli_fail(CLI_FAILURE, "the grant was rejected: %s (code %u; not authenticated)",
                        answer.code == CSN_WIRE_REJECT_STALE  ? "its version does not rise"
                        : answer.code == CSN_WIRE_REJECT_MODE ? "the image serves no such purpose"
                                                              : "see docs/WIRE.md",
                        answer.code);
    }
    csn_err err = csv_receipt_open(grant, reply + *at, answer.size, &result, &receipt);
    *at += answer.size;
    if (err != CSN_OK) {
        return cli_fail(CLI_INVALID, "the receipt is not the enclave's: %s", csn_err_name(err));
    }
    return result.status == CSN_WIRE_STATUS_OK
               ? CLI_OK
               : cli_fail(CLI_FAILURE, "the enclave refuses the grant: %s%s",
                          cli_status_name(result.status),
                          result.status == CSN_WIRE_STATUS_LIMIT
                              ? ": more keys, consumers, producers or policy than it has room for "
                                "(caisson inspect IMAGE)"
                              : "");
}

static int send(const struct wish *wish, int fd, const struct csv_recipient *instance,
                struct csv_grant *grant)
{
    static uint8_t message[CSN_WIRE_GRANT_SIZE_MAX];
    uint32_t message_size = 0;
    uint32_t size = 0;
    uint32_t at = 0;
    const struct csv_grant_options options = {.tenant = &tenant,
                                              .instance = instance,
                                              .version = wish->version,
                                              .security_version_min =
                                                  wish->appraise.security_version_min,
                                              .purpose = (uint32_t)wish->purpose,
                                              .policy = policy,
                                              .policy_size = (uint32_t)policy_size};
    csn_err err = csv_grant_build(&options, message, sizeof message, &message_size, grant);
    if (err != CSN_OK) {
        return cli_fail(CLI_FAILURE, "the grant was not built: %s", csn_err_name(err));
    }
    uint8_t *reply = cli_control_call(fd, CSN_CONTROL_GRANT, message, message_size, &size);
    int code = reply != NULL ? CLI_OK : CLI_FAILURE;
    code = code == CLI_OK ? open_receipt(grant, reply, size, &at) : code;
    while (code == CLI_OK && at < size) { /* one more worker */
        code = open_receipt(grant, reply, size, &at);
    }
    free(reply);
    return code;
}

static int report(const struct wish *wish, const struct csv_image *image,
                  const struct csv_grant *grant)
{
    if (wish->json) {
        fputs("{\"tenant_id\":\"", stdout);
        cli_print_hex(stdout, grant->tenant, 32);
        printf("\",\"version\":%llu,\"digest\":\"", (unsigned long long)grant->version);
        cli_print_hex(stdout, grant->digest, 32);
        fputs("\",\"measurement\":\"", stdout);
        cli_print_hex(stdout, image->measurement, 48);
        fputs("\",\"statement\":", stdout);
        cli_json_string(stdout, wish->statement);
        puts("}");
        return CLI_OK;
    }
    printf("granted version %llu to %s, measurement ", (unsigned long long)grant->version,
           image->name);
    cli_print_hex(stdout, image->measurement, 48);
    putchar('\n');
    return CLI_OK;
}

/* Tenant and policy as they are now: who was revoked meanwhile gets into no grant. */
static int load(const struct wish *wish)
{
    int code = load_tenant(wish->tenant);
    return code == CLI_OK && wish->policy != NULL ? compile(wish, wish->policy) : code;
}

static int grant_verified(const struct wish *wish, int fd, const struct csv_verdict *verdict)
{
    struct csv_grant grant;
    struct csv_statement statement;
    const struct csv_recipient *instance = csv_verdict_instance(verdict);
    int code = load(wish);
    code = code == CLI_OK ? send(wish, fd, instance, &grant) : code;
    if (code == CLI_OK) {
        csn_err err = csv_statement_build(&tenant, instance, wish->version, &statement);
        bool good =
            err == CSN_OK && cli_write_file(wish->statement, &statement, sizeof statement, false);
        code = good ? report(wish, csv_verdict_image(verdict), &grant)
                    : cli_fail(CLI_FAILURE, "granted, but no statement was written");
    }
    explicit_bzero(&grant, sizeof grant);
    return code;
}

/* Nothing more than a look where this very instance has its grant. */
static int grant_to(const struct wish *wish, int fd, struct granted *granted)
{
    struct csv_verdict *verdict = NULL;
    int code = verify(wish, fd, &verdict);
    const struct csv_image *image = code == CLI_OK ? csv_verdict_image(verdict) : NULL;
    if (code == CLI_OK && !(granted->any && memcmp(granted->boot_id, image->boot_id, 16) == 0)) {
        code = grant_verified(wish, fd, verdict);
        granted->any = code == CLI_OK;
        memcpy(granted->boot_id, image->boot_id, 16);
    }
    csv_verdict_free(verdict);
    return code;
}

/* A connection for each look: the socket serves one at a time, and other tenants want it too. */
static int look(const struct wish *wish, struct granted *granted)
{
    int fd = cli_control_connect(wish->control);
    if (fd < 0) {
        return CLI_UNVERIFIED;
    }
    int code = grant_to(wish, fd, granted);
    close(fd);
    return code;
}

static void serve(const struct wish *wish)
{
    struct granted granted = {.any = false};
    unsigned int pause = 1;
    for (;;) {
        int code = look(wish, &granted);
        (void)fflush(stdout);
        pause = code == CLI_OK ? 1 : pause * 2 < SERVE_PAUSE_MAX ? pause * 2 : SERVE_PAUSE_MAX;
        sleep(pause);
    }
}

static int grant(struct wish *wish)
{
    if (wish->control == NULL || wish->tenant == NULL || wish->version_text == NULL ||
        wish->statement == NULL || (wish->policy == NULL) != wish->no_policy) {
        return cli_fail(CLI_USAGE, "wants --control, --tenant, --version, --statement and either "
                                   "--policy or --no-policy; see caisson grant --help");
    }
    int code = cli_number("--version", wish->version_text, 1, UINT64_MAX, &wish->version);
    code =
        code == CLI_OK ? cli_number("--purpose", wish->purpose_text, 0, 63, &wish->purpose) : code;
    code = code == CLI_OK ? cli_appraise_policy(&wish->appraise) : code;
    code = code == CLI_OK ? load(wish) : code; /* what is wrong with them is said before all else */
    if (code == CLI_OK && wish->serve) {
        serve(wish);
    }
    return code == CLI_OK ? look(wish, &(struct granted){.any = false}) : code;
}

static int run(int argc, char **argv)
{
    static struct wish wish = {.purpose_text = "0"};
    const struct cli_option options[] = {
        CLI_APPRAISE_OPTIONS(wish.appraise),    {"--check", &wish.check, NULL},
        {"--control", &wish.control, NULL},     {"--tenant", &wish.tenant, NULL},
        {"--policy", &wish.policy, NULL},       {"--weights-key", &wish.weights_key, NULL},
        {"--no-policy", NULL, &wish.no_policy}, {"--version", &wish.version_text, NULL},
        {"--statement", &wish.statement, NULL}, {"--purpose", &wish.purpose_text, NULL},
        {"--json", NULL, &wish.json},           {"--serve", NULL, &wish.serve},
    };
    const char *operands[1];
    size_t count;
    bool done;
    int code = cli_options(&cli_grant, argc, argv, options, sizeof options / sizeof options[0],
                           operands, 0, &count, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    code = cli_client_init();
    if (code != CLI_OK) {
        return code;
    }
    if (wish.weights_key != NULL &&
        !cli_seed_read(wish.weights_key, CLI_SEED_WEIGHTS, weights_key)) {
        return CLI_FAILURE;
    }
    code = wish.check != NULL ? check_only(&wish) : grant(&wish);
    explicit_bzero(&tenant, sizeof tenant);
    explicit_bzero(weights_key, sizeof weights_key);
    explicit_bzero(policy, sizeof policy);
    return code;
}

const struct cli_verb cli_grant = {.name = "grant",
                                   .summary = "verify an enclave, then give it keys and a policy",
                                   .help = help,
                                   .run = run};
