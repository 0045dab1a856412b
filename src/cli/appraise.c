/* SPDX-License-Identifier: Apache-2.0 */
/* appraise.c: what a relying party accepts, from options; its verdict, in words. */
#include "appraise.h"
#include "image/image.h"
#include <stdlib.h>
#include <string.h>

#define IMAGE_SIZE_MAX (UINT64_C(64) << 20)

static int measure(const char *path, uint8_t measurement[48])
{
    struct csn_image image;
    struct csn_image_fault fault = {0};
    size_t size = 0;
    uint8_t *bytes = cli_read_file(path, IMAGE_SIZE_MAX, &size);
    if (bytes == NULL) {
        return CLI_FAILURE;
    }
    csn_err err = csn_image_measure_file(bytes, size, &image, measurement, &fault);
    free(bytes);
    return err == CSN_OK ? CLI_OK
                         : cli_fail(CLI_FAILURE, "%s: not an image: %s at offset %llu", path,
                                    fault.what, (unsigned long long)fault.where);
}

static int parse_signer(const char *text, struct csv_signer *signer)
{
    char key[65] = {0};
    uint64_t version = 0;
    const char *colon = strchr(text, ':');
    size_t length = colon != NULL ? (size_t)(colon - text) : strlen(text);
    memcpy(key, text, length < 64 ? length : 64);
    if (length > 64) {
        return cli_fail(CLI_USAGE, "--signer wants 64 hex digits, and perhaps :VERSION");
    }
    int code = cli_hex("--signer", key, signer->key, 32);
    if (code == CLI_OK && colon != NULL) {
        code = cli_number("--signer (the version)", colon + 1, 0, UINT32_MAX, &version);
    }
    signer->security_version_min = (uint32_t)version;
    return code;
}

/* The image part: which code may run. */
static int accept_images(struct cli_appraise *appraise)
{
    int code = CLI_OK;
    if (appraise->image != NULL && appraise->measurement_text != NULL) {
        return cli_fail(CLI_USAGE, "--image and --measurement say the same thing: give one");
    }
    if (appraise->image != NULL) {
        code = measure(appraise->image, appraise->measurement[0]);
    } else if (appraise->measurement_text != NULL) {
        code = cli_hex("--measurement", appraise->measurement_text, appraise->measurement[0], 48);
    }
    if (code == CLI_OK && appraise->signer_text != NULL) {
        code = parse_signer(appraise->signer_text, &appraise->signer);
    }
    return code;
}

int cli_appraise_policy(struct cli_appraise *appraise)
{
    struct csv_policy *policy = &appraise->policy;
    *policy = (struct csv_policy){.accept_software = appraise->insecure_dev,
                                  .accept_debug = appraise->allow_debug};
    int code = accept_images(appraise);
    if (code != CLI_OK) {
        return code;
    }
    if (appraise->insecure_dev && appraise->root_text == NULL) {
        return cli_fail(CLI_USAGE, "--insecure-dev wants --root HEX: whose development evidence");
    }
    if (appraise->root_text != NULL) {
        code = cli_hex("--root", appraise->root_text, appraise->root[0], 32);
        policy->software_roots = (const uint8_t(*)[32])appraise->root;
        policy->software_root_count = 1;
    }
    if (appraise->image != NULL || appraise->measurement_text != NULL) {
        policy->measurements = (const uint8_t(*)[48])appraise->measurement;
        policy->measurement_count = 1;
    }
    if (appraise->signer_text != NULL) {
        policy->signers = &appraise->signer;
        policy->signer_count = 1;
    }
    return code;
}

int cli_appraise_report(const struct csv_verdict *verdict, FILE *stream, bool explain, bool json)
{
    size_t size =
        json ? csv_verdict_json(verdict, NULL, 0) : csv_verdict_text(verdict, explain, NULL, 0);
    char *text = malloc(size + 1);
    if (text == NULL) {
        return cli_fail(CLI_FAILURE, "out of memory");
    }
    if (json) {
        csv_verdict_json(verdict, text, size + 1);
    } else {
        csv_verdict_text(verdict, explain, text, size + 1);
    }
    fputs(text, stream);
    if (size == 0 || text[size - 1] != '\n') {
        fputc('\n', stream);
    }
    free(text);
    enum csv_result result = csv_verdict_result(verdict);
    return result == CSV_VERIFIED ? CLI_OK : result == CSV_INVALID ? CLI_INVALID : CLI_UNVERIFIED;
}
