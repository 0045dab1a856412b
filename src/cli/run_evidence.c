/* SPDX-License-Identifier: Apache-2.0 */
/* run_evidence.c: see run_evidence.h. */
#include "run_evidence.h"
#include "seed.h"
#include <caisson/verify.h>
#include <stdlib.h>
#include <string.h>

#define PCR_COUNT 24u

void run_evidence_quiet(void)
{
    setenv("TSS2_LOG", "all+NONE", 0);
}

/* What an option is called where it was given: "--ak-certificate", or "evidence: ak_certificate".
 */
static const char *name_of(const struct run_evidence *evidence, const char *option)
{
    static const struct {
        const char *option;
        const char *key;
    } rows[] = {{"--evidence", "evidence: name"},
                {"--root", "evidence: root"},
                {"--evidence-path", "evidence: path"},
                {"--privlevel", "evidence: privlevel"},
                {"--tcti", "evidence: tcti"},
                {"--ak", "evidence: ak"},
                {"--ak-certificate", "evidence: ak_certificate"},
                {"--pcrs", "evidence: pcrs"},
                {"--extend", "evidence: extend"}};
    for (size_t i = 0; evidence->is_json && i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].option, option) == 0) {
            return rows[i].key;
        }
    }
    return option;
}

/* A handle or index of a TPM. */
static int read_handle(const char *option, const char *text, uint32_t *handle)
{
    char *end = NULL;
    if (text == NULL) {
        return CLI_OK;
    }
    unsigned long long value = strtoull(text, &end, 16);
    if (strncmp(text, "0x", 2) != 0 || end == text + 2 || *end != 0 || value == 0 ||
        value > UINT32_MAX) {
        return cli_fail(CLI_USAGE, "%s wants a number such as 0x81010001", option);
    }
    *handle = (uint32_t)value;
    return CLI_OK;
}

/* "0,2,4,7" */
static int read_pcrs(const struct run_evidence *evidence, uint32_t *pcrs)
{
    const char *text = evidence->pcrs;
    const char *option = name_of(evidence, "--pcrs");
    while (text != NULL && *text != 0) {
        char *end = NULL;
        unsigned long index = strtoul(text, &end, 10);
        bool number = *text >= '0' && *text <= '9' && (*end == 0 || (*end == ',' && end[1] != 0));
        if (!number || index >= PCR_COUNT || (*pcrs >> index & 1) != 0) {
            return cli_fail(CLI_USAGE, "%s wants a list such as 0,2,4,7", option);
        }
        *pcrs |= UINT32_C(1) << index;
        text = *end == ',' ? end + 1 : end;
    }
    return *pcrs != 0 ? CLI_OK : cli_fail(CLI_USAGE, "a tpm wants %s LIST", option);
}

static int read_software(struct run_evidence *evidence)
{
    if (evidence->root == NULL) {
        return cli_fail(CLI_USAGE, "evidence by software wants %s ROOTKEY",
                        name_of(evidence, "--root"));
    }
    evidence->producer = &csn_evidence_software;
    evidence->state = evidence->root_seed;
    return cli_seed_read(evidence->root, CLI_SEED_ROOT, evidence->root_seed) ? CLI_OK : CLI_FAILURE;
}

static int read_tsm(struct run_evidence *evidence)
{
    uint64_t level = CSN_EVIDENCE_PRIVLEVEL_UNSET;
    int code = evidence->privlevel == NULL ? CLI_OK
                                           : cli_number(name_of(evidence, "--privlevel"),
                                                        evidence->privlevel, 0, 3, &level);
    evidence->tsm.root = evidence->path != NULL ? evidence->path : CSN_EVIDENCE_TSM_ROOT;
    evidence->tsm.privlevel = (uint32_t)level;
    evidence->producer = &csn_evidence_tsm;
    evidence->state = &evidence->tsm;
    return code;
}

