/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"
static int run(int argc, char **argv) { (void)argc; (void)argv; return cli_fail(CLI_FAILURE, "missing in this build"); }
const struct cli_verb cli_new = {.name = "new", .summary = "", .help = "", .run = run};
