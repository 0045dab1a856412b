/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verb_seal.c: `caisson seal`: a producer's lines become sealed records.
 *
 * Trust: the statement is hostile until the tenant's signature verified; the tenant's id, which
 * decides that, comes from the caller and not from the file.
 */
#include "cli.h"
#include "tenant_file.h"
#include <caisson/client.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE_SIZE_MAX  (UINT64_C(1) << 20)
#define RECORD_SIZE_MAX 131072u

static const char help[] =
    "usage: caisson seal --statement F --tenant-id HEX --credential F [--operation N]\n"
    "                    [--purpose N] [--whole] [INPUT] [OUTPUT]\n"
    "\n"
    "Seals each line of INPUT (default stdin) as one record, and writes framed records to OUTPUT\n"
    "(default stdout) as `caisson run` reads them. The last one says that the stream ends and how\n"
    "many records it had, so that the consumer notices any that a host held back. Empty lines are\n"
    "passed over.\n"
    "\n"
    "  --statement F    from caisson grant: which key to seal to; it must be signed by the tenant\n"
    "  --tenant-id HEX  whose statement you expect (caisson keygen tenant printed it)\n"
    "  --credential F   caisson keygen producer\n"
    "  --operation N    number in the enclave's service table (default 1)\n"
    "  --purpose N      why, 0 to 63 (default 0, general): one that the credential lists, and the\n"
    "                   grant's own where it is for one purpose; else the enclave refuses\n"
    "  --whole          the whole input is one record, newlines and all\n"
    "  --json           what was done as one JSON object, on stderr where OUTPUT is stdout\n"
    "\n"
    "Exit codes: 0 sealed, 1 failure, 2 usage, 3 the statement is not that tenant's.\n"
    "\n"
    "Example\n"
    "  caisson seal --statement statement --tenant-id $bank --credential till.key \\\n"
    "      cards.ndjson sealed\n";

struct seal {
    const char *statement, *tenant, *credential_path, *operation_text, *purpose_text;
    bool whole;
    bool json;
    uint64_t operation;
    uint64_t purpose;
    FILE *input, *output;
    struct csv_sealer *sealer;
    uint64_t count;
    uint64_t line;
    uint8_t record[RECORD_SIZE_MAX];
};

static bool put_record(struct seal *seal, uint32_t size)
{
    return fwrite(&size, 1, sizeof size, seal->output) == sizeof size &&
           fwrite(seal->record, 1, size, seal->output) == size;
}

static int seal_one(struct seal *seal, const void *payload, size_t size)
{
    struct csv_seal_item item = {.payload = payload,
                                 .payload_size = (uint32_t)size,
                                 .operation = (uint16_t)seal->operation,
                                 .purpose = (uint32_t)seal->purpose,
                                 .record = seal->record,
                                 .record_size_max = sizeof seal->record};
    if (size > UINT32_MAX || csv_record_size((uint32_t)size, 0) == 0) {
        return cli_fail(CLI_FAILURE, "record %llu (line %llu): %zu bytes do not fit any record",
                        (unsigned long long)seal->count, (unsigned long long)seal->line, size);
    }
    csn_err err = csv_seal_batch(seal->sealer, &item, 1);
    err = err == CSN_OK ? item.result : err;
    if (err != CSN_OK) {
        return cli_fail(CLI_FAILURE, "record %llu: %s", (unsigned long long)seal->count,
                        csn_err_name(err));
    }
    seal->count++;
    return put_record(seal, item.record_size) ? CLI_OK
                                              : cli_fail(CLI_FAILURE, "the output: not written");
}

static int seal_lines(struct seal *seal)
{
    char *line = NULL;
    size_t capacity = 0;
    int code = CLI_OK;
    ssize_t got;
    while (code == CLI_OK && (got = getline(&line, &capacity, seal->input)) >= 0) {
        size_t size = (size_t)got;
        seal->line++;
        size -= size != 0 && line[size - 1] == '\n' ? 1 : 0;
        size -= size != 0 && line[size - 1] == '\r' ? 1 : 0;
        code = size != 0 ? seal_one(seal, line, size) : CLI_OK;
    }
    if (line != NULL) {
        explicit_bzero(line, capacity);
    }
    free(line);
    if (code == CLI_OK && ferror(seal->input)) {
        code = cli_fail(CLI_FAILURE, "the input: %s", strerror(errno));
    }
    return code;
}

static int seal_whole(struct seal *seal, const char *path)
{
    size_t size = 0;
    uint8_t *bytes = cli_read_file(path, WHOLE_SIZE_MAX, &size);
    if (bytes == NULL) {
        return CLI_FAILURE;
    }
    int code = seal_one(seal, bytes, size);
    explicit_bzero(bytes, size);
    free(bytes);
    return code;
}

