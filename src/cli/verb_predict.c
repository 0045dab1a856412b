/* SPDX-License-Identifier: Apache-2.0 */
/* verb_predict.c: `caisson predict`: what evidence will say of something that was built here. */
#include "predict.h"
#include <string.h>

static const char help[] =
    "usage: caisson predict snp|sgx|nitro OPTIONS [--json]\n\n"
    "Computes what evidence will claim, from the files that a machine is started with, so that a\n"
    "policy can list it before the machine runs. `caisson predict snp --help` teaches one kind.\n\n"
    "  snp    launch digest of an SEV-SNP guest; ID block and its signatures\n"
    "  sgx    MRENCLAVE of an SGX enclave; SIGSTRUCT and its signature\n"
    "  nitro  PCR0, 1, 2 and 8 of an AWS Nitro enclave, from its image file\n\n"
    "Exit codes: 0 ok, 1 file not readable, 2 usage, 3 a file refused or a signature wrong.\n";

static const struct cli_verb *const kinds[] = {&cli_predict_snp, &cli_predict_sgx,
                                               &cli_predict_nitro};

static int run(int argc, char **argv)
{
    const struct cli_verb *kind = NULL;
    if (argc < 2) {
        return cli_fail(CLI_USAGE, "which kind? see caisson predict --help");
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        fputs(help, stdout);
        return CLI_OK;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(strchr(kinds[i]->name, ' ') + 1, argv[1]) == 0) {
            kind = kinds[i];
        }
    }
    if (kind == NULL) {
        return cli_fail(CLI_USAGE, "no such kind: %s; see caisson predict --help", argv[1]);
    }
    cli_set_verb(kind->name);
    return kind->run(argc - 1, argv + 1);
}

const struct cli_verb cli_predict = {
    .name = "predict",
    .summary = "compute what evidence of a machine will say",
    .help = help,
    .run = run,
};
