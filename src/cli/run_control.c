/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_control.c: the control socket of `caisson run`: evidence and grants.
 *
 * Trust: whoever connects is hostile until a grant's signature, which only the enclave can check.
 */
#include "gateway/attest.h"
#include "run.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* ---- the thread: one connection at a time, each given ten seconds a frame ---- */

/* Hands a request to the loop and sends what it answers. Takes bytes over. */
static bool ask(struct cli_run *run, int fd, uint32_t type, uint8_t *bytes, uint32_t size)
{
    pthread_mutex_lock(&run->lock);
    run->box_type = type;
    run->box_bytes = bytes;
    run->box_size = size;
    run->box = RUN_BOX_ASKED;
    pthread_cond_broadcast(&run->changed);
    while (run->box != RUN_BOX_ANSWERED) {
        pthread_cond_wait(&run->changed, &run->lock);
    }
    run->box = RUN_BOX_EMPTY;
    run->box_bytes = NULL;
    pthread_mutex_unlock(&run->lock);
    free(bytes);
    return csn_control_write(fd, run->reply_type, run->reply, run->reply_size);
}

void *run_control_thread(void *state)
{
    struct cli_run *run = state;
    const struct timeval patience = {.tv_sec = 10};
    for (;;) {
        int fd = accept(run->listen_fd, NULL, NULL);
        if (fd < 0) {
            usleep(10000); /* out of descriptors, or a peer that went away */
            continue;
        }
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        uint32_t type = 0;
        uint32_t size = 0;
        uint8_t *bytes = NULL;
        while (csn_control_read(fd, &type, &bytes, &size) && ask(run, fd, type, bytes, size)) {
        }
        close(fd);
    }
    return NULL;
}

/* ---- the loop's side ---- */

void run_box_answer(struct cli_run *run, uint32_t type, const void *bytes, uint32_t size)
{
    pthread_mutex_lock(&run->lock);
    run->reply_type = type;
    run->reply_size = size;
    if (bytes != run->reply) {
        memcpy(run->reply, bytes, size);
    }
    run->box = RUN_BOX_ANSWERED;
    pthread_cond_broadcast(&run->changed);
    pthread_mutex_unlock(&run->lock);
}

static void refuse(struct cli_run *run, const char *why)
{
    run_box_answer(run, CSN_CONTROL_ERROR, why, (uint32_t)strlen(why));
}

static void take_bundle(void *state, size_t index, const uint8_t *bundle, size_t size)
{
    struct cli_run *run = state;
    (void)index;
    if (size > sizeof run->reply) {
        refuse(run, "the bundle is too large");
        return;
    }
    run_box_answer(run, CSN_CONTROL_EVIDENCE, bundle, (uint32_t)size);
}

static void answer_evidence(struct cli_run *run)
{
    struct csn_detail detail = {""};
    const struct csn_platform platform = {run->evidence.producer, run->evidence.state};
    if (run->box_size != CSN_CONTROL_NONCE_SIZE) {
        refuse(run, "a nonce has 32 bytes");
        return;
    }
    if (csn_attest(run->enclave, &run->image.signature, &platform,
                   (const uint8_t(*)[32])run->box_bytes, 1, take_bundle, run, &detail) != CSN_OK) {
        refuse(run, detail.text);
    }
}

static uint32_t worker_count(const struct cli_run *run)
{
    return csn_enclave_manifest(run->enclave)->worker_count;
}

/* What evidence says of all grants in force: it moves with each that is accepted (WIRE.md 11). */
static csn_err read_config(const struct cli_run *run, uint8_t digest[32])
{
    static struct csn_wire_boot_made made;
    CSN_TRY(csn_enclave_made(run->enclave, &made));
    memcpy(digest, made.config_digest, 32);
    return CSN_OK;
}

/*
 * A receipt tells the host nothing: accepted or refused, it looks the same. Evidence does tell, so
 * that is what counts.
 */
static void count_grant(struct cli_run *run)
{
    const struct run_grant *grant = &run->grant;
    uint8_t config[32];
    bool accepted = grant->authentic == grant->answered && read_config(run, config) == CSN_OK &&
                    memcmp(config, grant->config_before, sizeof config) != 0;
    run->grants_taken += accepted ? 1 : 0;
    run->counts.grants += accepted ? 1 : 0;
    run->counts.grants_refused += accepted ? 0 : 1;
    cli_fail(0, "a grant was %s, %u of %u",
             accepted ? "accepted" : "refused (the tenant knows why)", run->grants_taken,
             run->grants_wanted);
}

/* The grant goes to each worker; nothing is shared between them. Goes on where the ring was full.
 */
static void send_grant(struct cli_run *run)
{
    const struct csn_wire_manifest *manifest = csn_enclave_manifest(run->enclave);
    struct run_grant *grant = &run->grant;
    if (!grant->active) {
        *grant = (struct run_grant){.active = true, .serial = grant->serial + 1};
        run->reply_size = 0;
        if (read_config(run, grant->config_before) != CSN_OK) {
            grant->active = false;
            refuse(run, "the enclave's evidence cannot be read");
            return;
        }
    }
    while (grant->sent < manifest->worker_count) {
        uint32_t channel = grant->sent * manifest->channel_count;
        uint64_t tag = RUN_TAG_GRANT | (uint64_t)grant->serial << 16 | grant->sent;
        csn_err err = csn_enclave_submit(run->enclave, channel, tag, run->box_bytes, run->box_size);
        err = err == CSN_OK ? csn_enclave_flush(run->enclave, channel) : err;
        if (err == CSN_AGAIN || err == CSN_ERR_CRASHED) {
            return; /* room, or the restart, comes later */
        }
        if (err != CSN_OK) {
            grant->active = false;
            refuse(run, "the enclave does not take a message of this size");
            return;
        }
        grant->sent++;
    }
}

bool run_grant_answer(struct cli_run *run, uint64_t tag, const uint8_t *message, uint32_t size)
{
    struct run_grant *grant = &run->grant;
    struct csn_wire_answer answer = {0};
    if ((tag & RUN_TAG_GRANT) == 0) {
        return false;
    }
    if (!grant->active || (uint32_t)((tag & ~RUN_TAG_GRANT) >> 16) != grant->serial ||
        size < sizeof answer || size > sizeof run->reply - run->reply_size) {
        return true; /* nobody waits for it any more */
    }
    memcpy(&answer, message, sizeof answer);
    memcpy(run->reply + run->reply_size, message, size);
    run->reply_size += size;
    grant->answered++;
    grant->authentic += answer.code == CSN_WIRE_GRANTED ? 1 : 0;
    if (grant->answered == worker_count(run)) {
        grant->active = false;
        count_grant(run);
        run_box_answer(run, CSN_CONTROL_GRANT, run->reply, run->reply_size);
    }
    return true;
}

void run_grant_lost(struct cli_run *run)
{
    if (run->grant.active) {
        run->grant.active = false;
        refuse(run, "the enclave stopped before it answered; it is started again: ask for new "
                    "evidence");
    }
}

void run_box_serve(struct cli_run *run)
{
    pthread_mutex_lock(&run->lock);
    bool asked = run->box == RUN_BOX_ASKED;
    pthread_mutex_unlock(&run->lock);
    if (!asked) {
        return;
    }
    if (run->box_type == CSN_CONTROL_EVIDENCE) {
        answer_evidence(run);
    } else if (run->box_type == CSN_CONTROL_GRANT) {
        send_grant(run);
    } else {
        refuse(run, "no such request");
    }
}
