/* SPDX-License-Identifier: Apache-2.0 */
/* verb_size.c: `caisson size`: the memory of an enclave, one line per consumer, before it runs. */
#include "cli.h"
#include "enclave/size.h"
#include "image_file.h"

static const char help[] =
    "usage: caisson size IMAGE [--json]\n\n"
    "Prints what an enclave will need, line by line, from its manifest alone: what each part "
    "takes,\n"
    "how many of it there are, and the sum. Nothing is allocated later, so the sum is the "
    "limit.\n\n"
    "  $ caisson size build/enclaves/echo.elf\n\n"
    "To make it smaller, lower tenant_count_max, context_count_max or the ring sizes in the\n"
    "enclave's CSE_MANIFEST and look again. If the pool is too small for what its parts carve,\n"
    "the enclave would refuse to start: this verb says so and by how much.\n\n"
    "Exit codes: 0 ok, 1 file not readable or pool too small, 2 usage, 3 image refused.\n";

static uint64_t image_bytes(const struct csn_image *image)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < image->segment_count; i++) {
        sum += (image->segments[i].memory_size + 4095) / 4096 * 4096;
    }
    return sum;
}

struct sums {
    uint64_t image;
    uint64_t total; /* image, pool, and everything outside the pool */
    uint64_t share; /* of the pool, per worker */
    uint64_t need;
};

static struct sums add_up(const struct csn_image *image, const struct cse_size_row *rows)
{
    struct sums sums = {.image = image_bytes(image),
                        .share = cse_size_share(&image->manifest),
                        .need = cse_size_need(&image->manifest)};
    sums.total = sums.image + image->manifest.pool_size;
    for (uint32_t i = 0; i < CSE_SIZE_ROW_COUNT; i++) {
        sums.total += rows[i].in_pool ? 0 : rows[i].size * rows[i].count;
    }
    return sums;
}

static void print_text(const struct csn_image *image, const struct cse_size_row *rows,
                       const struct sums *sums)
{
    uint64_t pool_used = sums->need * image->manifest.worker_count;
    printf("%-30s %14s %7s %14s\n", "consumer", "bytes", "count", "sum");
    printf("%-30s %14llu %7u %14llu\n", "image segments", (unsigned long long)sums->image, 1u,
           (unsigned long long)sums->image);
    for (uint32_t i = 0; i < CSE_SIZE_ROW_COUNT; i++) {
        printf("%-30s %14llu %7llu %14llu%s\n", rows[i].consumer, (unsigned long long)rows[i].size,
               (unsigned long long)rows[i].count,
               (unsigned long long)(rows[i].size * rows[i].count), rows[i].in_pool ? "  pool" : "");
    }
    if (image->manifest.pool_size >= pool_used) {
        uint64_t rest = image->manifest.pool_size - pool_used;
        printf("%-30s %14llu %7u %14llu  pool\n", "not carved", (unsigned long long)rest, 1u,
               (unsigned long long)rest);
    }
    printf("%-30s %14s %7s %14llu\n", "total", "", "", (unsigned long long)sums->total);
    printf("%-30s %14s %7s %14llu\n", "of that pool (manifest)", "", "",
           (unsigned long long)image->manifest.pool_size);
}

static void print_json(const struct csn_image *image, const struct cse_size_row *rows,
                       const struct sums *sums)
{
    char name[CSN_WIRE_NAME_SIZE + 1];
    cli_image_name(image, name);
    fputs("{\"name\":", stdout);
    cli_json_string(stdout, name);
    printf(",\"rows\":[{\"consumer\":\"image segments\",\"size\":%llu,\"count\":1,"
           "\"in_pool\":false}",
           (unsigned long long)sums->image);
    for (uint32_t i = 0; i < CSE_SIZE_ROW_COUNT; i++) {
        fputs(",{\"consumer\":", stdout);
        cli_json_string(stdout, rows[i].consumer);
        printf(",\"size\":%llu,\"count\":%llu,\"in_pool\":%s}", (unsigned long long)rows[i].size,
               (unsigned long long)rows[i].count, rows[i].in_pool ? "true" : "false");
    }
    printf("],\"pool\":%llu,\"pool_share\":%llu,\"pool_need\":%llu,\"fits\":%s,\"total\":%llu}\n",
           (unsigned long long)image->manifest.pool_size, (unsigned long long)sums->share,
           (unsigned long long)sums->need, sums->need <= sums->share ? "true" : "false",
           (unsigned long long)sums->total);
}

static int run(int argc, char **argv)
{
    bool json = false;
    const struct cli_option options[] = {{"--json", NULL, &json}};
    struct cli_image file;
    struct cse_size_row rows[CSE_SIZE_ROW_COUNT];
    int code = cli_image_begin(&cli_size, argc, argv, options, 1, &json, &file);
    if (code != CLI_OK || file.bytes == NULL) {
        return code;
    }
    cse_size_table(&file.image.manifest, rows);
    struct sums sums = add_up(&file.image, rows);
    (json ? print_json : print_text)(&file.image, rows, &sums);
    cli_image_free(&file);
    if (sums.need > sums.share) {
        return cli_fail(CLI_FAILURE,
                        "pool too small: a worker carves %llu bytes, its share is %llu",
                        (unsigned long long)sums.need, (unsigned long long)sums.share);
    }
    return CLI_OK;
}

const struct cli_verb cli_size = {
    .name = "size",
    .summary = "what an enclave will need in memory, line by line",
    .help = help,
    .run = run,
};
