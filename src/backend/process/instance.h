/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instance.h: one running enclave process, as the launcher sees it.
 *
 * Threads:  a keeper thread starts the process and waits for its end, so that it is the process'
 *           parent for PR_SET_PDEATHSIG for as long as it runs, and so that nobody else has to
 *           wait. `dead` is stored with release after all that tells how it ended.
 * Lifetime: created by launch, ended by csn_process_end().
 */
#ifndef CSN_PROCESS_INSTANCE_H
#define CSN_PROCESS_INSTANCE_H

#include "backend/backend.h"
#include "plan.h"
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/types.h>

enum csn_process_end_kind {
    CSN_PROCESS_END_UNKNOWN = 0, /* somebody else took the exit status */
    CSN_PROCESS_END_EXIT = 1,
    CSN_PROCESS_END_SIGNAL = 2,
};

struct csn_instance {
    struct csn_wire_manifest manifest;
    uint8_t *rings; /* the host's mapping; only event words are touched here */
    struct csn_wire_boot *boot;
    struct csn_process_plan *plan;
    int fds[CSN_PLAN_FD_COUNT]; /* open until the process has been started */

    pthread_t keeper;
    bool keeper_runs;
    sem_t started;
    int start_error; /* Linux error number, 0: started */
    pid_t pid;
    int pidfd;
    int namespaces; /* CLONE_NEW* flags of the attempt that succeeded */

    atomic_bool stopping;
    atomic_bool dead;
    enum csn_process_end_kind end_kind;
    int end_code; /* exit code or signal */

    pthread_mutex_t reap; /* held while the process is asked about or reaped */
    bool reaped;
    uint64_t page_faults; /* the last count seen */
};

/* launch.c: start the keeper and the process. fds are closed in any case. */
CSN_MUST_USE csn_err csn_process_launch(struct csn_instance *instance, struct csn_detail *detail);
/* Kill, wait and join. Idempotent; one thread. */
void csn_process_end(struct csn_instance *instance);
/* True if new namespaces can be had here, and of which kind (words for doctor). */
bool csn_process_namespaces_probe(const char **how);

/* capability.c */
csn_err csn_process_probe(struct csn_detail *detail);

/* fate.c */
void csn_process_fate(struct csn_instance *instance, struct csn_fate *fate);
/* Why the stub did not reach the image; only meaningful after its end. */
csn_err csn_process_start_error(struct csn_instance *instance, struct csn_detail *detail);
uint64_t csn_process_page_faults(struct csn_instance *instance);

#endif
