/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tsm_double.h: a file system that does what Linux's configfs-tsm does.
 *
 * In place of /sys/kernel/config/tsm/report, in a process of its own behind FUSE. The kernel takes
 * a binary attribute when its file is released; FUSE tells that too late, so the double takes it in
 * `flush`, which close() waits for. Everything else is as in fs/configfs/file.c and
 * drivers/virt/coco/tsm.c of Linux 6.12.
 */
#ifndef TESTS_EVIDENCE_TSM_DOUBLE_H
#define TESTS_EVIDENCE_TSM_DOUBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TSM_REPORT_DATA_AT 0x50u /* in its reports, as in SEV-SNP's */
#define TSM_PRIVLEVEL_AT   0x30u
#define TSM_BLOB_SIZE_MAX  200000u

enum tsm_attribute {
    TSM_INBLOB,
    TSM_OUTBLOB,
    TSM_AUXBLOB,
    TSM_PROVIDER,
    TSM_GENERATION,
    TSM_PRIVLEVEL,
    TSM_PRIVLEVEL_FLOOR,
    TSM_ATTRIBUTE_COUNT,
};

/* In memory that the test shares with the double's process. */
struct tsm_double {
    /* how the machine behaves; set by the test while nothing is open */
    char provider[64];    /* text of the attribute; empty: no provider has registered */
    size_t report_size;   /* of outblob */
    size_t blob_size_max; /* of outblob: the kernel's is 32,768 */
    size_t aux_size;
    uint8_t aux[4096];
    bool hide_aux;
    bool hide_privlevel;
    uint32_t privlevel_floor;
    uint32_t stuck_count; /* so many new entries take no value: EBUSY */
    int report_error;     /* of the next report_error_count attempts to make a report */
    uint32_t report_error_count;
    uint32_t read_size_max; /* bytes that one read() yields */
    /* a foreign write of inblob comes just before this attribute is opened, the skip-th time on */
    enum tsm_attribute intrude_at;
    uint32_t intrude_skip;
    uint32_t intrude_count;
    /* another provider from here on */
    char later_provider[64];
    uint32_t later_after; /* opens of `provider` before that */
    /* what happened */
    uint32_t entry_count;
    uint32_t entries_made;
    uint32_t reports_made;
};

/* As a machine with an SEV-SNP provider without certificates. */
void tsm_double_reset(struct tsm_double *state);
/* Mounts it on folder; its process, or 0 with *why (static). state: shared memory. */
pid_t tsm_double_start(struct tsm_double *state, const char *folder, const char **why);
void tsm_double_stop(pid_t process);

#endif
