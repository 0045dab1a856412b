/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence_input.h: evidence and what goes with it, from files to an input of the verifier: what
 * `verify` and `policy init` share.
 */
#ifndef CSN_CLI_EVIDENCE_INPUT_H
#define CSN_CLI_EVIDENCE_INPUT_H

#include "cli.h"
#include <caisson/verify.h>

#define CLI_CHAIN_COUNT_MAX 6
#define CLI_CRL_COUNT_MAX   4

struct cli_evidence_input {
    /* as given */
    const char *type;
    const char *evidence;
    const char *vek;
    const char *chain[CLI_CHAIN_COUNT_MAX];
    const char *crl[CLI_CRL_COUNT_MAX];
    const char *collateral;
    const char *event_log;
    const char *pcrs;
    const char *ak;
    const char *quote;
    const char *signature;
    const char *td_quote;
    const char *nonce;
    const char *report_data;
    const char *at;
    const char *test_root;
    /* as read; freed with the process */
    uint32_t format;
    struct csv_input *input;
};

#define CLI_EVIDENCE_INPUT_HELP                                                                    \
    "  --type T             snp tdx sgx nitro cca azure-snp azure-tdx gcs-jwt tpm caisson, or\n"   \
    "                       auto: whichever of the policy's formats knows the bytes\n"             \
    "  --evidence FILE      report, quote, document, token or bundle (\"-\": stdin); for "         \
    "azure-*\n"                                                                                    \
    "                       the HCL report, or the folder that holds it\n"                         \
    "  --vek FILE           snp: VCEK or VLEK certificate\n"                                       \
    "  --chain FILE         certificates between leaf and root; up to 6 times\n"                   \
    "  --crl FILE           revocation list; up to 4 times\n"                                      \
    "  --collateral DIR     sgx, tdx: tcb_info.json, qe_identity.json, pck_crl.der, …\n"         \
    "  --eventlog FILE      tdx: CCEL event log, replayed to the RTMRs\n"                          \
    "  --pcrs FILE          tpm, azure-*: PCR values\n"                                            \
    "  --ak FILE            tpm, cca: attestation key, or its certificate\n"                       \
    "  --quote FILE, --signature FILE, --td-quote FILE\n"                                          \
    "                       tpm, azure-*: TPM quote, its signature, TD quote; looked for beside\n" \
    "                       the evidence (tpm-quote.msg, tpm-quote.sig, td-quote.bin, vcek.der,\n" \
    "                       pcrs-sha256.txt; NAME.sig for NAME.msg) where not given\n"             \
    "  --nonce HEX          the nonce that you asked with\n"                                       \
    "  --report-data HEX    instead: all 64 bytes that the report must hold\n"                     \
    "  --at TIME            verify at this time (RFC 3339 in UTC, or \"now\": this machine's "     \
    "clock)\n"                                                                                     \
    "  --insecure-test-root HEX\n"                                                                 \
    "                       trust a root by the SHA-256 of its public key, too: for tests\n"

#define CLI_EVIDENCE_INPUT_OPTIONS(in)                                                             \
    {"--type", &(in).type, NULL}, {"--evidence", &(in).evidence, NULL},                            \
        {"--vek", &(in).vek, NULL}, {"--chain", &(in).chain[0], NULL},                             \
        {"--chain", &(in).chain[1], NULL}, {"--chain", &(in).chain[2], NULL},                      \
        {"--chain", &(in).chain[3], NULL}, {"--chain", &(in).chain[4], NULL},                      \
        {"--chain", &(in).chain[5], NULL}, {"--crl", &(in).crl[0], NULL},                          \
        {"--crl", &(in).crl[1], NULL}, {"--crl", &(in).crl[2], NULL},                              \
        {"--crl", &(in).crl[3], NULL}, {"--collateral", &(in).collateral, NULL},                   \
        {"--eventlog", &(in).event_log, NULL}, {"--pcrs", &(in).pcrs, NULL},                       \
        {"--ak", &(in).ak, NULL}, {"--quote", &(in).quote, NULL},                                  \
        {"--signature", &(in).signature, NULL}, {"--td-quote", &(in).td_quote, NULL},              \
        {"--nonce", &(in).nonce, NULL}, {"--report-data", &(in).report_data, NULL},                \
        {"--at", &(in).at, NULL},                                                                  \
    {                                                                                              \
        "--insecure-test-root", &(in).test_root, NULL                                              \
    }

/*
 * CLI_OK with input and format filled; else a message was printed and this is the exit code: 2 for
 * options, 4 for files that cannot be read: they say nothing about the evidence.
 */
int cli_evidence_input_read(struct cli_evidence_input *in);

#endif
