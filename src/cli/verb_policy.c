/* SPDX-License-Identifier: Apache-2.0 */
/* verb_policy.c: `caisson policy`: write a first appraisal policy, check one. */
#include "appraise.h"
#include "evidence_input.h"
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: caisson policy init --from FILE [parts…] --at TIME --nonce HEX [--insecure] [-o FILE]\n"
    "       caisson policy check FILE [--json]\n"
    "\n"
    "init verifies the evidence and writes a strict policy that accepts just what it claims: read\n"
    "every line, then loosen what must be looser. Refused without --insecure: evidence of "
    "software\n"
    "or debug, or without a nonce, since a policy made from it would accept what anybody can "
    "make.\n"
    "check reads a policy and says where and why it is wrong.\n"
    "\n"
    "  --from FILE          the evidence (--evidence is the same)\n" CLI_EVIDENCE_INPUT_HELP
    "  --insecure           write a policy even for such evidence\n"
    "  --insecure-dev, --root HEX\n"
    "                       as for verify: the evidence is a development machine's\n"
    "  -o, --output FILE    where the policy goes (default: stdout)\n"
    "\n"
    "Exit codes: 0 written or well formed, 1 refused or not well formed, 2 usage, 3 the evidence "
    "is\n"
    "invalid, 4 it could not be verified.\n"
    "\n"
    "Example\n"
    "  caisson policy init --type snp --from report.bin --vek vcek.der --chain ask.pem \\\n"
    "      --chain ark.pem --nonce $nonce --at now -o policy.toml\n"
    "  caisson policy check policy.toml\n";

struct wish {
    struct cli_appraise appraise;
    struct cli_evidence_input in;
    const char *from;
    const char *output;
    bool insecure;
    bool json;
};

/* Caisson's evidence from a development machine: its own signer and image, as it claims them. */
static int accept_claims(struct wish *wish)
{
    struct csv_verdict *verdict = NULL;
    csn_err err = csv_appraise(wish->appraise.policy, wish->in.input, wish->in.format, &verdict);
    const struct csv_image *image = verdict != NULL ? csv_verdict_image(verdict) : NULL;
    csv_policy_free(wish->appraise.policy);
    wish->appraise.policy = NULL;
    wish->appraise.any = false;
    int code = CLI_OK;
    if (image == NULL) {
        code = cli_fail(CLI_INVALID, "not Caisson's own evidence: %s", csn_err_name(err));
    } else {
        code = cli_appraise_policy(&wish->appraise);
        if (code == CLI_OK && csv_policy_allow_bytes(wish->appraise.policy, "caisson.signers",
                                                     image->signer_key, 32) != CSN_OK) {
            code = CLI_FAILURE;
        }
        if (code == CLI_OK &&
            csv_policy_allow(wish->appraise.policy, "caisson.debug", "any") != CSN_OK) {
            code = CLI_FAILURE;
        }
    }
    csv_verdict_free(verdict);
    return code;
}

/* What to verify with, before there is a policy. */
static int first_policy(struct wish *wish)
{
    const char *root = wish->appraise.root_text;
    bool development = wish->appraise.insecure_dev;
    wish->appraise.insecure_dev = false;
    wish->appraise.root_text = NULL;
    wish->appraise.any = true;
    int code = cli_appraise_policy(&wish->appraise);
    if (code == CLI_OK && development) {
        wish->appraise.insecure_dev = true;
        wish->appraise.root_text = root;
        code = accept_claims(wish);
    }
    return code;
}

static int write_policy(const struct wish *wish, const struct csv_verdict *verdict)
{
    size_t size = 0;
    csn_err err = csv_policy_init(verdict, wish->insecure, NULL, 0, &size);
    if (err != CSN_OK) {
        return cli_fail(CLI_FAILURE, "refused: evidence of software or debug, or without a nonce; "
                                     "--insecure writes a policy all the same");
    }
    char *text = malloc(size + 1);
    if (text == NULL) {
        return cli_fail(CLI_FAILURE, "out of memory");
    }
    err = csv_policy_init(verdict, wish->insecure, text, size + 1, &size);
    bool good = err == CSN_OK &&
                cli_write_file(wish->output != NULL ? wish->output : "-", text, size, false);
    free(text);
    return good ? CLI_OK : CLI_FAILURE;
}

static int init(struct wish *wish)
{
    struct csv_verdict *verdict = NULL;
    wish->in.evidence = wish->from != NULL ? wish->from : wish->in.evidence;
    int code = cli_evidence_input_read(&wish->in);
    code = code == CLI_OK ? first_policy(wish) : code;
    if (code != CLI_OK) {
        return code;
    }
    csn_err err = csv_appraise(wish->appraise.policy, wish->in.input, wish->in.format, &verdict);
    if (err == CSN_OK) {
        code = write_policy(wish, verdict);
    } else {
        code = verdict != NULL ? cli_appraise_report(verdict, stderr, true, false)
                               : cli_fail(CLI_UNVERIFIED, "%s", csn_err_name(err));
    }
    csv_verdict_free(verdict);
    return code;
}

static int check(struct wish *wish, const char *path)
{
    wish->appraise.policy_path = path;
    int code = cli_appraise_policy(&wish->appraise);
    if (code == CLI_OK && wish->json) {
        puts("{\"policy\":\"ok\"}");
    } else if (code == CLI_OK) {
        printf("%s: ok\n", path);
    }
    return code == CLI_USAGE ? CLI_FAILURE : code;
}

static int run(int argc, char **argv)
{
    static struct wish wish;
    const struct cli_option options[] = {
        CLI_EVIDENCE_INPUT_OPTIONS(wish.in),
        {"--from", &wish.from, NULL},
        {"--insecure", NULL, &wish.insecure},
        {"--insecure-dev", NULL, &wish.appraise.insecure_dev},
        {"--root", &wish.appraise.root_text, NULL},
        {"-o", &wish.output, NULL},
        {"--output", &wish.output, NULL},
        {"--json", NULL, &wish.json},
    };
    const char *operands[2];
    size_t count;
    bool done;
    int code = cli_options(&cli_policy, argc, argv, options, sizeof options / sizeof options[0],
                           operands, 2, &count, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (count == 1 && strcmp(operands[0], "init") == 0) {
        return init(&wish);
    }
    if (count == 2 && strcmp(operands[0], "check") == 0) {
        return check(&wish, operands[1]);
    }
    return cli_fail(CLI_USAGE, "wants init or check; see caisson policy --help");
}

const struct cli_verb cli_policy = {
    .name = "policy", .summary = "write or check a policy for evidence", .help = help, .run = run};
