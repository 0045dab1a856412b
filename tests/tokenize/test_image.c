/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_image.c: does an image start, and is its pool as large as its sums say: enough for its
 * tenants and not much more? usage: test_image_sums IMAGE BACKEND TENANTS FLAGS
 */
#include "../skip.h"
#include "enclave/size.h"
#include "image/support/elf.h"
#include <caisson/host.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *image, *backend;
static uint32_t tenants, flags;

static csn_err try_start(struct csn_enclave **enclave, struct csn_detail *detail)
{
    struct elf_file file;
    char path[80];
    snprintf(path, sizeof path, "enclaves/%s.elf", image);
    if (elf_load(&file, path) != 0) {
        return CSN_ERR_SYSTEM;
    }
    const struct csn_enclave_options options = {
        .image = file.bytes, .image_size = file.size, .backend = backend};
    csn_err err = csn_enclave_create(&options, enclave, detail);
    elf_free(&file);
    return err;
}

static void test_sums(void **state)
{
    struct csn_enclave *enclave = NULL;
    struct csn_detail detail = {""};
    struct csn_wire_boot_stats stats;
    (void)state;
    if (try_start(&enclave, &detail) != CSN_OK) {
        fail_msg("%s", detail.text);
    }
    const struct csn_wire_manifest *manifest = csn_enclave_manifest(enclave);
    uint64_t need = cse_size_need(manifest);
    uint64_t share = cse_size_share(manifest);
    assert_int_equal(csn_enclave_stats(enclave, 0, &stats), CSN_OK);
    print_message("# pool %llu bytes, needs %llu, used %llu\n", (unsigned long long)share,
                  (unsigned long long)need, (unsigned long long)stats.pool_used);
    assert_true(stats.pool_used <= need && need <= share);
    assert_true(share - need < share / 4);
    assert_int_equal(manifest->tenant_count_max, tenants);
    assert_int_equal(manifest->flags, flags);
    csn_enclave_destroy(enclave);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sums)};
    struct csn_enclave *enclave = NULL;
    struct csn_detail detail = {""};
    if (argc != 5) {
        return 2;
    }
    image = argv[1];
    backend = argv[2];
    tenants = (uint32_t)strtoul(argv[3], NULL, 10);
    flags = (uint32_t)strtoul(argv[4], NULL, 10);
    csn_err err = try_start(&enclave, &detail);
    csn_enclave_destroy(enclave);
    if (err == CSN_ERR_MISSING || err == CSN_ERR_ARGUMENT) {
        return test_skip(detail.text);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
