/* SPDX-License-Identifier: Apache-2.0 */
/* verb_doctor.c: `caisson doctor`: what this machine can do, and how to get the rest. */
#include "cli.h"
#include "run_evidence.h"
#include <caisson/host.h>
#include <caisson/verify.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
    "usage: caisson doctor [--require NAME[,NAME…]] [--tpm TCTI] [--json]\n\n"
    "Tries what the backends need and prints one line for each: works or not, what was found, and\n"
    "the remedy; then which platforms can vouch for an enclave (evidence-NAME: caisson run\n"
    "--evidence NAME), and whether this user reaches a TPM 2.0 (tpm: for --tpm of caisson run and\n"
    "caisson store; --tpm says which, default device:/dev/tpmrm0). It changes nothing on the\n"
    "machine.\n\n"
    "  $ caisson doctor\n"
    "  $ caisson doctor --require kvm             # in a script: exit 1 where kvm does not work\n"
    "  $ caisson doctor --json | jq '.[] | select(.works | not)'\n\n"
    "Exit codes: 0 (whatever was found), 1 something named by --require does not work, 2 usage.\n";

#define LINE_COUNT_MAX 64u

/* ---- the TPM ---- */

/* Why a device cannot be opened, and the remedy; false: it can be, and is one. */
static bool explain_device(const char *path, struct csn_detail *detail)
{
    struct stat about = {.st_gid = 0};
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    int error = errno;
    const bool is_known = stat(path, &about) == 0;
    if (fd >= 0) {
        close(fd);
        if (!S_ISCHR(about.st_mode)) {
            snprintf(detail->text, sizeof detail->text, "%.100s: not a device", path);
        }
        return !S_ISCHR(about.st_mode);
    }
    const struct group *group = is_known ? getgrgid(about.st_gid) : NULL;
    const char *remedy =
        error == ENOENT  ? ": no TPM 2.0, or the firmware or the kernel (tpm_crb, tpm_tis) hides it"
        : error == EBUSY ? ": somebody has it alone: /dev/tpmrm0 is for all"
                         : "";
    snprintf(detail->text, sizeof detail->text, "%.100s: %s%s", path, strerror(error), remedy);
    if (error == EACCES) {
        snprintf(detail->text, sizeof detail->text,
                 "%.80s: %s: it is for the group %.32s: usermod -aG %.32s USER, and log in again",
                 path, strerror(error), group != NULL ? group->gr_name : "of its own",
                 group != NULL ? group->gr_name : "GROUP");
    }
    return true;
}

/* Whether what the TCTI names answers as a TPM does. */
static void find_tpm(const char *tcti, struct csn_capability *line)
{
    static const char device[] = "device:";
    /* TPM2_GetCapability: one property, the family. It changes nothing. */
    static const uint8_t command[22] = {0x80, 1, 0, 0, 0, 22, 0, 0, 1, 0x7a, 0,
                                        0,    0, 6, 0, 0, 1,  0, 0, 0, 0,    1};
    uint8_t response[4096];
    size_t size = sizeof response;
    struct csn_tpm_link *link = NULL;
    char why[200] = "";
    *line = (struct csn_capability){.name = "tpm"};
    if (strncmp(tcti, device, sizeof device - 1) == 0 &&
        explain_device(tcti + sizeof device - 1, &line->detail)) {
        return;
    }
    if (csn_tpm_link_open(tcti, &link, why) != CSN_OK) {
        snprintf(line->detail.text, sizeof line->detail.text, "%s", why);
        return;
    }
    line->works = csn_tpm_link_carry(link, command, sizeof command, response, &size) == CSN_OK &&
                  size >= 10 && memcmp(response + 6, "\0\0\0", 4) == 0;
    csn_tpm_link_close(link);
    snprintf(line->detail.text, sizeof line->detail.text, "%.100s: %s", tcti,
             line->works ? "answers; caisson store init-tpm makes a counter in it"
                         : "does not answer as a TPM 2.0 does");
}

/* Platforms that could vouch for what runs here, as `caisson run --evidence` would find them. */
static uint32_t find_platforms(struct csn_capability *lines, uint32_t count_max)
{
    static struct csn_evidence_platform platform;
    static const struct csn_evidence_tsm tsm = {CSN_EVIDENCE_TSM_ROOT,
                                                CSN_EVIDENCE_PRIVLEVEL_UNSET};
    static const struct csn_evidence_tpm tpm = {.tcti = CSN_EVIDENCE_TPM_TCTI, .pcrs = 1};
    static const struct csn_evidence_nsm nsm = {.path = CSN_EVIDENCE_NSM_PATH};
    static const struct {
        const char *name;
        const struct csn_evidence_producer *producer;
        const void *state;
    } rows[] = {{"evidence-tsm", &csn_evidence_tsm, &tsm},
                {"evidence-tpm", &csn_evidence_tpm, &tpm},
                {"evidence-nsm", &csn_evidence_nsm, &nsm}};
    uint32_t count = 0;
    run_evidence_quiet();
    for (; count < sizeof rows / sizeof rows[0] && count < count_max; count++) {
        struct csn_capability *line = &lines[count];
        *line = (struct csn_capability){.name = rows[count].name};
        line->works = rows[count].producer->prepare(rows[count].state, &platform) == CSN_OK;
        snprintf(line->detail.text, sizeof line->detail.text, "%s%s",
                 line->works ? "evidence of type " : "",
                 line->works ? csv_format_name(platform.type) : platform.detail);
    }
    return count;
}

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
    const char *tpm = CSN_EVIDENCE_TPM_TCTI;
    size_t count;
    const struct cli_option options[] = {
        {"--json", NULL, &json}, {"--require", &require, NULL}, {"--tpm", &tpm, NULL}};
    int code = cli_options(&cli_doctor, argc, argv, options, sizeof options / sizeof options[0],
                           NULL, 0, &count, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    uint32_t found = csn_doctor(lines, LINE_COUNT_MAX - 1);
    found += find_platforms(lines + found, LINE_COUNT_MAX - 1 - found);
    find_tpm(tpm, &lines[found++]);
    (json ? print_json : print_text)(lines, found);
    return check_required(lines, found, require);
}

const struct cli_verb cli_doctor = {
    .name = "doctor",
    .summary = "what this machine can do, and how to get the rest",
    .help = help,
    .run = run,
};
