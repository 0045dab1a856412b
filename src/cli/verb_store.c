/* SPDX-License-Identifier: Apache-2.0 */
/* verb_store.c: `caisson store`: a counter in a TPM for what an enclave keeps outside. */
#include "cli.h"
#include <caisson/evidence.h>
#include <caisson/wire/outside.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: caisson store init-tpm --tpm TCTI [--index HANDLE] [--key-handle HANDLE]\n"
    "\n"
    "Makes a counter in a TPM 2.0 that guards one journal, and prints what the tenant's policy "
    "has\n"
    "to say of it. An enclave that opens a journal under such a policy refuses an older copy of "
    "it\n"
    "also after restarts.\n"
    "\n"
    "Two NV indices are made, INDEX (a counter) and the one behind it (extended with each count);\n"
    "they must not be there yet, and are one journal's. The endorsement key, on P-256 by the "
    "TCG's\n"
    "template, is kept under a persistent handle; one that is there already stays. The owner's "
    "and\n"
    "the endorsement hierarchy must take no password.\n"
    "\n"
    "  --tpm TCTI           which TPM, such as device:/dev/tpmrm0\n"
    "  --index HANDLE       the first NV index (default 0x01800100)\n"
    "  --key-handle HANDLE  of the endorsement key (default 0x81010002)\n"
    "  --json               as without: it is one JSON object\n"
    "\n"
    "What is printed is the word of whoever answers for the TPM. That the key is a TPM's own says\n"
    "its certificate (tpm2_getekcertificate), which the tenant should check before the key goes\n"
    "into a policy: a key that somebody made up guards nothing.\n"
    "\n"
    "Example\n"
    "  caisson store init-tpm --tpm device:/dev/tpmrm0 > counter.json\n"
    "\n"
    "Exit codes: 0 made, 1 failure, 2 usage.\n";

static int read_handle(const char *option, const char *text, uint32_t type, uint32_t *handle)
{
    char *end = NULL;
    unsigned long value = strtoul(text, &end, 0);
    if (*text == 0 || *end != 0 || value > UINT32_MAX || value >> 24 != type) {
        return cli_fail(CLI_USAGE, "%s: wants a number from 0x%02x000000 on: %s", option, type,
                        text);
    }
    *handle = (uint32_t)value;
    return CLI_OK;
}

static void print(const struct csn_wire_counter *counter)
{
    printf("{\"key_handle\":%u,\"index\":%u,\"mark_index\":%u,\"base\":%llu,\"key\":\"",
           counter->key_handle, counter->index, counter->mark_index,
           (unsigned long long)counter->base);
    cli_print_hex(stdout, counter->key, sizeof counter->key);
    fputs("\",\"name\":\"", stdout);
    cli_print_hex(stdout, counter->name, sizeof counter->name);
    fputs("\",\"mark_name\":\"", stdout);
    cli_print_hex(stdout, counter->mark_name, sizeof counter->mark_name);
    puts("\"}");
}

static int run(int argc, char **argv)
{
    const char *tpm = NULL;
    const char *index_text = "0x01800100";
    const char *key_text = "0x81010002";
    bool json;
    const struct cli_option options[] = {{"--tpm", &tpm, NULL},
                                         {"--index", &index_text, NULL},
                                         {"--key-handle", &key_text, NULL},
                                         {"--json", NULL, &json}};
    const char *operands[1];
    size_t count;
    bool done;
    uint32_t index = 0;
    uint32_t key_handle = 0;
    int code = cli_options(&cli_store, argc, argv, options, sizeof options / sizeof options[0],
                           operands, 1, &count, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (count != 1 || strcmp(operands[0], "init-tpm") != 0 || tpm == NULL) {
        return cli_fail(CLI_USAGE, "wants init-tpm and --tpm; see caisson store --help");
    }
    code = read_handle("--index", index_text, 0x01, &index);
    code = code == CLI_OK ? read_handle("--key-handle", key_text, 0x81, &key_handle) : code;
    if (code != CLI_OK) {
        return code;
    }
    struct csn_wire_counter counter;
    char detail[200] = "";
    setenv("TSS2_LOG", "all+NONE", 0); /* what matters is in the detail */
    if (csn_tpm_counter_make(tpm, index, key_handle, &counter, detail) != CSN_OK) {
        return cli_fail(CLI_FAILURE, "%s", detail);
    }
    print(&counter);
    return CLI_OK;
}

const struct cli_verb cli_store = {.name = "store",
                                   .summary = "make a counter in a TPM for what is kept outside",
                                   .help = help,
                                   .run = run};
