/* SPDX-License-Identifier: Apache-2.0 */
/* run_evidence.h: which platform vouches for what `caisson run` starts. */
#ifndef CSN_CLI_RUN_EVIDENCE_H
#define CSN_CLI_RUN_EVIDENCE_H

#include "cli.h"
#include <caisson/evidence.h>

struct run_evidence {
    /* as given */
    bool is_json;     /* in a configuration: options are keys of "evidence" */
    const char *name; /* software, tsm, tpm, nsm */
    const char *root;
    const char *path;
    const char *privlevel;
    const char *tcti;
    const char *ak;
    const char *ak_certificate;
    const char *pcrs;
    const char *extend;
    /* as understood */
    const struct csn_evidence_producer *producer;
    const void *state;
    uint8_t root_seed[32];
    struct csn_evidence_tsm tsm;
    struct csn_evidence_tpm tpm;
    struct csn_evidence_nsm nsm;
};

#define RUN_EVIDENCE_HELP                                                                          \
    "  --evidence NAME   who vouches: software (default), tsm (SEV-SNP, TDX, CCA through\n"        \
    "                    configfs-tsm), tpm (TPM 2.0 quotes), nsm (AWS Nitro)\n"                   \
    "  --root ROOTKEY    software: key file for development evidence (caisson keygen root): "      \
    "insecure\n"                                                                                   \
    "  --evidence-path P tsm: the report folder; nsm: the device\n"                                \
    "  --privlevel N     tsm: VMPL of the report, 0 to 3 (default: the kernel's choice)\n"         \
    "  --tcti TEXT       tpm: which TPM (default device:/dev/tpmrm0)\n"                            \
    "  --ak HANDLE       tpm: persistent handle of the attestation key (default: make one)\n"      \
    "  --ak-certificate INDEX\n"                                                                   \
    "                    tpm: NV index of its certificate (default: its public key goes along)\n"  \
    "  --pcrs LIST       tpm: PCRs to quote, such as 0,2,4,7\n"                                    \
    "  --extend WHERE    before the image runs, extend a register with its measurement:\n"         \
    "                    pcr:N, rtmr, or rtmr:PATH\n"

#define RUN_EVIDENCE_OPTIONS(evidence)                                                             \
    {"--evidence", &(evidence).name, NULL}, {"--root", &(evidence).root, NULL},                    \
        {"--evidence-path", &(evidence).path, NULL}, {"--privlevel", &(evidence).privlevel, NULL}, \
        {"--tcti", &(evidence).tcti, NULL}, {"--ak", &(evidence).ak, NULL},                        \
        {"--ak-certificate", &(evidence).ak_certificate, NULL},                                    \
        {"--pcrs", &(evidence).pcrs, NULL},                                                        \
    {                                                                                              \
        "--extend", &(evidence).extend, NULL                                                       \
    }

/* CLI_OK with producer and state set, and the platform found; else a message was printed. */
int run_evidence_read(struct run_evidence *evidence);
/* As --extend says. CLI_OK also where it says nothing. */
int run_evidence_extend(const struct run_evidence *evidence, const uint8_t measurement[48]);
/* tss2 logs on stderr by itself; what matters is in our own messages. */
void run_evidence_quiet(void);

#endif