static int read_tpm(struct run_evidence *evidence)
{
    struct csn_evidence_tpm *tpm = &evidence->tpm;
    evidence->producer = &csn_evidence_tpm;
    evidence->state = tpm;
    int code = read_pcrs(evidence, &tpm->pcrs);
    code = code == CLI_OK ? read_handle(name_of(evidence, "--ak"), evidence->ak, &tpm->ak_handle)
                          : code;
    return code == CLI_OK ? read_handle(name_of(evidence, "--ak-certificate"),
                                        evidence->ak_certificate, &tpm->ak_certificate)
                          : code;
}

static int read_nsm(struct run_evidence *evidence)
{
    evidence->nsm.path = evidence->path != NULL ? evidence->path : CSN_EVIDENCE_NSM_PATH;
    evidence->producer = &csn_evidence_nsm;
    evidence->state = &evidence->nsm;
    return CLI_OK;
}

/* Options of another platform are mistakes, not decoration. */
static int check_options(const struct run_evidence *evidence)
{
    const struct {
        const char *option;
        const char *value;
        const char *names; /* whose it is */
    } rows[] = {
        {"--root", evidence->root, "software"},
        {"--evidence-path", evidence->path, "tsm nsm"},
        {"--privlevel", evidence->privlevel, "tsm"},
        {"--tcti", evidence->extend != NULL ? NULL : evidence->tcti, "tpm"},
        {"--ak", evidence->ak, "tpm"},
        {"--ak-certificate", evidence->ak_certificate, "tpm"},
        {"--pcrs", evidence->pcrs, "tpm"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].value != NULL && strstr(rows[i].names, evidence->name) == NULL) {
            return cli_fail(CLI_USAGE, "%s is not for evidence by %s",
                            name_of(evidence, rows[i].option), evidence->name);
        }
    }
    return CLI_OK;
}

int run_evidence_read(struct run_evidence *evidence)
{
    static struct csn_evidence_platform platform;
    static const struct {
        const char *name;
        int (*read)(struct run_evidence *);
    } rows[] = {
        {"software", read_software}, {"tsm", read_tsm}, {"tpm", read_tpm}, {"nsm", read_nsm}};
    evidence->name = evidence->name != NULL ? evidence->name : "software";
    evidence->tpm.tcti = evidence->tcti != NULL ? evidence->tcti : CSN_EVIDENCE_TPM_TCTI;
    run_evidence_quiet();
    int code = CLI_USAGE;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].name, evidence->name) == 0) {
            code = check_options(evidence);
            code = code == CLI_OK ? rows[i].read(evidence) : code;
        }
    }
    if (code != CLI_OK || evidence->producer == NULL) {
        return evidence->producer != NULL || code != CLI_USAGE
                   ? code
                   : cli_fail(CLI_USAGE, "%s wants software, tsm, tpm or nsm, and its own options",
                              name_of(evidence, "--evidence"));
    }
    csn_err err = evidence->producer->prepare(evidence->state, &platform);
    return err == CSN_OK ? CLI_OK : cli_fail(CLI_FAILURE, "%s", platform.detail);
}

int run_evidence_extend(const struct run_evidence *evidence, const uint8_t measurement[48])
{
    char detail[200] = "";
    uint64_t pcr = 0;
    const char *where = evidence->extend;
    csn_err err = CSN_OK;
    if (where == NULL) {
        return CLI_OK;
    }
    if (strncmp(where, "pcr:", 4) == 0) {
        int code = cli_number("--extend pcr:N", where + 4, 0, PCR_COUNT - 1, &pcr);
        if (code != CLI_OK) {
            return code;
        }
        err = csn_evidence_extend_tpm(&evidence->tpm, (uint32_t)pcr, measurement, detail);
    } else if (strcmp(where, "rtmr") == 0 || strncmp(where, "rtmr:", 5) == 0) {
        const char *path = where[4] == ':' ? where + 5 : CSN_EVIDENCE_RTMR_PATH;
        err = csn_evidence_extend_rtmr(path, measurement, detail);
    } else {
        return cli_fail(CLI_USAGE, "--extend wants pcr:N, rtmr or rtmr:PATH");
    }
    return err == CSN_OK ? CLI_OK : cli_fail(CLI_FAILURE, "--extend: %s", detail);
}
