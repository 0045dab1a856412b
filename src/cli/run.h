/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.h: what the parts of `caisson run` share.
 *
 * Threads:  the loop alone touches the enclave, so that a restart never meets another call. One
 *           thread reads input into a bounded queue, one speaks on the control socket and puts one
 *           request at a time into a box. Both hand over under `lock`; `changed` says that
 *           something did.
 * Lifetime: one struct cli_run for the life of the process.
 */
#ifndef CSN_CLI_RUN_H
#define CSN_CLI_RUN_H

#include "cli.h"
#include "control.h"
#include "gateway/signed_image.h"
#include "gateway/store_place.h"
#include "run_evidence.h"
#include <caisson/host.h>
#include <caisson/wire/message.h>
#include <pthread.h>

#define RUN_QUEUE_COUNT 256u
#define RUN_SLOT_COUNT  1024u /* records between input and output */

/* Answers that the host makes itself, in place of the enclave's: they claim nothing. */
#define RUN_ANSWER_FRAMING     CSN_WIRE_REJECT_FRAMING
#define RUN_ANSWER_QUARANTINED UINT32_C(0xffff0001)

struct run_record {
    uint8_t *bytes; /* NULL: broken framing, already said; answered by the host */
    uint32_t size;
};

enum run_box { RUN_BOX_EMPTY, RUN_BOX_ASKED, RUN_BOX_ANSWERED };

/* A record from the queue until all its outputs are written. */
struct run_slot {
    uint8_t *frames; /* what will be written, framed */
    size_t used;
    size_t capacity;
    uint32_t channel;
    bool final;
    bool later; /* its answer comes later: a crash loses it */
};

struct run_grant {
    bool active;
    uint32_t serial; /* tells its answers from those of a grant that a crash cut off */
    uint32_t sent;   /* workers that have it */
    uint32_t answered;
    uint32_t authentic;        /* answers that carry a receipt, which only the tenant can read */
    uint8_t config_before[32]; /* the evidence's configuration digest when it was sent */
};

struct run_counts {
    uint64_t records, outputs, framing_errors, rejected, restarts, quarantined, grants,
        grants_refused;
};

struct cli_run {
    /* set before the threads start */
    struct csn_enclave *enclave;
    struct csn_signed_image image;
    struct run_evidence evidence;
    struct csn_store_place place;
    uint32_t grants_wanted;
    uint32_t input_size_max;
    int input_fd;
    const char *input_fifo; /* to be opened by the input's thread, or NULL */
    int listen_fd;
    FILE *output;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct run_record queue[RUN_QUEUE_COUNT];
    uint64_t queue_head, queue_tail;
    bool input_ended;
    bool input_broken; /* some record could not be framed */
    enum run_box box;
    uint32_t box_type, box_size;
    uint8_t *box_bytes;
    uint32_t reply_type, reply_size;
    uint8_t reply[CSN_CONTROL_SIZE_MAX];

    /* the loop's own */
    struct run_slot slots[RUN_SLOT_COUNT];
    uint64_t slot_head, slot_tail;
    struct run_record batch[RUN_QUEUE_COUNT]; /* taken from the queue, not yet by the rings */
    uint32_t batch_next, batch_count;
    bool recovering; /* lost records are being fed back */
    uint32_t grants_taken;
    struct run_grant grant;
    struct run_counts counts;
    uint8_t *message; /* output_size_max bytes */
};

/* run_input.c, run_control.c: thread bodies; state is the struct cli_run. */
void *run_input_thread(void *state);
void *run_control_thread(void *state);
/* run_control.c: the loop's side of the box. */
void run_box_answer(struct cli_run *run, uint32_t type, const void *bytes, uint32_t size);
void run_box_serve(struct cli_run *run);
/* An answer of the enclave to a grant; true if it was one. */
bool run_grant_answer(struct cli_run *run, uint64_t tag, const uint8_t *message, uint32_t size);
void run_grant_lost(struct cli_run *run);
/* run_loop.c: until the end of input; an exit code. */
int run_loop(struct cli_run *run);

#define RUN_TAG_GRANT (UINT64_C(1) << 63) /* | serial << 16 | worker; records count from 0 */

#endif
