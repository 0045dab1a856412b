/* SPDX-License-Identifier: Apache-2.0 */
/* run_loop.c: records in, answers out in the order of the input, and restarts after a crash. */
#include "run.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define IDLE_NS   UINT64_C(20000000)
#define ANSWER_NS UINT64_C(5000000)

static bool serving(const struct cli_run *run)
{
    return run->grants_taken >= run->grants_wanted;
}

static struct run_slot *slot_of(struct cli_run *run, uint64_t tag)
{
    return tag >= run->slot_head && tag < run->slot_tail ? &run->slots[tag % RUN_SLOT_COUNT] : NULL;
}

/* ---- answers ---- */

static bool add_frame(struct run_slot *slot, const void *message, uint32_t size)
{
    size_t wanted = slot->used + sizeof size + size;
    if (wanted > slot->capacity) {
        uint8_t *larger = realloc(slot->frames, wanted * 2);
        if (larger == NULL) {
            return false;
        }
        slot->frames = larger;
        slot->capacity = wanted * 2;
    }
    memcpy(slot->frames + slot->used, &size, sizeof size);
    memcpy(slot->frames + slot->used + sizeof size, message, size);
    slot->used = wanted;
    return true;
}

/* The host answers in the enclave's place. */
static bool host_answer(struct run_slot *slot, uint32_t code)
{
    const struct csn_wire_answer answer = {.code = code};
    slot->used = 0;
    slot->final = true;
    return add_frame(slot, &answer, sizeof answer);
}

static bool take_output(struct cli_run *run, const struct csn_output *output)
{
    struct csn_wire_answer answer;
    uint32_t begin;
    struct run_slot *slot = slot_of(run, output->tag);
    if (run_grant_answer(run, output->tag, run->message, output->size) || slot == NULL) {
        return true;
    }
    if (output->later) { /* no frame: what it announces follows */
        slot->later = true;
        return true;
    }
    (void)csn_wire_answer_read(run->message, output->size, &answer, &begin);
    run->counts.rejected += answer.code != CSN_WIRE_DONE ? 1 : 0;
    run->counts.outputs++;
    slot->final = output->final;
    return add_frame(slot, run->message, output->size);
}

static int receive_all(struct cli_run *run, bool *progress)
{
    uint32_t count = csn_enclave_channel_count(run->enclave);
    struct csn_output output;
    for (uint32_t channel = 0; channel < count; channel++) {
        csn_err err = csn_enclave_receive(run->enclave, channel, run->message, &output);
        for (; err == CSN_OK;
             err = csn_enclave_receive(run->enclave, channel, run->message, &output)) {
            *progress = true;
            if (!take_output(run, &output)) {
                return cli_fail(CLI_FAILURE, "out of memory");
            }
        }
        if (err != CSN_AGAIN && err != CSN_ERR_CRASHED) {
            return cli_fail(CLI_FAILURE, "channel %u: %s", channel, csn_err_name(err));
        }
    }
    return CLI_OK;
}

static int write_heads(struct cli_run *run, bool *progress)
{
    while (run->slot_head != run->slot_tail) {
        struct run_slot *slot = &run->slots[run->slot_head % RUN_SLOT_COUNT];
        if (!slot->final) {
            return CLI_OK;
        }
        if (fwrite(slot->frames, 1, slot->used, run->output) != slot->used) {
            return cli_fail(CLI_FAILURE, "the output cannot be written");
        }
        *progress = true;
        slot->used = 0;
        run->slot_head++;
    }
    return CLI_OK;
}

/* ---- records ---- */

/* All that is queued, at once: a full queue then wakes its writer once, not for each record. */
static bool has_record(struct cli_run *run)
{
    if (run->batch_next != run->batch_count) {
        return true;
    }
    run->batch_next = 0;
    run->batch_count = 0;
    pthread_mutex_lock(&run->lock);
    while (run->queue_head != run->queue_tail) {
        run->batch[run->batch_count++] = run->queue[run->queue_head++ % RUN_QUEUE_COUNT];
    }
    if (run->batch_count != 0) {
        pthread_cond_broadcast(&run->changed);
    }
    pthread_mutex_unlock(&run->lock);
    return run->batch_count != 0;
}

/* One record into its slot and its ring; CSN_AGAIN: no room now. */
static csn_err submit_one(struct cli_run *run)
{
    const struct csn_wire_manifest *manifest = csn_enclave_manifest(run->enclave);
    const struct run_record *record = &run->batch[run->batch_next];
    struct run_slot *slot = &run->slots[run->slot_tail % RUN_SLOT_COUNT];
    slot->used = 0;
    slot->final = false;
    slot->later = false;
    slot->channel = (uint32_t)(run->slot_tail % manifest->worker_count) * manifest->channel_count;
    if (record->bytes == NULL) {
        run->counts.framing_errors++;
        return host_answer(slot, RUN_ANSWER_FRAMING) ? CSN_OK : CSN_ERR_MEMORY;
    }
    return csn_enclave_submit(run->enclave, slot->channel, run->slot_tail, record->bytes,
                              record->size);
}

static int feed(struct cli_run *run, bool *progress)
{
    while (run->slot_tail - run->slot_head < RUN_SLOT_COUNT && has_record(run)) {
        csn_err err = submit_one(run);
        if (err == CSN_AGAIN || err == CSN_ERR_CRASHED) {
            break;
        }
        if (err != CSN_OK) {
            return cli_fail(CLI_FAILURE, "record %llu: %s", (unsigned long long)run->slot_tail,
                            csn_err_name(err));
        }
        free(run->batch[run->batch_next++].bytes);
        run->slot_tail++;
        run->counts.records++;
        *progress = true;
    }
    uint32_t count = csn_enclave_channel_count(run->enclave);
    for (uint32_t channel = 0; *progress && channel < count; channel++) {
        csn_err err = csn_enclave_flush(run->enclave, channel);
        if (err != CSN_OK && err != CSN_AGAIN && err != CSN_ERR_CRASHED) {
            return cli_fail(CLI_FAILURE, "channel %u: %s", channel, csn_err_name(err));
        }
    }
    return CLI_OK;
}

