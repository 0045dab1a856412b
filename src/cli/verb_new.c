/* SPDX-License-Identifier: Apache-2.0 */
/* verb_new.c: `caisson new`: a folder with an enclave that builds and passes its own test. */
#define _GNU_SOURCE
#include "cli.h"
#include "scaffold.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
    "usage: caisson new NAME [DIR] [--caisson BUILD] [--json]\n\n"
    "Makes a folder (DIR, or ./NAME) with a whole enclave: NAME.c with its manifest and one\n"
    "operation, NAME_host.c with the whole life of a record, NAME_test.sh and a Makefile. It "
    "builds\n"
    "against the Caisson build that this command lies in, or the one that --caisson names.\n\n"
    "  $ caisson new wordcount\n"
    "  $ cd wordcount && make test\n"
    "  $ $EDITOR wordcount.c              # change count_words(), then make test again\n\n"
    "NAME: lower-case letters, digits and '-', beginning with a letter, at most 31.\n"
    "Nothing that exists is overwritten.\n\n"
    "Exit codes: 0 ok, 1 not written, 2 usage.\n";

#define NAME_LENGTH_MAX 31u

static bool name_is_good(const char *name)
{
    size_t size = strlen(name);
    return size >= 1 && size <= NAME_LENGTH_MAX && name[0] >= 'a' && name[0] <= 'z' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == size;
}

/* What stands where the example says "hello", "HELLO" and "../../build". */
struct words {
    const char *lower; /* file names and the manifest */
    char upper[NAME_LENGTH_MAX + 1];
    char build[PATH_MAX];
};

static void write_replaced(FILE *file, const char *text, const struct words *words)
{
    while (*text != 0) {
        if (strncmp(text, "hello", 5) == 0) {
            fputs(words->lower, file);
            text += 5;
        } else if (strncmp(text, "HELLO", 5) == 0) {
            fputs(words->upper, file);
            text += 5;
        } else if (strncmp(text, "../../build", 11) == 0) {
            fputs(words->build, file);
            text += 11;
        } else {
            fputc(*text++, file);
        }
    }
}

static bool write_one(int folder, const struct cli_scaffold *one, const struct words *words)
{
    char name[NAME_LENGTH_MAX + 32];
    const char *rest = strstr(one->name, "hello");
    snprintf(name, sizeof name, "%s%s", rest ? words->lower : one->name, rest ? rest + 5 : "");
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, one->mode);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL) {
        cli_fail(0, "%s: %s", name, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    write_replaced(file, one->text, words);
    bool good = ferror(file) == 0;
    good = fclose(file) == 0 && good;
    if (!good) {
        cli_fail(0, "%s: not written", name);
    }
    return good;
}

/* The build folder: the one that is named, else the one that this program lies in. */
static bool find_build(const char *wish, char build[PATH_MAX])
{
    char path[PATH_MAX];
    if (wish == NULL) {
        ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
        char *slash = size > 0 ? memrchr(path, '/', (size_t)size) : NULL;
        if (slash == NULL) {
            cli_fail(0, "cannot tell where this program lies: say --caisson BUILD");
            return false;
        }
        *slash = 0;
        wish = path;
    }
    if (realpath(wish, build) == NULL) {
        cli_fail(0, "%s: %s", wish, strerror(errno));
        return false;
    }
    size_t size = strlen(build);
    const char *needed = "/examples/enclave.mk";
    if (size + strlen(needed) >= PATH_MAX) {
        cli_fail(0, "%s: path too long", wish);
        return false;
    }
    memcpy(build + size, needed, strlen(needed) + 1);
    bool good = access(build, R_OK) == 0;
    build[size] = 0;
    if (!good) {
        cli_fail(0, "%s is no Caisson build (no %s in it): say --caisson BUILD", build, needed + 1);
    }
    return good;
}

static int create(const char *target, const struct words *words)
{
    if (mkdir(target, 0755) != 0 && errno != EEXIST) {
        return cli_fail(CLI_FAILURE, "%s: %s", target, strerror(errno));
    }
    int folder = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        return cli_fail(CLI_FAILURE, "%s: %s", target, strerror(errno));
    }
    bool good = true;
    for (size_t i = 0; good && i < cli_scaffold_count; i++) {
        good = write_one(folder, &cli_scaffold[i], words);
    }
    close(folder);
    return good ? CLI_OK : CLI_FAILURE;
}

static int run(int argc, char **argv)
{
    static struct words words;
    bool json = false;
    bool done;
    const char *operands[2] = {NULL, NULL};
    const char *build = NULL;
    size_t count;
    const struct cli_option options[] = {{"--json", NULL, &json}, {"--caisson", &build, NULL}};
    int code = cli_options(&cli_new, argc, argv, options, 2, operands, 2, &count, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (count == 0 || !name_is_good(operands[0])) {
        return cli_fail(CLI_USAGE, "wants a name of a-z, 0-9 and '-', at most %u: caisson new NAME",
                        NAME_LENGTH_MAX);
    }
    const char *target = count == 2 ? operands[1] : operands[0];
    words.lower = operands[0];
    for (size_t i = 0; operands[0][i] != 0; i++) {
        char c = operands[0][i];
        words.upper[i] = (char)(c == '-' ? '_' : c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
    if (!find_build(build, words.build)) {
        return CLI_FAILURE;
    }
    code = create(target, &words);
    if (code == CLI_OK && json) {
        fputs("{\"folder\":", stdout);
        cli_json_string(stdout, target);
        fputs(",\"caisson\":", stdout);
        cli_json_string(stdout, words.build);
        puts("}");
    } else if (code == CLI_OK) {
        printf("made %s; next: cd %s && make test\n", target, target);
    }
    return code;
}

const struct cli_verb cli_new = {
    .name = "new",
    .summary = "start an enclave of your own: a folder that builds and passes its test",
    .help = help,
    .run = run,
};
