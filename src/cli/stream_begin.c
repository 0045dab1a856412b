/* SPDX-License-Identifier: Apache-2.0 */
/* stream_begin.c: what the verbs that seal and open records begin with. */
#include "cli.h"
#include <caisson/client.h>

int cli_stream_options(const struct cli_verb *verb, int argc, char **argv,
                       const struct cli_option *options, size_t option_count,
                       const char *operands[2], bool *done)
{
    size_t count;
    operands[0] = "-";
    operands[1] = "-";
    return cli_options(verb, argc, argv, options, option_count, operands, 2, &count, done);
}

int cli_client_init(void)
{
    csn_err err = csv_client_init();
    return err == CSN_OK
               ? CLI_OK
               : cli_fail(CLI_FAILURE, "the cryptography's self-test: %s", csn_err_name(err));
}
