/* SPDX-License-Identifier: Apache-2.0 */
/* options.c: long options, numbers and hex, each fault said with the option's name. */
#include "cli.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* An option that may be repeated stands in the table as often: the first one without a value. */
static const struct cli_option *find(const struct cli_option *options, size_t count,
                                     const char *argument, size_t size)
{
    const struct cli_option *found = NULL;
    for (size_t i = 0; i < count; i++) {
        if (strlen(options[i].name) == size && memcmp(options[i].name, argument, size) == 0) {
            found = &options[i];
            if (found->value == NULL || *found->value == NULL) {
                return found;
            }
        }
    }
    return found;
}

/* Takes one option at argv[*at]; moves *at over a value of its own. */
static int take(const struct cli_verb *verb, int argc, char **argv, int *at,
                const struct cli_option *options, size_t option_count)
{
    const char *argument = argv[*at];
    const char *equals = strchr(argument, '=');
    size_t size = equals ? (size_t)(equals - argument) : strlen(argument);
    const struct cli_option *option = find(options, option_count, argument, size);
    if (option == NULL) {
        return cli_fail(CLI_USAGE, "unknown option %s; see caisson %s --help", argument,
                        verb->name);
    }
    if (option->flag != NULL) {
        *option->flag = true;
        return equals ? cli_fail(CLI_USAGE, "%s takes no value", option->name) : CLI_OK;
    }
    if (equals == NULL && *at + 1 >= argc) {
        return cli_fail(CLI_USAGE, "%s wants a value", option->name);
    }
    *option->value = equals ? equals + 1 : argv[++*at];
    return CLI_OK;
}

int cli_options(const struct cli_verb *verb, int argc, char **argv,
                const struct cli_option *options, size_t option_count, const char **operands,
                size_t operand_max, size_t *operand_count, bool *done)
{
    bool ended = false;
    *operand_count = 0;
    *done = false;
    for (int at = 1; at < argc; at++) {
        if (!ended && strcmp(argv[at], "--") == 0) {
            ended = true;
        } else if (!ended && (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0)) {
            fputs(verb->help, stdout);
            *done = true;
            return CLI_OK;
        } else if (!ended && argv[at][0] == '-' && argv[at][1] != 0) {
            int result = take(verb, argc, argv, &at, options, option_count);
            if (result != CLI_OK) {
                return result;
            }
        } else if (*operand_count == operand_max) {
            return cli_fail(CLI_USAGE, "one operand too many: %s; see caisson %s --help", argv[at],
                            verb->name);
        } else {
            operands[(*operand_count)++] = argv[at];
        }
    }
    return CLI_OK;
}

int cli_number(const char *option, const char *text, uint64_t minimum, uint64_t maximum,
               uint64_t *value)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != 0 || errno != 0 || number < minimum ||
        number > maximum) {
        return cli_fail(CLI_USAGE, "%s wants a number from %llu to %llu, not '%s'", option,
                        (unsigned long long)minimum, (unsigned long long)maximum, text);
    }
    *value = number;
    return CLI_OK;
}

int cli_backend(const char *text)
{
    if (strcmp(text, "auto") == 0 || strcmp(text, "process") == 0 || strcmp(text, "kvm") == 0) {
        return CLI_OK;
    }
    return cli_fail(CLI_USAGE, "--backend wants auto, process or kvm, not '%s'", text);
}

static int nibble(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

int cli_hex(const char *option, const char *text, uint8_t *bytes, size_t size)
{
    bool good = strlen(text) == 2 * size;
    for (size_t i = 0; good && i < size; i++) {
        int high = nibble(text[2 * i]);
        int low = nibble(text[2 * i + 1]);
        good = high >= 0 && low >= 0;
        bytes[i] = (uint8_t)(high << 4 | (low & 15));
    }
    return good ? CLI_OK : cli_fail(CLI_USAGE, "%s wants %zu hex digits", option, 2 * size);
}

void cli_print_hex(FILE *stream, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        fprintf(stream, "%02x", bytes[i]);
    }
}
