/* SPDX-License-Identifier: Apache-2.0 */
/* main.c: the table of subcommands, from which both dispatch and help are made. */
#include "cli.h"
#include <signal.h>
#include <string.h>

static const struct cli_verb *const verbs[] = {
    &cli_demo, &cli_run,     &cli_serve,   &cli_proxy, &cli_call,     &cli_keygen,
    &cli_sign, &cli_measure, &cli_inspect, &cli_size,  &cli_evidence, &cli_verify,
    &cli_cmw,  &cli_policy,  &cli_predict, &cli_grant, &cli_keywrap,  &cli_model,
    &cli_seal, &cli_open,    &cli_new,     &cli_store, &cli_doctor,   &cli_bench,
};

static void usage(FILE *stream)
{
    fputs("caisson: sealed records through micro-enclaves\n\n"
          "usage: caisson VERB [OPTIONS]     caisson VERB --help teaches one verb\n\n",
          stream);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        fprintf(stream, "  %-9s %s\n", verbs[i]->name, verbs[i]->summary);
    }
    fputs(
        "\nEvery verb takes --json. Exit codes: 0 ok, 1 failure, 2 usage, 3 verification failed,\n"
        "4 could not verify.\n",
        stream);
}

/* What was printed must have arrived. */
static int end(int code)
{
    return fflush(stdout) == 0 ? code : cli_fail(CLI_FAILURE, "cannot write to stdout");
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* a reader that went away is an error of write, with a message */
    if (argc < 2) {
        usage(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return end(CLI_OK);
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("caisson 0.1.0");
        return end(CLI_OK);
    }
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(argv[1], verbs[i]->name) == 0) {
            cli_set_verb(verbs[i]->name);
            int code = verbs[i]->run(argc - 1, argv + 1);
            return end(code);
        }
    }
    return cli_fail(CLI_USAGE, "no such verb: %s; see caisson --help", argv[1]);
}
