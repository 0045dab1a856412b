/* SPDX-License-Identifier: Apache-2.0 */
/* demo.c: `caisson demo`: the main job end to end, in separate processes, with its own checks. */
#define _GNU_SOURCE
#include "demo.h"
#include <caisson/client.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define DEMO_IMAGE_SIZE_MAX  ((size_t)16 << 20)
#define DEMO_POLICY_SIZE_MAX ((size_t)65536)

extern const uint8_t demo_card_policy[];
extern const size_t demo_card_policy_size;

struct demo_options {
    const char *records;
    const char *backend;
    const char *image;
    const char *policy;
    const char *seed;
    bool json;
};

/* ---- options ---- */

/* build/caisson and build/enclaves lie side by side. */
static bool default_image(char path[PATH_MAX])
{
    ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - 64);
    if (size <= 0) {
        return false;
    }
    path[size] = 0;
    char *slash = strrchr(path, '/');
    memcpy(slash ? slash + 1 : path, "enclaves/tokenize.elf", sizeof "enclaves/tokenize.elf");
    return true;
}

static int load(const struct demo_options *options, struct demo_run *run)
{
    static char path[PATH_MAX];
    struct demo_job *job = &run->job;
    *job = (struct demo_job){.name = "cards",
                             .policy = (const char *)demo_card_policy,
                             .policy_size = demo_card_policy_size,
                             .consumer = "fraud"};
    int result =
        cli_number("--records", options->records, 100, DEMO_RECORD_COUNT_MAX, &job->record_count);
    if (result == CLI_OK) {
        result = cli_number("--seed", options->seed, 0, UINT64_MAX, &job->seed);
    }
    if (result != CLI_OK) {
        return result;
    }
    if (options->policy != NULL) {
        job->policy =
            (const char *)cli_read_file(options->policy, DEMO_POLICY_SIZE_MAX, &job->policy_size);
    }
    if (job->policy == NULL || (options->image == NULL && !default_image(path))) {
        return CLI_FAILURE;
    }
    const char *image = options->image != NULL ? options->image : path;
    run->options.image = cli_read_file(image, DEMO_IMAGE_SIZE_MAX, &run->options.image_size);
    run->options.backend = options->backend;
    return run->options.image == NULL ? CLI_FAILURE : CLI_OK;
}

static int run(int argc, char **argv)
{
    static struct demo_run demo;
    struct demo_options options = {.records = "200000", .backend = "auto", .seed = "1"};
    const struct cli_option table[] = {
        {"--records", &options.records, NULL}, {"--backend", &options.backend, NULL},
        {"--image", &options.image, NULL},     {"--policy", &options.policy, NULL},
        {"--seed", &options.seed, NULL},       {"--json", NULL, &options.json},
    };
    size_t operand_count = 0;
    bool done = false;
    int result = cli_options(&cli_demo, argc, argv, table, sizeof table / sizeof table[0], NULL, 0,
                             &operand_count, &done);
    if (result == CLI_OK && !done) {
        result = cli_backend(options.backend);
    }
    if (result == CLI_OK && !done) {
        result = load(&options, &demo);
    }
    if (result != CLI_OK || done) {
        return result;
    }
    if (csv_client_init() != CSN_OK) {
        return cli_fail(CLI_FAILURE, "the kernels do not pass their self-tests");
    }
    bool ran = demo_run_cards(&demo) && demo_real_all(&demo, demo.report.real);
    if (!ran) {
        return cli_fail(CLI_FAILURE, "the run did not come to its end");
    }
    bool good = demo_judge(&demo.report);
    (options.json ? demo_print_json : demo_print_table)(&demo.report, good);
    return good ? CLI_OK : CLI_FAILURE;
}

const struct cli_verb cli_demo = {
    .name = "demo",
    .summary = "the main job end to end: seal, route, tokenize, open, compare, measure",
    .help =
        "usage: caisson demo [--records N] [--backend auto|process|kvm] [--image FILE]\n"
        "                    [--policy FILE] [--seed S] [--json]\n\n"
        "A tenant verifies the enclave's evidence, grants a policy and seals N made-up card\n"
        "records (default 200000); this process, the untrusted host, routes them through the\n"
        "tokenizing enclave; a consumer opens them. Every output is compared with an independent\n"
        "reference, all that the host can see is searched for plaintext, and the enclave must\n"
        "have run without page faults, allocations, system calls or exits while it had work.\n\n"
        "  caisson demo                          all of it, then a table\n"
        "  caisson demo --backend process --json one object, for machines\n\n"
        "Keys of the image's signer and of the evidence are development keys, made on the spot:\n"
        "this shows the mechanism, not a protected machine. Exit code 0: every check held.\n",
    .run = run,
};
