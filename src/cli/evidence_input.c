/* SPDX-License-Identifier: Apache-2.0 */
/* evidence_input.c: see evidence_input.h. */
#include "evidence_input.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static int add(struct cli_evidence_input *in, uint32_t part, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t size = 0;
    uint8_t *bytes = cli_read_file(path, CSV_PART_SIZE_MAX, &size);
    if (bytes == NULL) {
        return CLI_UNVERIFIED;
    }
    const char *name = strdup(slash != NULL ? slash + 1 : path); /* borrowed by the input */
    csn_err err = name != NULL ? csv_input_add(in->input, part, name, bytes, size) : CSN_ERR_MEMORY;
    return err == CSN_OK ? CLI_OK
                         : cli_fail(CLI_UNVERIFIED, "%s: too many parts, or too large", path);
}

static int add_if_given(struct cli_evidence_input *in, uint32_t part, const char *path)
{
    return path != NULL ? add(in, part, path) : CLI_OK;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Every file of the folder, in the order of their names. */
static int add_collateral(struct cli_evidence_input *in)
{
    struct dirent **entries = NULL;
    int code = CLI_OK;
    if (in->collateral == NULL) {
        return CLI_OK;
    }
    int count = scandir(in->collateral, &entries, not_hidden, by_name);
    if (count < 0) {
        return cli_fail(CLI_UNVERIFIED, "%s: not a folder that can be read", in->collateral);
    }
    for (int i = 0; i < count; i++) {
        char path[4096];
        int size = snprintf(path, sizeof path, "%s/%s", in->collateral, entries[i]->d_name);
        if (code == CLI_OK && size < (int)sizeof path) {
            code = add(in, CSV_PART_COLLATERAL, path);
        }
        free(entries[i]);
    }
    free(entries);
    return code;
}

/* "FOLDER/NAME" if there is such a file; NULL: there is none. Kept for the process. */
static const char *beside(const char *folder, size_t folder_size, const char *name)
{
    struct stat status;
    char *path = malloc(folder_size + strlen(name) + 2);
    if (path == NULL) {
        return NULL;
    }
    memcpy(path, folder, folder_size);
    path[folder_size] = '/';
    memcpy(path + folder_size + 1, name, strlen(name) + 1);
    if (stat(path, &status) == 0 && S_ISREG(status.st_mode)) {
        return path;
    }
    free(path);
    return NULL;
}

/* What the cloud's own tools leave beside an HCL report. */
static void look_around(struct cli_evidence_input *in)
{
    const char *slash = strrchr(in->evidence, '/');
    const char *folder = slash != NULL ? in->evidence : ".";
    size_t size = slash != NULL ? (size_t)(slash - in->evidence) : 1;
    const struct {
        const char **option;
        const char *name;
    } files[] = {
        {&in->quote, "tpm-quote.msg"},   {&in->signature, "tpm-quote.sig"},
        {&in->pcrs, "pcrs-sha256.txt"},  {&in->vek, "vcek.der"},
        {&in->td_quote, "td-quote.bin"},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (*files[i].option == NULL) {
            *files[i].option = beside(folder, size, files[i].name);
        }
    }
}

/* The signature of "NAME.msg" is "NAME.sig". */
static void look_for_signature(struct cli_evidence_input *in)
{
    size_t size = strlen(in->evidence);
    if (in->signature == NULL && size > 4 && strcmp(in->evidence + size - 4, ".msg") == 0) {
        struct stat status;
        char *path = strdup(in->evidence);
        if (path != NULL) {
            memcpy(path + size - 4, ".sig", 4);
            in->signature = stat(path, &status) == 0 ? path : NULL;
        }
    }
}

static void complete(struct cli_evidence_input *in)
{
    bool azure = in->format == CSV_FORMAT_AZURE_SNP || in->format == CSV_FORMAT_AZURE_TDX;
    struct stat status;
    if (azure && stat(in->evidence, &status) == 0 && S_ISDIR(status.st_mode)) {
        const char *report = beside(in->evidence, strlen(in->evidence), "hcl-report.bin");
        in->evidence = report != NULL ? report : in->evidence;
    }
    if (azure) {
        look_around(in);
    }
    if (in->format == CSV_FORMAT_TPM) {
        look_for_signature(in);
    }
}

static int add_parts(struct cli_evidence_input *in)
{
    const struct {
        uint32_t part;
        const char *path;
    } parts[] = {
        {CSV_PART_EVIDENCE, in->evidence},
        {CSV_PART_VEK, in->vek},
        {CSV_PART_EVENT_LOG, in->event_log},
        {CSV_PART_PCRS, in->pcrs},
        {CSV_PART_AK, in->ak},
        {CSV_PART_TPM_QUOTE, in->quote},
        {CSV_PART_TD_QUOTE, in->td_quote},
        {CSV_PART_TPM_SIGNATURE, in->signature},
    };
    int code = CLI_OK;
    for (size_t i = 0; code == CLI_OK && i < sizeof parts / sizeof parts[0]; i++) {
        code = add_if_given(in, parts[i].part, parts[i].path);
    }
    for (size_t i = 0; code == CLI_OK && i < CLI_CHAIN_COUNT_MAX; i++) {
        code = add_if_given(in, CSV_PART_CHAIN, in->chain[i]);
    }
    for (size_t i = 0; code == CLI_OK && i < CLI_CRL_COUNT_MAX; i++) {
        code = add_if_given(in, CSV_PART_CRL, in->crl[i]);
    }
    return code == CLI_OK ? add_collateral(in) : code;
}

static int set_time(struct cli_evidence_input *in)
{
    int64_t seconds = 0;
    if (in->at == NULL) {
        return CLI_OK;
    }
    if (strcmp(in->at, "now") == 0) {
        seconds = (int64_t)time(NULL);
    } else if (!csv_time_parse(in->at, &seconds)) {
        return cli_fail(CLI_USAGE, "--at wants a time such as 2026-01-31T12:00:00Z, or now");
    }
    csv_input_set_time(in->input, seconds);
    return CLI_OK;
}

static int set_freshness(struct cli_evidence_input *in)
{
    uint8_t bytes[CSV_NONCE_SIZE_MAX];
    int code = CLI_OK;
    if (in->nonce != NULL) {
        size_t size = strlen(in->nonce) / 2;
        if (size == 0 || size > sizeof bytes) {
            return cli_fail(CLI_USAGE, "--nonce wants 2 to 1024 hex digits");
        }
        code = cli_hex("--nonce", in->nonce, bytes, size);
        if (code == CLI_OK && csv_input_set_nonce(in->input, bytes, size) != CSN_OK) {
            code = cli_fail(CLI_USAGE, "--nonce: not a nonce");
        }
    }
    if (code == CLI_OK && in->report_data != NULL) {
        code = cli_hex("--report-data", in->report_data, bytes, 64);
        if (code == CLI_OK && csv_input_set_report_data(in->input, bytes, 64) != CSN_OK) {
            code = cli_fail(CLI_USAGE, "--report-data: not report data");
        }
    }
    return code;
}

static int set_test_root(struct cli_evidence_input *in)
{
    uint8_t digest[32];
    if (in->test_root == NULL) {
        return CLI_OK;
    }
    int code = cli_hex("--insecure-test-root", in->test_root, digest, sizeof digest);
    if (code == CLI_OK && csv_input_trust_test_root_insecure(in->input, digest) != CSN_OK) {
        code = CLI_USAGE;
    }
    return code;
}

int cli_evidence_input_read(struct cli_evidence_input *in)
{
    in->format = csv_format_number(in->type != NULL ? in->type : "auto");
    if (in->format == UINT32_MAX) {
        return cli_fail(CLI_USAGE, "--type %s: not a format; see --help", in->type);
    }
    if (in->evidence == NULL) {
        return cli_fail(CLI_USAGE, "wants evidence: a FILE, or --evidence FILE");
    }
    if (csv_input_create(&in->input) != CSN_OK) {
        return cli_fail(CLI_FAILURE, "out of memory");
    }
    int code = set_freshness(in);
    code = code == CLI_OK ? set_time(in) : code;
    code = code == CLI_OK ? set_test_root(in) : code;
    if (code == CLI_OK) {
        complete(in);
        code = add_parts(in);
    }
    return code;
}
