/* SPDX-License-Identifier: Apache-2.0 */
/* appraise.h: from the options that `verify` and `grant` share to a policy for evidence. */
#ifndef CSN_CLI_APPRAISE_H
#define CSN_CLI_APPRAISE_H

#include "cli.h"
#include <caisson/verify.h>

struct cli_appraise {
    /* as given */
    const char *image;
    const char *measurement_text;
    const char *signer_text;
    const char *root_text;
    bool insecure_dev;
    bool allow_debug;
    const char *policy_path; /* `verify` alone: a file instead of the above */
    bool any;                /* `verify` alone: no policy at all */
    /* as read */
    uint32_t security_version_min;
    struct csv_policy *policy; /* the process's; freed with it */
};

/* Text for --help, and the options themselves (value side). */
#define CLI_APPRAISE_HELP                                                                          \
    "  --image ELF          accept exactly this image\n"                                           \
    "  --measurement HEX    accept exactly this measurement (caisson measure)\n"                   \
    "  --signer HEX[:MIN]   accept images signed by this key, from security version MIN on\n"      \
    "  --insecure-dev       accept development evidence: it protects nothing\n"                    \
    "  --root HEX           whose development evidence (caisson keygen root printed it)\n"         \
    "  --allow-debug        accept an image with the debug flag: its owner can look inside\n"
#define CLI_APPRAISE_OPTIONS(appraise)                                                             \
    {"--image", &(appraise).image, NULL}, {"--measurement", &(appraise).measurement_text, NULL},   \
        {"--signer", &(appraise).signer_text, NULL}, {"--root", &(appraise).root_text, NULL},      \
        {"--insecure-dev", NULL, &(appraise).insecure_dev},                                        \
    {                                                                                              \
        "--allow-debug", NULL, &(appraise).allow_debug                                             \
    }

/* CLI_OK with policy filled; else a message was printed and this is the exit code. */
int cli_appraise_policy(struct cli_appraise *appraise);
/* Prints the verdict to stream (JSON or text); its exit code: 0, 3 or 4. */
int cli_appraise_report(const struct csv_verdict *verdict, FILE *stream, bool explain, bool json);

#endif
