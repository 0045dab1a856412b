/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.h: one page that launcher and stub share while the stub builds the enclave.
 *
 * The launcher says what it wants, the stub says how far it came and what holds. The page is
 * unmapped before the first instruction of the image.
 */
#ifndef CSN_PROCESS_PLAN_H
#define CSN_PROCESS_PLAN_H

#include "gate_page.h"
#include <stddef.h>
#include <stdint.h>

/* Descriptors that the stub starts with; nothing else is open. */
enum csn_plan_fd {
    CSN_PLAN_FD_PLAN = 0,
    CSN_PLAN_FD_BOOT = 1,
    CSN_PLAN_FD_IMAGE = 2,
    CSN_PLAN_FD_RINGS = 3,
    CSN_PLAN_FD_STUB = 4, /* closed by the exec */
    CSN_PLAN_FD_COUNT = 5,
};

/* How far the stub came: the text for a failure is in launch.c. */
enum csn_plan_step {
    CSN_PLAN_STEP_NONE = 0, /* the exec itself, or what precedes it */
    CSN_PLAN_STEP_PLAN,
    CSN_PLAN_STEP_CLEAN, /* environment, arguments, personality, signals */
    CSN_PLAN_STEP_PRIVILEGES,
    CSN_PLAN_STEP_LIMITS,
    CSN_PLAN_STEP_SEALS,
    CSN_PLAN_STEP_COPY,
    CSN_PLAN_STEP_PARSE,
    CSN_PLAN_STEP_RINGS,
    CSN_PLAN_STEP_IMAGE,
    CSN_PLAN_STEP_BOOT,
    CSN_PLAN_STEP_GATE,
    CSN_PLAN_STEP_STACKS,
    CSN_PLAN_STEP_POOL,
    CSN_PLAN_STEP_REQUIRE, /* error = the CSN_PROTECT_* bits that are missing */
    CSN_PLAN_STEP_PROTECT,
    CSN_PLAN_STEP_FILTER,
    CSN_PLAN_STEP_DESCRIPTORS,
    CSN_PLAN_STEP_THREADS,
};

struct csn_process_plan {
    uint32_t step; /* enum csn_plan_step or CSN_PLAN_STEP_UNMAP and _GONE */
    int32_t error; /* Linux error number of the step that failed, 0 while none did */
    /* launcher */
    uint64_t image_size; /* bytes */
    uint32_t require;    /* CSN_PROTECT_* */
    uint32_t own_uid;    /* user and group id to take, 0: stay */
    uint32_t namespaces; /* 1: the launcher put the child into new ones */
    uint32_t reserved;
    /* stub */
    uint32_t protections; /* CSN_PROTECT_* that hold */
    uint32_t fault_where; /* offset in the image of what the parser refused */
    char fault_what[80];  /* the parser's words */
    uint8_t measurement[48];
    uint8_t gate_hash[32];
};

_Static_assert(offsetof(struct csn_process_plan, step) == CSN_PLAN_STEP, "the gate page writes it");
_Static_assert(offsetof(struct csn_process_plan, error) == CSN_PLAN_ERROR, "and this");
_Static_assert(sizeof(struct csn_process_plan) <= 4096, "one page");

/* What the last steps in the gate page read; lies in worker 0's FS page. */
struct csn_gate_gap {
    uint64_t address;
    uint64_t size;
};
#define CSN_GATE_GAP_COUNT_MAX                                                                     \
    96u /* 8 segments, 64 stacks, 5 others, and one more than regions                              \
         */
struct csn_gate_last {
    uint64_t gap_count;
    uint32_t thread_count; /* other threads that must be there */
    uint32_t reserved;
    uint32_t ready;  /* threads that are there */
    uint32_t go;     /* 1: the filter is in force */
    uint64_t filter; /* struct sock_fprog */
    uint64_t plan;   /* address of the plan page */
    uint64_t reserved_words[3];
    struct csn_gate_gap gaps[CSN_GATE_GAP_COUNT_MAX];
};
_Static_assert(offsetof(struct csn_gate_last, thread_count) == CSN_GATE_LAST_THREADS, "offset");
_Static_assert(offsetof(struct csn_gate_last, ready) == CSN_GATE_LAST_READY, "offset");
_Static_assert(offsetof(struct csn_gate_last, go) == CSN_GATE_LAST_GO, "offset");
_Static_assert(offsetof(struct csn_gate_last, filter) == CSN_GATE_LAST_FILTER, "offset");
_Static_assert(offsetof(struct csn_gate_last, plan) == CSN_GATE_LAST_PLAN, "offset");
_Static_assert(offsetof(struct csn_gate_last, gaps) == CSN_GATE_LAST_GAPS, "offset");

#endif
