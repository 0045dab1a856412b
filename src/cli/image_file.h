/* SPDX-License-Identifier: Apache-2.0 */
/* image_file.h: an image file, read, checked and measured, for the verbs that look at images. */
#ifndef CSN_CLI_IMAGE_FILE_H
#define CSN_CLI_IMAGE_FILE_H

#include "cli.h"
#include "image/image.h"
#include <stdbool.h>

#define CLI_IMAGE_SIZE_MAX ((size_t)64 << 20)

struct cli_image {
    const char *path;
    uint8_t *bytes; /* malloc'd; NULL when the image was refused */
    size_t size;
    struct csn_image image;
    uint8_t measurement[48];
};

/*
 * CLI_OK; CLI_FAILURE when the file cannot be read; CLI_INVALID when a loader would refuse it. The
 * refusal is printed with its offset, and with json also as one object on stdout.
 */
int cli_image_read(const char *path, struct cli_image *file, bool json);
/*
 * What a verb on one image begins with: its options, the operand IMAGE, and reading it. CLI_OK
 * without bytes: help was asked for, and printed. json: the variable of the option --json.
 */
int cli_image_begin(const struct cli_verb *verb, int argc, char **argv,
                    const struct cli_option *options, size_t option_count, const bool *json,
                    struct cli_image *file);
void cli_image_free(struct cli_image *file);
/* The manifest's name, terminated. */
void cli_image_name(const struct csn_image *image, char name[CSN_WIRE_NAME_SIZE + 1]);

#endif
