/* SPDX-License-Identifier: Apache-2.0 */
/* predict_nitro.c: `caisson predict nitro`: the registers of an AWS Nitro enclave, from its file.
 */
#include "predict.h"
#include "predict/nitro.h"
#include <stdlib.h>

static const char help[] =
    "usage: caisson predict nitro FILE.eif [--json]\n\n"
    "Computes PCR0, PCR1 and PCR2 of an AWS Nitro enclave from its image file, and PCR8 if the\n"
    "file is signed: what an attestation document of that enclave will hold, and what the lines\n"
    "pcrs.0 to pcrs.2 (and pcrs.8) of a policy must list. Printed as such lines.\n\n"
    "PCR8 is of the certificate in the file; whose it is, the file cannot tell. A signature that\n"
    "does not fit the image is refused.\n\n"
    "Example\n"
    "  caisson predict nitro server.eif >> policy.toml      # under [nitro]\n\n"
    "Exit codes: 0 ok, 1 file not readable, 2 usage, 3 not such a file, or a wrong signature.\n";

static void print(const char *format, const uint8_t pcr[48], const char *end)
{
    fputs(format, stdout);
    cli_print_hex(stdout, pcr, 48);
    fputs(end, stdout);
}

static void print_text(const struct csv_eif *eif)
{
    print("pcrs.0 = [\"", eif->pcr0, "\"]\n");
    print("pcrs.1 = [\"", eif->pcr1, "\"]\n");
    print("pcrs.2 = [\"", eif->pcr2, "\"]\n");
    if (eif->is_signed) {
        print("pcrs.8 = [\"", eif->pcr8, "\"]\n");
    }
}

static void print_json(const struct csv_eif *eif)
{
    print("{\"pcr0\":\"", eif->pcr0, "\",");
    print("\"pcr1\":\"", eif->pcr1, "\",");
    print("\"pcr2\":\"", eif->pcr2, "\",");
    print("\"pcr8\":\"", eif->pcr8, "\",");
    printf("\"signed\":%s}\n", eif->is_signed ? "true" : "false");
}

static int run(int argc, char **argv)
{
    bool json = false;
    bool done;
    const char *path = NULL;
    const char *why;
    size_t count;
    size_t size = 0;
    struct csv_eif eif;
    const struct cli_option options[] = {{"--json", NULL, &json}};
    int code = cli_options(&cli_predict_nitro, argc, argv, options, 1, &path, 1, &count, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (count != 1) {
        return cli_fail(CLI_USAGE, "which file? caisson predict nitro FILE.eif");
    }
    uint8_t *bytes = cli_read_file(path, CSV_EIF_SIZE_MAX, &size);
    if (bytes == NULL) {
        return CLI_FAILURE;
    }
    if (!csv_eif_predict((struct csv_bytes){bytes, size}, &eif, &why)) {
        code = cli_fail(CLI_INVALID, "%s: %s", path, why);
    } else if (eif.is_signed && !eif.signature_good) {
        code = cli_fail(CLI_INVALID, "%s: the signature is not over this image", path);
    } else if (json) {
        print_json(&eif);
    } else {
        print_text(&eif);
    }
    free(bytes);
    return code;
}

const struct cli_verb cli_predict_nitro = {
    .name = "predict nitro",
    .summary = "registers of an AWS Nitro enclave",
    .help = help,
    .run = run,
};