/* ---- crashes ---- */

static void quarantined(void *state, uint64_t tag, const void *message, uint32_t size)
{
    struct cli_run *run = state;
    struct run_slot *slot = slot_of(run, tag);
    (void)message;
    if (slot != NULL && host_answer(slot, RUN_ANSWER_QUARANTINED)) {
        run->counts.quarantined++;
        cli_fail(0, "record %llu (%u bytes) is set aside: the enclave died of it twice",
                 (unsigned long long)tag, size);
    }
}

static int restart(struct cli_run *run, const struct csn_fate *fate)
{
    struct csn_detail detail = {{0}};
    uint32_t count = csn_enclave_channel_count(run->enclave);
    cli_fail(0, "the enclave stopped: %s; starting it again", fate->detail.text);
    run_grant_lost(run);
    for (uint64_t tag = run->slot_head; tag < run->slot_tail; tag++) {
        struct run_slot *slot = slot_of(run, tag);
        slot->used = slot->final ? slot->used : 0; /* what it began to answer comes again, */
        if (slot->later && !slot->final && !host_answer(slot, CSN_WIRE_DROPPED)) { /* but this */
            return cli_fail(CLI_FAILURE, "out of memory");
        }
    }
    csn_err err = csn_enclave_restart(run->enclave, &detail);
    if (err != CSN_OK) {
        return cli_fail(CLI_FAILURE, "it does not start again: %s", detail.text);
    }
    for (uint32_t channel = 0; channel < count && err == CSN_OK; channel++) {
        err = csn_enclave_quarantined(run->enclave, channel, quarantined, run);
    }
    run->counts.restarts++;
    run->grants_taken = 0;
    run->recovering = true;
    cli_fail(0, "it runs again, with new keys; waiting for %u grants", run->grants_wanted);
    return err == CSN_OK ? CLI_OK : CLI_FAILURE;
}

/* Restarts a dead enclave, once all that it published was received. */
static int look_after(struct cli_run *run, bool *progress)
{
    struct csn_fate fate = {0};
    if (csn_enclave_fate(run->enclave, &fate) != CSN_OK || fate.kind == CSN_FATE_RUNNING) {
        return CLI_OK;
    }
    int code = receive_all(run, progress);
    *progress = true;
    return code != CLI_OK ? code : restart(run, &fate);
}

/* Feeds lost records back, one at a time over all channels. */
static int feed_back(struct cli_run *run)
{
    uint32_t count = csn_enclave_channel_count(run->enclave);
    for (uint32_t channel = 0; channel < count; channel++) {
        csn_err err = csn_enclave_resubmit(run->enclave, channel);
        if (err == CSN_AGAIN || err == CSN_ERR_CRASHED) {
            return CLI_OK;
        }
        if (err != CSN_OK) {
            return cli_fail(CLI_FAILURE, "channel %u: %s", channel, csn_err_name(err));
        }
    }
    run->recovering = false;
    return CLI_OK;
}

/* ---- the loop ---- */

/* Sleeps until something may have changed: the enclave's word, or the other threads'. */
static void rest(struct cli_run *run)
{
    uint32_t channel = 0;
    bool pending = serving(run) && run->slot_head != run->slot_tail;
    if (pending) {
        channel = run->slots[run->slot_head % RUN_SLOT_COUNT].channel;
    }
    if (pending || run->grant.active) {
        csn_err err = csn_enclave_wait(run->enclave, channel, ANSWER_NS);
        (void)err; /* whatever it is, the next round sees it */
        return;
    }
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)IDLE_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&run->lock);
    bool nothing = run->box != RUN_BOX_ASKED &&
                   (!serving(run) || (run->queue_head == run->queue_tail && !run->input_ended));
    if (nothing) {
        pthread_cond_timedwait(&run->changed, &run->lock, &until);
    }
    pthread_mutex_unlock(&run->lock);
}

static bool finished(struct cli_run *run)
{
    pthread_mutex_lock(&run->lock);
    bool ended =
        run->input_ended && run->queue_head == run->queue_tail && run->box == RUN_BOX_EMPTY;
    pthread_mutex_unlock(&run->lock);
    return ended && serving(run) && run->batch_next == run->batch_count &&
           run->slot_head == run->slot_tail;
}

static int step(struct cli_run *run, bool *progress)
{
    run_box_serve(run);
    int code = serving(run) && run->recovering ? feed_back(run) : CLI_OK;
    if (code == CLI_OK && serving(run) && !run->recovering) {
        code = feed(run, progress);
    }
    code = code == CLI_OK ? receive_all(run, progress) : code;
    code = code == CLI_OK ? write_heads(run, progress) : code;
    return code == CLI_OK && !*progress ? look_after(run, progress) : code;
}

int run_loop(struct cli_run *run)
{
    int code = CLI_OK;
    while (code == CLI_OK && !finished(run)) {
        bool progress = false;
        code = step(run, &progress);
        if (code == CLI_OK && !progress) {
            if (fflush(run->output) != 0) {
                return cli_fail(CLI_FAILURE, "the output cannot be written");
            }
            rest(run);
        }
    }
    if (fflush(run->output) != 0) {
        return cli_fail(CLI_FAILURE, "the output cannot be written");
    }
    return code;
}