/* The sealer, from the three things that must fit together. */
static int make_sealer(struct seal *seal)
{
    uint8_t tenant[32];
    struct csv_credential credential = {0};
    struct csv_recipient *recipient = NULL;
    size_t size = 0;
    int code = cli_hex("--tenant-id", seal->tenant, tenant, sizeof tenant);
    code = code == CLI_OK && !cli_credential_read(seal->credential_path, &credential) ? CLI_FAILURE
                                                                                      : code;
    if (code != CLI_OK) {
        return code;
    }
    if (memcmp(credential.tenant, tenant, sizeof tenant) != 0) {
        return cli_fail(CLI_INVALID, "%s: a credential of another tenant", seal->credential_path);
    }
    uint8_t *statement = cli_read_file(seal->statement, 4096, &size);
    if (statement == NULL) {
        return CLI_FAILURE;
    }
    csn_err err = csv_statement_open(statement, size, tenant, &recipient);
    free(statement);
    if (err != CSN_OK) {
        return cli_fail(CLI_INVALID, "%s: %s", seal->statement,
                        err == CSN_ERR_AUTH ? "not signed by that tenant" : "not a statement");
    }
    const struct csv_sealer_options options = {.recipient = recipient, .credential = &credential};
    err = csv_sealer_create(&options, &seal->sealer);
    csv_recipient_destroy(recipient);
    explicit_bzero(&credential, sizeof credential);
    return err == CSN_OK ? CLI_OK : cli_fail(CLI_FAILURE, "no sealer: %s", csn_err_name(err));
}

static int seal_all(struct seal *seal, const char *input, const char *output)
{
    bool standard = strcmp(output, "-") == 0;
    bool from_stdin = seal->whole || strcmp(input, "-") == 0;
    seal->input = from_stdin ? stdin : fopen(input, "rbe");
    if (seal->input == NULL) {
        return cli_fail(CLI_FAILURE, "%s: %s", input, strerror(errno));
    }
    seal->output = standard ? stdout : fopen(output, "wbe");
    if (seal->output == NULL) {
        return cli_fail(CLI_FAILURE, "%s: %s", output, strerror(errno));
    }
    uint32_t size = 0;
    int code = seal->whole ? seal_whole(seal, input) : seal_lines(seal);
    if (code == CLI_OK &&
        (csv_seal_fin(seal->sealer, seal->record, sizeof seal->record, &size) != CSN_OK ||
         !put_record(seal, size))) {
        code = cli_fail(CLI_FAILURE, "the end of the stream was not written");
    }
    if (fflush(seal->output) != 0 || (!standard && fclose(seal->output) != 0)) {
        code = cli_fail(CLI_FAILURE, "%s: not written", output);
    }
    if (code == CLI_OK && seal->json) {
        fprintf(standard ? stderr : stdout, "{\"records\":%llu,\"fin\":true}\n",
                (unsigned long long)seal->count);
    }
    return code;
}

static int run(int argc, char **argv)
{
    static struct seal seal = {.operation_text = "1", .purpose_text = "0"};
    const struct cli_option options[] = {
        {"--statement", &seal.statement, NULL},
        {"--tenant-id", &seal.tenant, NULL},
        {"--credential", &seal.credential_path, NULL},
        {"--operation", &seal.operation_text, NULL},
        {"--purpose", &seal.purpose_text, NULL},
        {"--whole", NULL, &seal.whole},
        {"--json", NULL, &seal.json},
    };
    const char *operands[2];
    bool done;
    int code = cli_stream_options(&cli_seal, argc, argv, options,
                                  sizeof options / sizeof options[0], operands, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (seal.statement == NULL || seal.tenant == NULL || seal.credential_path == NULL) {
        return cli_fail(CLI_USAGE, "wants --statement, --tenant-id and --credential; see caisson "
                                   "seal --help");
    }
    code = cli_number("--operation", seal.operation_text, 0, UINT16_MAX, &seal.operation);
    code = code == CLI_OK ? cli_number("--purpose", seal.purpose_text, 0, 63, &seal.purpose) : code;
    if (code != CLI_OK) {
        return code;
    }
    code = cli_client_init();
    if (code != CLI_OK) {
        return code;
    }
    code = make_sealer(&seal);
    code = code == CLI_OK ? seal_all(&seal, operands[0], operands[1]) : code;
    csv_sealer_destroy(seal.sealer);
    return code;
}

const struct cli_verb cli_seal = {.name = "seal",
                                  .summary = "seal lines to an enclave that a tenant vouches for",
                                  .help = help,
                                  .run = run};
