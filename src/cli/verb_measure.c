/* SPDX-License-Identifier: Apache-2.0 */
/* verb_measure.c: `caisson measure`: the SHA-384 that a loader would measure, from the file. */
#include "cli.h"
#include "image_file.h"

static const char help[] =
    "usage: caisson measure IMAGE [--json]\n\n"
    "Prints the measurement of an enclave image: SHA-384 over its manifest, its entry point and\n"
    "its segments as they lie in memory. Both backends measure the same number from the copy that\n"
    "they run, and it is what the evidence carries, so this is the number to pin.\n\n"
    "  $ caisson measure build/enclaves/echo.elf\n"
    "  $ caisson measure build/enclaves/echo.elf --json | jq -r .measurement\n\n"
    "An image that the loader would refuse has no measurement: the reason and the offset in the\n"
    "file are printed.\n\n"
    "Exit codes: 0 ok, 1 file not readable, 2 usage, 3 image refused.\n";

static int run(int argc, char **argv)
{
    bool json = false;
    const struct cli_option options[] = {{"--json", NULL, &json}};
    struct cli_image file;
    int code = cli_image_begin(&cli_measure, argc, argv, options, 1, &json, &file);
    if (code != CLI_OK || file.bytes == NULL) {
        return code;
    }
    if (json) {
        fputs("{\"image\":", stdout);
        cli_json_string(stdout, file.path);
        fputs(",\"measurement\":\"", stdout);
        cli_print_hex(stdout, file.measurement, sizeof file.measurement);
        puts("\"}");
    } else {
        cli_print_hex(stdout, file.measurement, sizeof file.measurement);
        putchar('\n');
    }
    cli_image_free(&file);
    return CLI_OK;
}

const struct cli_verb cli_measure = {
    .name = "measure",
    .summary = "print the measurement of an image",
    .help = help,
    .run = run,
};
