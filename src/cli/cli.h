/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli.h: what every subcommand shares: the table, options, files, output and exit codes.
 *
 * Data goes to stdout; progress and messages go to stderr, progress only on a terminal.
 */
#ifndef CSN_CLI_CLI_H
#define CSN_CLI_CLI_H

#include <caisson/base.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Exit codes (documented in docs/man/caisson.1). */
enum cli_exit {
    CLI_OK = 0,
    CLI_FAILURE = 1,
    CLI_USAGE = 2,
    CLI_INVALID = 3,    /* verification failed */
    CLI_UNVERIFIED = 4, /* could not verify: something needed is missing */
};

struct cli_verb {
    const char *name;
    const char *summary;               /* one line for the list */
    const char *help;                  /* whole text of --help, teaches by example */
    int (*run)(int argc, char **argv); /* argv[0] is the verb */
};

extern const struct cli_verb cli_bench, cli_call, cli_cmw, cli_demo, cli_doctor, cli_evidence,
    cli_grant, cli_inspect, cli_keygen, cli_keywrap, cli_measure, cli_model, cli_new, cli_open,
    cli_policy, cli_predict, cli_proxy, cli_run, cli_seal, cli_serve, cli_sign, cli_size, cli_store,
    cli_verify;

/* ---- options.c: long options only, "--name VALUE", "--name=VALUE" or flags; "--" ends them ----
 */
struct cli_option {
    const char *name;   /* with its dashes; as many rows as it may be repeated */
    const char **value; /* set for options with a value; NULL for a flag */
    bool *flag;         /* set for flags */
};
/*
 * Takes options out of argv and leaves operands in operands (at most operand_max, *operand_count
 * set). --help prints the verb's help and sets *done. Returns CLI_OK or CLI_USAGE (message
 * printed).
 */
int cli_options(const struct cli_verb *verb, int argc, char **argv,
                const struct cli_option *options, size_t option_count, const char **operands,
                size_t operand_max, size_t *operand_count, bool *done);
/* Whole unsigned decimal number within limits, or CLI_USAGE with a message. */
int cli_number(const char *option, const char *text, uint64_t minimum, uint64_t maximum,
               uint64_t *value);
/* auto, process or kvm, or CLI_USAGE with a message. */
int cli_backend(const char *text);
/* Hex of exactly size bytes, or CLI_USAGE with a message. */
int cli_hex(const char *option, const char *text, uint8_t *bytes, size_t size);
void cli_print_hex(FILE *stream, const uint8_t *bytes, size_t size);

/* ---- stream_begin.c ---- */
/* cli_options() with the operands INPUT and OUTPUT, both "-" where they are not given. */
int cli_stream_options(const struct cli_verb *verb, int argc, char **argv,
                       const struct cli_option *options, size_t option_count,
                       const char *operands[2], bool *done);
/* csv_client_init(), with a message where the self-test fails. */
int cli_client_init(void);

/* ---- files.c ---- */
/* Whole file ("-" = stdin), malloc'd, NUL-terminated beyond *size; NULL with a message printed. */
uint8_t *cli_read_file(const char *path, size_t size_max, size_t *size);
/* The same of a key file, which is refused where others than its owner, the caller, may use it. */
uint8_t *cli_read_secret(const char *path, size_t size_max, size_t *size);
/* Whole file ("-" = stdout), 0644, or 0600 for secrets; false with a message printed. */
bool cli_write_file(const char *path, const void *bytes, size_t size, bool secret);
/* Exactly size bytes; false on end or error. Retries on EINTR. */
bool cli_read_exactly(int fd, void *bytes, size_t size);
bool cli_write_exactly(int fd, const void *bytes, size_t size);

/* ---- output.c ---- */
/* "caisson VERB: message" on stderr; returns code, so that `return cli_fail(...)` reads well. */
__attribute__((format(printf, 2, 3))) int cli_fail(int code, const char *format, ...);
void cli_set_verb(const char *name);
bool cli_colour(FILE *stream); /* a terminal, and no NO_COLOR */
/* A string as a JSON string, with quotes and escapes. */
void cli_json_string(FILE *stream, const char *text);
/* Progress bar on stderr where it is a terminal; nothing elsewhere. Call with done == total last.
 */
void cli_progress(const char *what, uint64_t done, uint64_t total);
uint64_t cli_now_ns(void); /* CLOCK_MONOTONIC */
/* enum csn_wire_status in a few words. */
const char *cli_status_name(uint16_t status);

#endif
