/* SPDX-License-Identifier: Apache-2.0 */
/* verb_doctor.c: `caisson doctor`: what this machine can do, and how to get the rest. */
#include "cli.h"
#include <caisson/host.h>
#include <string.h>

static const char help[] =
    "usage: caisson doctor [--require NAME[,NAME…]] [--json]\n\n"
    "Tries what the backends need and prints one line for each: works or not, what was found, and\n"
    "the remedy. It changes nothing on the machine.\n\n"
    "  $ caisson doctor\n"
    "  $ caisson doctor --require kvm             # in a script: exit 1 where kvm does not work\n"
    "  $ caisson doctor --json | jq '.[] | select(.works | not)'\n\n"
    "Exit codes: 0 (whatever was found), 1 something named by --require does not work, 2 usage.\n";

#define LINE_COUNT_MAX 64u

/* Finds a name of size bytes among the lines. */
static const struct csn_capability *find(const struct csn_capability *lines, uint32_t count,
                                         const char *name, size_t size)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strlen(lines[i].name) == size && memcmp(lines[i].name, name, size) == 0) {
            return &lines[i];
        }
    }
    return NULL;
}

/* Each name of a comma-separated list must be known and must work. */
static int check_required(const struct csn_capability *lines, uint32_t count, const char *list)
{
    int code = CLI_OK;
    while (list != NULL) {
        size_t size = strcspn(list, ",");
        const struct csn_capability *line = find(lines, count, list, size);
        if (line == NULL) {
            return cli_fail(CLI_USAGE, "--require: nothing here is called '%.*s'", (int)size, list);
        }
        if (!line->works) {
            code = cli_fail(CLI_FAILURE, "required, and does not work: %s: %s", line->name,
                            line->detail.text);
        }
        list = list[size] == ',' ? list + size + 1 : NULL;
    }
    return code;
}

static void print_text(const struct csn_capability *lines, uint32_t count)
{
    bool colour = cli_colour(stdout);
    for (uint32_t i = 0; i < count; i++) {
        const char *mark = lines[i].works ? "works  " : "missing";
        const char *on = !colour ? "" : lines[i].works ? "\033[32m" : "\033[33m";
        printf("%s%s%s  %-24s %s\n", on, mark, colour ? "\033[0m" : "", lines[i].name,
               lines[i].detail.text);
    }
}

static void print_json(const struct csn_capability *lines, uint32_t count)
{
    putchar('[');
    for (uint32_t i = 0; i < count; i++) {
        fputs(i ? ",\n {\"name\":" : "{\"name\":", stdout);
        cli_json_string(stdout, lines[i].name);
        printf(",\"works\":%s,\"detail\":", lines[i].works ? "true" : "false");
        cli_json_string(stdout, lines[i].detail.text);
        putchar('}');
    }
    puts("]");
}

static int run(int argc, char **argv)
{
    static struct csn_capability lines[LINE_COUNT_MAX];
    bool json = false;
    bool done;
    const char *require = NULL;
    size_t count;
    const struct cli_option options[] = {{"--json", NULL, &json}, {"--require", &require, NULL}};
    int code = cli_options(&cli_doctor, argc, argv, options, 2, NULL, 0, &count, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    uint32_t found = csn_doctor(lines, LINE_COUNT_MAX);
    (json ? print_json : print_text)(lines, found);
    return check_required(lines, found, require);
}

const struct cli_verb cli_doctor = {
    .name = "doctor",
    .summary = "what this machine can do, and how to get the rest",
    .help = help,
    .run = run,
};
