/* SPDX-License-Identifier: Apache-2.0 */
/* verb_verify.c: `caisson verify`: appraises evidence offline and says why. */
#include "appraise.h"
#include "birth.h"
#include "evidence_input.h"

static const char help[] =
    "usage: caisson verify --type T --evidence FILE [parts…] (--policy FILE | --image ELF … |\n"
    "                      --insecure-any-policy) [--nonce HEX] --at TIME [--explain] [--json]\n"
    "\n"
    "Appraises attestation evidence of any format, offline, against what you accept. What nothing\n"
    "accepts is refused. A plain FILE operand is the same as --evidence FILE.\n"
    "\n"
    "What is verified\n" CLI_EVIDENCE_INPUT_HELP "\n"
    "What is accepted\n"
    "  --policy FILE        a policy (docs/POLICY.md); `caisson policy init` writes a first one\n"
    "  --insecure-any-policy\n"
    "                       check cryptography and structure only: any code on any machine\n"
    "or, for Caisson's own evidence, without a file:\n" CLI_APPRAISE_HELP "\n"
    "A key that the enclave keeps\n"
    "  --birth FILE         its birth certificate: what was made where, stated by the instance "
    "that\n"
    "                       the evidence is of\n"
    "\n"
    "How it is told\n"
    "  --explain            for each check: why it matters and what to do\n"
    "  --json               one JSON object: verdict, claims and every finding\n"
    "\n"
    "Exit codes: 0 valid, 3 invalid, 4 unverifiable (something needed is missing), 2 usage.\n"
    "\n"
    "Example\n"
    "  caisson verify --type snp --evidence report.bin --vek vcek.der --chain ask.pem \\\n"
    "      --chain ark.pem --policy policy.toml --nonce $nonce --at now --explain\n"
    "  caisson verify bundle --nonce $nonce --image echo.elf --signer $signer:1 \\\n"
    "      --insecure-dev --root $root\n";

static int run(int argc, char **argv)
{
    static struct cli_appraise appraise;
    static struct cli_evidence_input in;
    struct csv_verdict *verdict = NULL;
    struct cli_birth_options birth = {0};
    const struct cli_option options[] = {
        CLI_APPRAISE_OPTIONS(appraise),
        CLI_EVIDENCE_INPUT_OPTIONS(in),
        {"--policy", &appraise.policy_path, NULL},
        {"--insecure-any-policy", NULL, &appraise.any},
        {"--birth", &birth.path, NULL},
        {"--explain", NULL, &birth.explain},
        {"--json", NULL, &birth.json},
    };
    const char *operands[1];
    size_t count;
    bool done;
    int code = cli_options(&cli_verify, argc, argv, options, sizeof options / sizeof options[0],
                           operands, 1, &count, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (count == 1 && in.evidence != NULL) {
        return cli_fail(CLI_USAGE, "a FILE and --evidence say the same thing: give one");
    }
    in.evidence = count == 1 ? operands[0] : in.evidence;
    code = cli_appraise_policy(&appraise);
    code = code == CLI_OK ? cli_evidence_input_read(&in) : code;
    if (code != CLI_OK) {
        return code;
    }
    csn_err err = csv_appraise(appraise.policy, in.input, in.format, &verdict);
    if (verdict == NULL) {
        return cli_fail(CLI_UNVERIFIED, "not appraised: %s", csn_err_name(err));
    }
    code = birth.path != NULL ? cli_birth_report(verdict, &birth)
                              : cli_appraise_report(verdict, stdout, birth.explain, birth.json);
    csv_verdict_free(verdict);
    return code;
}

const struct cli_verb cli_verify = {
    .name = "verify", .summary = "appraise evidence and say why", .help = help, .run = run};
