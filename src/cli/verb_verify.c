/* SPDX-License-Identifier: Apache-2.0 */
/* verb_verify.c: `caisson verify`: appraises evidence offline and says why. */
#include "appraise.h"
#include "cli.h"
#include <stdlib.h>

#define EVIDENCE_SIZE_MAX (UINT64_C(16) << 20)

static const char help[] =
    "usage: caisson verify FILE --nonce HEX (--image ELF | --measurement HEX | --signer "
    "HEX[:MIN])\n"
    "                      [--insecure-dev --root HEX] [--allow-debug] [--explain] [--json]\n"
    "\n"
    "Appraises an evidence bundle (\"-\" is stdin) against what you accept. What no option "
    "accepts\n"
    "is refused, and an empty list accepts nothing. No network, no clock.\n"
    "\n"
    "  --nonce HEX          the 64 hex digits that you asked with: mandatory\n" CLI_APPRAISE_HELP
    "  --explain            for each check: why it matters and what to do\n"
    "  --json               one JSON object with every finding\n"
    "\n"
    "Exit codes: 0 verified, 3 invalid, 4 could not verify (something needed is missing), 2 "
    "usage.\n"
    "\n"
    "Example\n"
    "  caisson verify bundle --nonce $nonce --image echo.elf --signer $signer:1 \\\n"
    "      --insecure-dev --root $root --explain\n";

static int appraise_file(const char *path, const struct cli_appraise *appraise,
                         const uint8_t nonce[32], bool explain, bool json)
{
    struct csv_verdict *verdict = NULL;
    size_t size = 0;
    uint8_t *bytes = cli_read_file(path, EVIDENCE_SIZE_MAX, &size);
    if (bytes == NULL) {
        return CLI_UNVERIFIED; /* no evidence at all says nothing about it */
    }
    csn_err err = csv_appraise_bundle(appraise->policy, bytes, size, nonce, &verdict);
    int code = verdict != NULL ? cli_appraise_report(verdict, stdout, explain, json)
                               : cli_fail(CLI_UNVERIFIED, "not appraised: %s", csn_err_name(err));
    csv_verdict_free(verdict);
    free(bytes);
    return code;
}

static int run(int argc, char **argv)
{
    static struct cli_appraise appraise;
    const char *nonce_text = NULL;
    bool explain = false;
    bool json = false;
    const struct cli_option options[] = {
        CLI_APPRAISE_OPTIONS(appraise),
        {"--nonce", &nonce_text, NULL},
        {"--explain", NULL, &explain},
        {"--json", NULL, &json},
    };
    const char *operands[1];
    size_t count;
    bool done;
    uint8_t nonce[32];
    int code = cli_options(&cli_verify, argc, argv, options, sizeof options / sizeof options[0],
                           operands, 1, &count, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (count != 1 || nonce_text == NULL) {
        return cli_fail(CLI_USAGE, "wants a file and --nonce HEX; see caisson verify --help");
    }
    code = cli_hex("--nonce", nonce_text, nonce, sizeof nonce);
    code = code != CLI_OK ? code : cli_appraise_policy(&appraise);
    return code != CLI_OK ? code : appraise_file(operands[0], &appraise, nonce, explain, json);
}

const struct cli_verb cli_verify = {
    .name = "verify", .summary = "appraise evidence and say why", .help = help, .run = run};
