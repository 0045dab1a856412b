/* SPDX-License-Identifier: Apache-2.0 */
/* caller_options.h: what `call` and `proxy` share: which gateway, whose word, whose credential. */
#ifndef CSN_CLI_CALLER_OPTIONS_H
#define CSN_CLI_CALLER_OPTIONS_H

#include "appraise.h"
#include "cli.h"
#include "proxy/upstream.h"

struct cli_caller {
    /* as given */
    struct cli_appraise appraise;
    const char *gateway, *credential_path, *service, *label;
    const char *ca_paths[CSV_UPSTREAM_CA_MAX];
    const char *purpose_text, *padded_text, *age_text, *timeout_text;
    bool oblivious, once, http1;
    /* as read */
    struct csv_credential credential;
    struct csv_caller_options options;
    struct csv_upstream_options upstream;
};

#define CLI_CALLER_HELP                                                                            \
    "  --gateway URL      http:// or https://, of `caisson serve`\n"                               \
    "  --credential FILE  caisson keygen producer; one that gets replies. Readable by you alone\n" \
    "  --policy FILE      whom to believe (docs/POLICY.md); or, in place of a "                    \
    "file:\n" CLI_APPRAISE_HELP                                                                    \
    "  --service NAME     of the gateway's configuration (default: its first)\n"                   \
    "  --label NAME       under which the gateway counts and routes your requests\n"               \
    "  --oblivious        Oblivious HTTP (RFC 9458), a key exchange for each request: the\n"       \
    "                     gateway does not learn whose credential it is, and the request opens\n"  \
    "                     in the boot that was verified and nowhere else. Wants a credential\n"    \
    "                     that may send requests. Default: records of one warm context\n"          \
    "  --once             each request is served once at most, and not sent again when its\n"      \
    "                     answer is lost. On by itself where the image wants it\n"                 \
    "  --pad BYTES        pad requests to so many bytes, at most 65536: an answer is at most\n"    \
    "                     as large as its request's class allows\n"                                \
    "  --purpose N        0 to 63, why (default 0, general); a header Caisson-Purpose goes "       \
    "first\n"                                                                                      \
    "  --max-age SECONDS  verify again after so long (default 3600; 0: only when keys change)\n"   \
    "  --timeout SECONDS  of one exchange with the gateway (default 30)\n"                         \
    "  --ca FILE          certificates that vouch for the gateway's name, in place of the\n"       \
    "                     system's; up to eight times\n"                                           \
    "  --http1            HTTP/1.1 with the gateway, as it is over http://; over https:// it is\n" \
    "                     HTTP/2 where the gateway agrees\n"

#define CLI_CALLER_OPTIONS(caller)                                                                 \
    CLI_APPRAISE_OPTIONS((caller).appraise), {"--policy", &(caller).appraise.policy_path, NULL},   \
        {"--gateway", &(caller).gateway, NULL}, {"--credential", &(caller).credential_path, NULL}, \
        {"--service", &(caller).service, NULL}, {"--label", &(caller).label, NULL},                \
        {"--purpose", &(caller).purpose_text, NULL}, {"--pad", &(caller).padded_text, NULL},       \
        {"--max-age", &(caller).age_text, NULL}, {"--timeout", &(caller).timeout_text, NULL},      \
        {"--ca", &(caller).ca_paths[0], NULL}, {"--ca", &(caller).ca_paths[1], NULL},              \
        {"--ca", &(caller).ca_paths[2], NULL}, {"--ca", &(caller).ca_paths[3], NULL},              \
        {"--ca", &(caller).ca_paths[4], NULL}, {"--ca", &(caller).ca_paths[5], NULL},              \
        {"--ca", &(caller).ca_paths[6], NULL}, {"--ca", &(caller).ca_paths[7], NULL},              \
        {"--oblivious", NULL, &(caller).oblivious}, {"--once", NULL, &(caller).once},              \
    {                                                                                              \
        "--http1", NULL, &(caller).http1                                                           \
    }

/* options and upstream, from what was given; else a message was printed and this is the exit code.
 */
int cli_caller_read(struct cli_caller *caller);
/* Secrets of it. */
void cli_caller_wipe(struct cli_caller *caller);

#endif
