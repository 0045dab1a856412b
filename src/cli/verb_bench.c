/* SPDX-License-Identifier: Apache-2.0 */
/* verb_bench.c: `caisson bench`: picks the measurement, finds the image, limits the time. */
#define _GNU_SOURCE
#include "bench.h"
#include "cli.h"
#include "image_file.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WHAT "rings|echo|aead|pipeline|ff1|hmac|tokenize|start|idle"

static const char help[] =
    "usage: caisson bench " WHAT "\n"
    "                     [--backend auto|process|kvm] [--image FILE] [--seconds N] [--json]\n\n"
    "Between two cores, beside the bare round trip of two cache lines:\n"
    "  rings     a round trip and a stream over a pair of rings\n"
    "In this process, beside libcrypto, in alternating slices:\n"
    "  aead      AES-256-GCM, batches and single records, both kernels\n"
    "  ff1       FF1 of 16 digits, beside a textbook one\n"
    "  hmac      HMAC-SHA-256 of 32 bytes\n"
    "  tokenize  card records through the session of the tokenize enclave, beside the sum of its\n"
    "            parts and a loop with OpenSSL and cJSON\n"
    "A running enclave:\n"
    "  pipeline  sealed records through both rings, beside loops that open and seal without any\n"
    "            transport, OpenSSL's and our own\n"
    "  echo      one ping at a time, there and back\n"
    "  start     from the image's bytes to a serving enclave\n"
    "  idle      CPU time when there is nothing to do, in percent of a core\n\n"
    "  $ caisson bench rings\n"
    "  $ caisson bench aead --json\n"
    "  $ caisson bench echo --backend kvm --seconds 5\n\n"
    "Results are percentiles, or medians of ratios with their 10th and 90th percentile.\n"
    "Nanoseconds depend on the machine and on what else it does; ratios are what to compare.\n"
    "--json prints an object a line. Enclaves are build/enclaves/echo.elf beside this program,\n"
    "unless --image names one. --seconds: 1 to 3600, default 3, for each row of rings and spread\n"
    "over the rows of all other ratios; a row is never under 15 pairs of slices.\n"
    "rings and pipeline: in the real-time class where that is allowed, with pauses.\n"
    "Beside DPDK, Boost, gRPC and others, where they are installed: make bench.\n\n"
    "Exit codes: 0 ok, 1 could not measure, 2 usage, 3 image refused.\n";

static const struct {
    const char *name;
    int (*run)(const struct bench_options *options);
    bool needs_image;
} benches[] = {
    {"pipeline", bench_pipeline, true},  {"rings", bench_rings, false}, {"echo", bench_echo, true},
    {"aead", bench_aead, false},         {"ff1", bench_ff1, false},     {"hmac", bench_hmac, false},
    {"tokenize", bench_tokenize, false}, {"start", bench_start, true},  {"idle", bench_idle, true},
};

/* enclaves/echo.elf beside this program. */
static bool default_image(char path[PATH_MAX])
{
    static const char rest[] = "/enclaves/echo.elf";
    ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - sizeof rest);
    char *slash = size > 0 ? memrchr(path, '/', (size_t)size) : NULL;
    if (slash == NULL) {
        return false;
    }
    memcpy(slash, rest, sizeof rest);
    return true;
}

static int measure(size_t which, struct bench_options *options, const char *image)
{
    static char path[PATH_MAX];
    struct cli_image file;
    if (!benches[which].needs_image) {
        return benches[which].run(options);
    }
    if (image == NULL && !default_image(path)) {
        return cli_fail(CLI_FAILURE, "cannot tell where this program lies: say --image FILE");
    }
    options->image_path = image ? image : path;
    int code = cli_image_read(options->image_path, &file, options->json);
    if (code != CLI_OK) {
        return code;
    }
    options->image = file.bytes;
    options->image_size = file.size;
    code = benches[which].run(options);
    cli_image_free(&file);
    return code;
}

static int run(int argc, char **argv)
{
    struct bench_options bench = {.seconds = 3};
    const char *what = NULL;
    const char *image = NULL;
    const char *seconds = NULL;
    size_t count;
    bool done;
    const struct cli_option options[] = {{"--json", NULL, &bench.json},
                                         {"--backend", &bench.backend, NULL},
                                         {"--image", &image, NULL},
                                         {"--seconds", &seconds, NULL}};
    int code = cli_options(&cli_bench, argc, argv, options, 4, &what, 1, &count, &done);
    if (code == CLI_OK && !done && bench.backend != NULL) {
        code = cli_backend(bench.backend);
    }
    if (code == CLI_OK && !done && seconds != NULL) {
        code = cli_number("--seconds", seconds, 1, 3600, &bench.seconds);
    }
    if (code != CLI_OK || done) {
        return code;
    }
    for (size_t i = 0; count == 1 && i < sizeof benches / sizeof benches[0]; i++) {
        if (strcmp(what, benches[i].name) == 0) {
            return measure(i, &bench, image);
        }
    }
    return cli_fail(CLI_USAGE, "measure what? caisson bench " WHAT);
}

const struct cli_verb cli_bench = {
    .name = "bench",
    .summary = "measure rings, cryptography, a tokenized record, a ping, a start, an idle enclave",
    .help = help,
    .run = run,
};
