/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo_moves.c: did the kernel move memory about (compaction, NUMA balancing, huge pages made of
 * small ones)? The next touch of a page that was moved is a page fault that no program caused.
 *
 * The counters are the whole machine's: that they moved makes it likely, not certain. That none of
 * them moved is certain.
 */
#include "demo.h"
#include <string.h>

uint64_t demo_kernel_moves(void)
{
    static const char *const names[] = {"pgmigrate_success", "numa_pte_updates",
                                        "thp_collapse_alloc"};
    char name[64];
    unsigned long long value = 0;
    uint64_t sum = 0;
    FILE *file = fopen("/proc/vmstat", "re");
    if (file == NULL) {
        return 0;
    }
    while (fscanf(file, "%63s %llu", name, &value) == 2) {
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            sum += strcmp(name, names[i]) == 0 ? value : 0;
        }
    }
    fclose(file);
    return sum;
}
