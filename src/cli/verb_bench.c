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

#define OPTIONS "[--backend auto|process|kvm] [--image FILE] [--seconds N] [--json]\n\n"
#define RATIO                                                                                      \
    "Each row is a ratio, the median of 15 pairs of neighbouring slices or more, with its 10th\n"  \
    "and 90th percentile: compare ratios, not nanoseconds.\n"

static const char help[] =
    "usage: caisson bench " WHAT "\n"
    "                     " OPTIONS
    "Between two cores, beside the bare round trip of two cache lines:\n"
    "  rings     a round trip and a stream over a pair of rings\n"
    "  echo      one sealed record there and back through an enclave, beside an exit and a socket\n"
    "  pipeline  sealed records through both rings, beside loops that open and seal without any\n"
    "            transport, OpenSSL's and our own\n"
    "In this process, beside libcrypto, in alternating slices:\n"
    "  aead      AES-256-GCM, batches and single records, both kernels\n"
    "  ff1       FF1 of 16 digits, beside a textbook one\n"
    "  hmac      HMAC-SHA-256 of 32 bytes\n"
    "  tokenize  card records through the session of the tokenize enclave, beside the sum of its\n"
    "            parts and a loop with OpenSSL and cJSON\n"
    "An enclave that has nothing to do:\n"
    "  start     from the image's bytes to a serving enclave\n"
    "  idle      CPU time when there is nothing to do, in percent of a core\n\n"
    "  $ caisson bench rings\n"
    "  $ caisson bench aead --json\n"
    "  $ caisson bench echo --backend kvm --seconds 5\n"
    "  $ caisson bench pipeline --help        what its rows say\n\n"
    "Results are medians of ratios with their 10th and 90th percentile, or percentiles.\n"
    "Nanoseconds depend on the machine and on what else it does; ratios are what to compare.\n"
    "--json prints an object a line. Enclaves are build/enclaves/echo.elf beside this program,\n"
    "unless --image names one. --seconds: 1 to 3600, default 3, for each row of rings and spread\n"
    "over the rows of all other ratios; a row is never under 15 pairs of slices.\n"
    "rings, echo and pipeline: in the real-time class where that is allowed, with pauses.\n"
    "Beside DPDK, Boost, gRPC and others, where they are installed: make bench.\n\n"
    "Exit codes: 0 ok, 1 could not measure, 2 usage, 3 image refused.\n";

static const struct {
    const char *name;
    int (*run)(const struct bench_options *options);
    bool needs_image;
    const char *help;
} benches[] = {
    {"pipeline", bench_pipeline, true,
     "usage: caisson bench pipeline " OPTIONS
     "Records of 256 bytes, 1 KiB and 16 KiB, sealed before, go through the in ring; the enclave\n"
     "opens, echoes and seals them; the answers come through the out ring. Time of one record,\n"
     "beside loops on one core that open and seal the same bytes and move nothing: OpenSSL's and\n"
     "our own. Above 1: the enclave is faster than that loop. Then the spread of single "
     "bursts.\n" RATIO
     "The floor is one way of two bare lines between the two cores: A below 42 ns, B below 120.\n\n"
     "  $ caisson bench pipeline --backend process\n"},
    {"rings", bench_rings, false,
     "usage: caisson bench rings [--seconds N] [--json]\n\n"
     "A message of 16 bytes over a ring and back, halved, beside two bare cache lines that two\n"
     "cores write and poll: near 1, since a message is one line. Then percentiles of single\n"
     "trips. It takes two CPUs.\n" RATIO "\n"
     "  $ caisson bench rings --seconds 2\n"},
    {"echo", bench_echo, true,
     "usage: caisson bench echo " OPTIONS "One record of 64 bytes at a time: sealed, through the "
     "ring, opened and sealed by the enclave,\n"
     "back, opened and compared. Rows for the full and the short form, answered to a consumer\n"
     "(output) or to the sealer (reply), beside the bare ping-pong (what two cores cost at "
     "least),\n"
     "beside an exit of a virtual machine (kvm: what a call without rings would cost), and beside\n"
     "a socket. Then percentiles of single trips. It takes two CPUs.\n" RATIO "\n"
     "  $ caisson bench echo --backend kvm --seconds 5\n"},
    {"aead", bench_aead, false,
     "usage: caisson bench aead [--seconds N] [--json]\n\n"
     "AES-256-GCM, sealing and opening, batches of 32 and single records, with VAES where this\n"
     "CPU has it and with AES-NI, beside OpenSSL's EVP with a context set up once. Above 1: ours\n"
     "is faster. Every figure is checked: what is opened is what EVP sealed.\n" RATIO "\n"
     "  $ caisson bench aead --json | grep '64 B'\n"},
    {"ff1", bench_ff1, false,
     "usage: caisson bench ff1 [--seconds N] [--json]\n\n"
     "FF1 (NIST SP 800-38G) of 16 digits with AES-256, in batches and alone, beside a textbook\n"
     "implementation on libcrypto, a tuned one, and the ten AES blocks that it cannot do "
     "without.\n" RATIO "\n  $ caisson bench ff1\n"},
    {"hmac", bench_hmac, false,
     "usage: caisson bench hmac [--seconds N] [--json]\n\n"
     "HMAC-SHA-256 of 32 bytes under one key, in batches and alone, beside OpenSSL's "
     "EVP_MAC.\n" RATIO "\n  $ caisson bench hmac\n"},
    {"tokenize", bench_tokenize, false,
     "usage: caisson bench tokenize [--seconds N] [--json]\n\n"
     "Card records of the demo through the session and the tokenize policy, without rings, beside\n"
     "the sum of the parts measured alone (1: nothing is lost between them) and beside a loop "
     "that\n"
     "does the same with OpenSSL and cJSON. The JSON scan alone: bytes a ns, against 2.\n" RATIO
     "\n  $ caisson bench tokenize --seconds 5\n"},
    {"start", bench_start, true,
     "usage: caisson bench start " OPTIONS
     "From the image's bytes to an enclave that serves: mapped, measured, self-tested, keys made.\n"
     "Percentiles of as many starts as N seconds take, five at least. The first reply to a "
     "client,\n"
     "with evidence and grant, is build/bench/start.\n\n"
     "  $ caisson bench start --backend process --image my.elf\n"},
    {"idle", bench_idle, true,
     "usage: caisson bench idle " OPTIONS
     "CPU time of a running enclave and its host while nobody asks anything, for N seconds, in\n"
     "percent of a core. A parked worker runs nothing: some 0.01 is what the kernel's own work "
     "makes.\n\n"
     "  $ caisson bench idle --seconds 10\n"},
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
    struct cli_verb verb = cli_bench; /* each thing has a help of its own */
    for (size_t i = 0; argc > 1 && i < sizeof benches / sizeof benches[0]; i++) {
        verb.help = strcmp(argv[1], benches[i].name) == 0 ? benches[i].help : verb.help;
    }
    int code = cli_options(&verb, argc, argv, options, 4, &what, 1, &count, &done);
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
    .summary =
        "measure rings, cryptography, sealed and tokenized records, a start, an idle enclave",
    .help = help,
    .run = run,
};
