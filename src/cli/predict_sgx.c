/* SPDX-License-Identifier: Apache-2.0 */
/* predict_sgx.c: `caisson predict sgx`: MRENCLAVE, and what a SIGSTRUCT says. */
#include "predict.h"
#include "predict/sgx_enclave.h"
#include <stdlib.h>
#include <string.h>

#define STREAM_SIZE_MAX ((size_t)1 << 30)

static const char help[] =
    "usage: caisson predict sgx [--sgxs FILE] [--sigstruct FILE] [--json]\n\n"
    "Prints what quotes of an SGX enclave will say: MRENCLAVE from the SGXS stream that it is\n"
    "loaded from; signer, product and version from its SIGSTRUCT, whose signature is checked. "
    "With\n"
    "both, the SIGSTRUCT must be of that stream.\n\n"
    "  $ caisson predict sgx --sgxs enclave.sgxs\n"
    "  $ caisson predict sgx --sgxs enclave.sgxs --sigstruct enclave.sig --json\n\n"
    "Exit codes: 0 ok, 1 file not readable, 2 usage, 3 a file refused or a signature wrong.\n";

struct wish {
    const char *stream;
    const char *sigstruct;
    bool json;
};

static void print_field(bool json, bool first, const char *name, const uint8_t *bytes, size_t size)
{
    if (json) {
        printf("%s\"%s\":\"", first ? "" : ",", name);
    } else {
        printf("%-16s ", name);
    }
    cli_print_hex(stdout, bytes, size);
    fputs(json ? "\"" : "\n", stdout);
}

static void print_sigstruct(const struct csv_sgx_sigstruct *is, bool json)
{
    print_field(json, false, "mrsigner", is->mrsigner, 32);
    print_field(json, false, "attributes", is->attributes, 16);
    print_field(json, false, "attributes_mask", is->attributes_mask, 16);
    print_field(json, false, "miscselect", is->miscselect, 4);
    print_field(json, false, "miscselect_mask", is->miscselect_mask, 4);
    print_field(json, false, "isvextprodid", is->isvextprodid, 16);
    print_field(json, false, "isvfamilyid", is->isvfamilyid, 16);
    printf(json ? ",\"isvprodid\":%u,\"isvsvn\":%u,\"date\":\"%08x\",\"signed\":%s"
                : "isvprodid        %u\nisvsvn           %u\ndate             %08x\n"
                  "signed           %s\n",
           is->isvprodid, is->isvsvn, is->date,
           is->is_signed && is->helpers_fit ? "true" : "false");
}

/* What was read; NULL for a file that was not given. */
static int finish(const struct wish *wish, const struct csv_sgx_enclave *enclave,
                  const struct csv_sgx_sigstruct *is)
{
    if (wish->json) {
        putchar('{');
    }
    print_field(wish->json, true, "mrenclave", enclave != NULL ? enclave->mrenclave : is->mrenclave,
                32);
    if (is != NULL) {
        print_sigstruct(is, wish->json);
    }
    if (wish->json) {
        puts("}");
    }
    if (is != NULL && enclave != NULL && memcmp(enclave->mrenclave, is->mrenclave, 32) != 0) {
        return cli_fail(CLI_INVALID, "the SIGSTRUCT is of another enclave");
    }
    bool good = is == NULL || (is->is_signed && is->helpers_fit);
    return good ? CLI_OK : cli_fail(CLI_INVALID, "the signature of the SIGSTRUCT is not valid");
}

static int measure(const struct wish *wish, struct csv_sgx_enclave *enclave)
{
    const char *why;
    struct csv_bytes bytes;
    uint8_t *file = cli_read_file(wish->stream, STREAM_SIZE_MAX, &bytes.size);
    if (file == NULL) {
        return CLI_FAILURE;
    }
    bytes.at = file;
    bool good = csv_sgx_measure(bytes, enclave, &why);
    free(file);
    return good ? CLI_OK : cli_fail(CLI_INVALID, "%s: %s", wish->stream, why);
}

static int read_sigstruct(const struct wish *wish, struct csv_sgx_sigstruct *sigstruct)
{
    const char *why;
    struct csv_bytes bytes;
    uint8_t *file = cli_read_file(wish->sigstruct, STREAM_SIZE_MAX, &bytes.size);
    if (file == NULL) {
        return CLI_FAILURE;
    }
    bytes.at = file;
    bool good = csv_sgx_sigstruct_read(bytes, sigstruct, &why);
    free(file);
    return good ? CLI_OK : cli_fail(CLI_INVALID, "%s: %s", wish->sigstruct, why);
}

static int run(int argc, char **argv)
{
    struct wish wish = {0};
    struct csv_sgx_enclave enclave;
    struct csv_sgx_sigstruct sigstruct;
    bool done;
    size_t count;
    const struct cli_option options[] = {
        {"--sgxs", &wish.stream, NULL},
        {"--sigstruct", &wish.sigstruct, NULL},
        {"--json", NULL, &wish.json},
    };
    int code = cli_options(&cli_predict_sgx, argc, argv, options,
                           sizeof options / sizeof options[0], NULL, 0, &count, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (wish.stream == NULL && wish.sigstruct == NULL) {
        return cli_fail(CLI_USAGE, "what? --sgxs FILE, --sigstruct FILE, or both");
    }
    if (wish.stream != NULL) {
        code = measure(&wish, &enclave);
    }
    if (code == CLI_OK && wish.sigstruct != NULL) {
        code = read_sigstruct(&wish, &sigstruct);
    }
    return code != CLI_OK ? code
                          : finish(&wish, wish.stream != NULL ? &enclave : NULL,
                                   wish.sigstruct != NULL ? &sigstruct : NULL);
}

const struct cli_verb cli_predict_sgx = {
    .name = "predict sgx",
    .summary = "MRENCLAVE and SIGSTRUCT of an SGX enclave",
    .help = help,
    .run = run,
};
