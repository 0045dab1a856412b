/* SPDX-License-Identifier: Apache-2.0 */
/* image_file.c: reads an image as the loader does and words its refusal. */
#include "image_file.h"
#include <stdlib.h>
#include <string.h>

static void refusal_json(const char *path, const struct csn_image_fault *fault)
{
    fputs("{\"image\":", stdout);
    cli_json_string(stdout, path);
    fputs(",\"refused\":", stdout);
    cli_json_string(stdout, fault->what ? fault->what : "not an enclave image");
    printf(",\"offset\":%llu}\n", (unsigned long long)fault->where);
}

int cli_image_read(const char *path, struct cli_image *file, bool json)
{
    struct csn_image_fault fault = {NULL, 0};
    *file = (struct cli_image){.path = path};
    file->bytes = cli_read_file(path, CLI_IMAGE_SIZE_MAX, &file->size);
    if (file->bytes == NULL) {
        return CLI_FAILURE;
    }
    csn_err error =
        csn_image_measure_file(file->bytes, file->size, &file->image, file->measurement, &fault);
    if (error == CSN_OK) {
        return CLI_OK;
    }
    cli_image_free(file);
    if (json) {
        refusal_json(path, &fault);
    }
    return cli_fail(CLI_INVALID, "%s: refused: %s, at offset %llu (0x%llx)", path,
                    fault.what ? fault.what : "not an enclave image",
                    (unsigned long long)fault.where, (unsigned long long)fault.where);
}

int cli_image_begin(const struct cli_verb *verb, int argc, char **argv,
                    const struct cli_option *options, size_t option_count, const bool *json,
                    struct cli_image *file)
{
    const char *path = NULL;
    size_t count;
    bool done;
    file->bytes = NULL;
    int code = cli_options(verb, argc, argv, options, option_count, &path, 1, &count, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (count != 1) {
        return cli_fail(CLI_USAGE, "which image? caisson %s IMAGE", verb->name);
    }
    return cli_image_read(path, file, *json);
}

void cli_image_free(struct cli_image *file)
{
    free(file->bytes);
    file->bytes = NULL;
}

void cli_image_name(const struct csn_image *image, char name[CSN_WIRE_NAME_SIZE + 1])
{
    memcpy(name, image->manifest.name, CSN_WIRE_NAME_SIZE);
    name[CSN_WIRE_NAME_SIZE] = 0;
}
