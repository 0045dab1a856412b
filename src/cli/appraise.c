/* SPDX-License-Identifier: Apache-2.0 */
/* appraise.c: what a relying party accepts, from options; its verdict, in words. */
#include "appraise.h"
#include "image/image.h"
#include <stdlib.h>
#include <string.h>

#define IMAGE_SIZE_MAX  (UINT64_C(64) << 20)
#define POLICY_SIZE_MAX (UINT64_C(1) << 20)

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

/* One more value for a key; what is wrong with it is the option's fault. */
static int allow(struct cli_appraise *appraise, const char *option, const char *key,
                 const char *value)
{
    csn_err err = csv_policy_allow(appraise->policy, key, value);
    return err == CSN_OK ? CLI_OK
                         : cli_fail(CLI_USAGE, "%s %s: not a value of %s", option, value, key);
}

static int accept_image(struct cli_appraise *appraise)
{
    uint8_t measurement[48];
    int code = measure(appraise->image, measurement);
    if (code == CLI_OK && csv_policy_allow_bytes(appraise->policy, "caisson.measurements",
                                                 measurement, sizeof measurement) != CSN_OK) {
        code = cli_fail(CLI_FAILURE, "the policy is too large");
    }
    return code;
}

static int accept_signer(struct cli_appraise *appraise)
{
    const char *colon = strchr(appraise->signer_text, ':');
    uint64_t version = 0;
    int code = allow(appraise, "--signer", "caisson.signers", appraise->signer_text);
    if (code == CLI_OK && colon != NULL) {
        code = cli_number("--signer (the version)", colon + 1, 0, UINT32_MAX, &version);
    }
    appraise->security_version_min = (uint32_t)version;
    return code;
}

/* Which code may run. */
static int accept_images(struct cli_appraise *appraise)
{
    int code = CLI_OK;
    if (appraise->image != NULL && appraise->measurement_text != NULL) {
        return cli_fail(CLI_USAGE, "--image and --measurement say the same thing: give one");
    }
    if (appraise->image != NULL) {
        code = accept_image(appraise);
    } else if (appraise->measurement_text != NULL) {
        code = allow(appraise, "--measurement", "caisson.measurements", appraise->measurement_text);
    }
    return code == CLI_OK && appraise->signer_text != NULL ? accept_signer(appraise) : code;
}

/* Whose word counts for where it runs. */
static int accept_development(struct cli_appraise *appraise)
{
    if (appraise->root_text == NULL) {
        return cli_fail(CLI_USAGE, "--insecure-dev wants --root HEX: whose development evidence");
    }
    int code = allow(appraise, "--insecure-dev", "caisson.platforms", "software");
    code =
        code == CLI_OK ? allow(appraise, "--insecure-dev", "caisson.insecure_dev", "true") : code;
    return code == CLI_OK ? allow(appraise, "--root", "caisson.software_roots", appraise->root_text)
                          : code;
}

static bool has_options(const struct cli_appraise *appraise)
{
    return appraise->image != NULL || appraise->measurement_text != NULL ||
           appraise->signer_text != NULL || appraise->root_text != NULL || appraise->insecure_dev ||
           appraise->allow_debug;
}

static int read_policy(struct cli_appraise *appraise)
{
    struct csv_policy_mistake mistake;
    size_t size = 0;
    uint8_t *text = cli_read_file(appraise->policy_path, POLICY_SIZE_MAX, &size);
    if (text == NULL) {
        return CLI_UNVERIFIED;
    }
    csn_err err = csv_policy_parse((const char *)text, size, &appraise->policy, &mistake);
    free(text);
    if (err == CSN_OK) {
        return CLI_OK;
    }
    /* As compilers say it, so that editors find the place. */
    const char *text_of_it = err == CSN_ERR_FORMAT ? mistake.text : csn_err_name(err);
    if (mistake.line != 0) {
        fprintf(stderr, "%s:%u:%u: %s\n", appraise->policy_path, mistake.line, mistake.column,
                text_of_it);
    } else {
        fprintf(stderr, "%s: %s\n", appraise->policy_path, text_of_it);
    }
    return CLI_USAGE;
}

int cli_appraise_policy(struct cli_appraise *appraise)
{
    int ways = has_options(appraise) + (appraise->policy_path != NULL) + appraise->any;
    if (ways > 1) {
        return cli_fail(CLI_USAGE,
                        "--policy, --insecure-any-policy and single options exclude one another");
    }
    if (appraise->policy_path != NULL) {
        return read_policy(appraise);
    }
    if (appraise->any) {
        return csv_policy_create_insecure_any(&appraise->policy) == CSN_OK
                   ? CLI_OK
                   : cli_fail(CLI_FAILURE, "out of memory");
    }
    if (csv_policy_create(&appraise->policy) != CSN_OK) {
        return cli_fail(CLI_FAILURE, "out of memory");
    }
    int code = allow(appraise, "verify", "formats", "caisson");
    code = code == CLI_OK ? accept_images(appraise) : code;
    if (code == CLI_OK && appraise->insecure_dev) {
        code = accept_development(appraise);
    }
    if (code == CLI_OK && appraise->allow_debug) {
        code = allow(appraise, "--allow-debug", "caisson.debug", "any");
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
    uint32_t result = csv_verdict_result(verdict);
    return result == CSV_VALID ? CLI_OK : result == CSV_INVALID ? CLI_INVALID : CLI_UNVERIFIED;
}
