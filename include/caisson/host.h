/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.h: libcaisson, the untrusted side: load, run, feed, recover.
 *
 * Nothing here sees a plaintext or a key. A host that lies can stop an enclave, not read it.
 *
 * Threads:  create, restart, destroy: one thread. Each channel: one submitting and one receiving
 *           thread (they may be the same). Different channels are independent.
 * Memory:   everything is allocated by csn_enclave_create(); submit and receive allocate nothing.
 */
#ifndef CAISSON_HOST_H
#define CAISSON_HOST_H

#include <caisson/base.h>
#include <caisson/wire/boot.h>
#include <caisson/wire/manifest.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

CSN_EXTERN_C_BEGIN

struct csn_enclave;

struct csn_store;

#define CSN_DETAIL_SIZE 240

/* What went wrong, in words, beside the code. Always terminated. */
struct csn_detail {
    char text[CSN_DETAIL_SIZE];
};

/* Protections beyond the required ones; each is reported true or false, any may be required. */
#define CSN_PROTECT_NAMESPACES UINT32_C(1)
#define CSN_PROTECT_OWN_UID    UINT32_C(2)
#define CSN_PROTECT_LOCKED     UINT32_C(4)
#define CSN_PROTECT_HUGE_PAGES UINT32_C(8)
#define CSN_PROTECT_SECRET     UINT32_C(16) /* memfd_secret, process only */

struct csn_enclave_options {
    const void *image; /* ELF bytes; copied */
    size_t image_size;
    const char *backend; /* "process", "kvm", or "auto" / NULL: kvm where it works, else process */
    uint32_t require;    /* CSN_PROTECT_* bits that must hold, else CSN_ERR_MISSING */
    uint32_t inflight_count_max; /* inputs kept per channel until answered; 0: 1024 */
    uint32_t crash_count_max;    /* crashes that one record alone may cause; 0: 2 */
    struct csn_store *store; /* for images that keep things outside; NULL: none. It outlives it */
};

struct csn_enclave_report {
    const char *backend;  /* static */
    uint32_t backend_id;  /* CSN_WIRE_BACKEND_* */
    uint32_t protections; /* CSN_PROTECT_* that hold */
    uint8_t measurement[48];
    uint8_t gate_hash[32]; /* SHA-256 of the gate page */
    uint64_t start_ns;     /* create to serving */
};

/* Why an enclave is not running. */
enum csn_fate_kind {
    CSN_FATE_RUNNING = 0,
    CSN_FATE_STOPPED = 1, /* by csn_enclave_stop() */
    CSN_FATE_REFUSED = 2, /* its own start-up checks failed; code = stop code */
    CSN_FATE_PANIC = 3,   /* cse_panic(code) */
    CSN_FATE_FAULT = 4,   /* CPU fault; vector, address and instruction pointer where known */
    CSN_FATE_KILLED = 5,  /* signal from outside; code = signal */
    CSN_FATE_SYSCALL = 6, /* a forbidden system call or exit; code = number */
    CSN_FATE_UNKNOWN = 7, /* detail says what is known */
};
struct csn_fate {
    enum csn_fate_kind kind;
    uint32_t code;
    uint32_t vector;
    uint64_t instruction;
    uint64_t address;
    struct csn_detail detail;
};

/*
 * Check, copy, measure, map and start an image; returns when it serves. On failure *enclave is
 * NULL and detail (may be NULL) says what and where.
 * CSN_ERR_FORMAT: the image; CSN_ERR_MISSING: backend or protection; CSN_ERR_CRASHED: no start.
 */
CSN_API CSN_MUST_USE csn_err csn_enclave_create(const struct csn_enclave_options *options,
                                                struct csn_enclave **enclave,
                                                struct csn_detail *detail);
CSN_API void csn_enclave_destroy(struct csn_enclave *enclave); /* NULL allowed */
CSN_API void csn_enclave_report(const struct csn_enclave *enclave,
                                struct csn_enclave_report *report);
CSN_API const struct csn_wire_manifest *csn_enclave_manifest(const struct csn_enclave *enclave);
/* Consistent copy of what the enclave made (keys, boot id, digests). */
CSN_API CSN_MUST_USE csn_err csn_enclave_made(const struct csn_enclave *enclave,
                                              struct csn_wire_boot_made *made);
CSN_API CSN_MUST_USE csn_err csn_enclave_stats(const struct csn_enclave *enclave, uint32_t worker,
                                               struct csn_wire_boot_stats *stats);
CSN_API CSN_MUST_USE csn_err csn_enclave_fate(const struct csn_enclave *enclave,
                                              struct csn_fate *fate);
CSN_API csn_err csn_enclave_stop(struct csn_enclave *enclave);

/* Channels are numbered 0 .. worker_count * channel_count - 1: worker * channel_count + channel. */
CSN_API uint32_t csn_enclave_channel_count(const struct csn_enclave *enclave);

/*
 * Hand over one message (copied). Visible after csn_enclave_flush(), or by itself once a batch is
 * full. CSN_AGAIN: ring or in-flight table full, nothing taken. CSN_ERR_SPACE: too large.
 * CSN_ERR_CRASHED: the enclave is not running.
 */
CSN_API CSN_MUST_USE csn_err csn_enclave_submit(struct csn_enclave *enclave, uint32_t channel,
                                                uint64_t tag, const void *message, uint32_t size);

/*
 * The same with one copy less, for whoever makes messages: a place for one of at most size bytes in
 * the table of what is in flight, to be filled by the caller; csn_enclave_commit() hands over the
 * oldest place that is reserved, with as many of its bytes as it says. Several may be reserved at a
 * time, say to seal a batch into; their order is that of the reservations.
 *
 * Nobody but the caller sees what is reserved. A commit that answers CSN_AGAIN took nothing: call
 * it again after receiving. After a commit the bytes must not be written any more (they are what is
 * resubmitted after a crash); all places that were not committed end with csn_enclave_abandon() and
 * with a restart. Until they are, csn_enclave_submit() and csn_enclave_resubmit() of that channel
 * are CSN_ERR_STATE. For the submitting thread; places are 1-byte aligned.
 *
 * reserve: CSN_AGAIN: table full. CSN_ERR_SPACE: too large. commit: CSN_AGAIN: ring full.
 * CSN_ERR_STATE: nothing is reserved. CSN_ERR_ARGUMENT: more bytes than were reserved.
 */
CSN_API CSN_MUST_USE csn_err csn_enclave_reserve(struct csn_enclave *enclave, uint32_t channel,
                                                 uint32_t size, void **place);
CSN_API CSN_MUST_USE csn_err csn_enclave_commit(struct csn_enclave *enclave, uint32_t channel,
                                                uint64_t tag, uint32_t size);
CSN_API csn_err csn_enclave_abandon(struct csn_enclave *enclave, uint32_t channel);

/* Makes visible what was submitted or committed. */
CSN_API CSN_MUST_USE csn_err csn_enclave_flush(struct csn_enclave *enclave, uint32_t channel);

struct csn_output {
    uint64_t tag; /* of the input */
    bool final;   /* last output for that input: the input is forgotten */
    bool later;   /* its answer comes later (CSN_WIRE_HELD): see below */
    uint32_t size;
};
/*
 * Outputs come in the order of the inputs. Where an enclave says of an input that its answer comes
 * later, the outputs of that one come between others, until the final one; its bytes are not kept
 * any more, so after a crash it is not among the unfinished, and nobody feeds it back.
 *
 * Copy the next output into target. CSN_AGAIN: none. No CSN_ERR_SPACE: target has output_size_max
 * bytes. Of these no more are written than the output's size rounded up to eight, so that many
 * outputs can be put behind each other in one buffer, and used where they lie.
 * csn_wire_answer_read() (wire/message.h) says what it is.
 */
CSN_API CSN_MUST_USE csn_err csn_enclave_receive(struct csn_enclave *enclave, uint32_t channel,
                                                 void *target, struct csn_output *output);
/*
 * Sleep until an output may be there, or timeout_ns passed (CSN_AGAIN), or the enclave died
 * (CSN_ERR_CRASHED). Spins for a short bounded time first, and
 * naps a few times while much is in flight, which spares the enclave the waking.
 */
CSN_API CSN_MUST_USE csn_err csn_enclave_wait(struct csn_enclave *enclave, uint32_t channel,
                                              uint64_t timeout_ns);

/* Inputs of a channel without a final output, oldest first: after a crash exactly the lost set. */
typedef void (*csn_unfinished)(void *state, uint64_t tag, const void *message, uint32_t size);
CSN_API CSN_MUST_USE csn_err csn_enclave_unfinished(struct csn_enclave *enclave, uint32_t channel,
                                                    csn_unfinished callback, void *state);

/*
 * After a crash: start the same image again with fresh memory, keys and rings. The unfinished
 * inputs are kept; once the caller has had the new evidence verified and the grants sent again, it
 * calls csn_enclave_resubmit(), which feeds them back one at a time. An input that is alone in
 * flight at crash_count_max crashes is quarantined: reported once by csn_enclave_quarantined().
 */
CSN_API CSN_MUST_USE csn_err csn_enclave_restart(struct csn_enclave *enclave,
                                                 struct csn_detail *detail);
/* One step: CSN_OK all done; CSN_AGAIN call again after receiving. */
CSN_API CSN_MUST_USE csn_err csn_enclave_resubmit(struct csn_enclave *enclave, uint32_t channel);
CSN_API CSN_MUST_USE csn_err csn_enclave_quarantined(struct csn_enclave *enclave, uint32_t channel,
                                                     csn_unfinished callback, void *state);

/* Steady-state counters of the host side (KVM: KVM_RUN returns, split by cause). */
struct csn_enclave_counters {
    uint64_t gate_calls;   /* process: parks and wakes; kvm: exits to user space for them */
    uint64_t exits_other;  /* kvm: returns that were none of park, wake, stop, EINTR */
    uint64_t exits_signal; /* kvm: EINTR */
    uint64_t page_faults;  /* minflt + majflt of the enclave's threads */
};
CSN_API CSN_MUST_USE csn_err csn_enclave_counters(const struct csn_enclave *enclave,
                                                  struct csn_enclave_counters *counters);

/*
 * What our end of a ring counted since the enclave was started, or started again. The far ends are
 * the worker's, one for all of its rings: csn_enclave_stats().
 */
struct csn_ring_counts {
    uint64_t messages;
    uint64_t batches;  /* published; of answers: what was taken from one empty look to the next */
    uint64_t parks;    /* sleeps of csn_enclave_wait(): in: for room as well; out: for answers */
    uint64_t wakes;    /* of a parked worker: in: for inputs; out: for room */
    uint64_t poisoned; /* 1: the peer broke the protocol */
};
struct csn_channel_counts {
    struct csn_ring_counts in;
    struct csn_ring_counts out;
};
/* Exact while no other thread uses the channel. */
CSN_API CSN_MUST_USE csn_err csn_enclave_channel_counts(const struct csn_enclave *enclave,
                                                        uint32_t channel,
                                                        struct csn_channel_counts *counts);

/*
 * A channel for another process of this machine to be the host's end of (wire/rings.h), instead of
 * this one: csn_enclave_submit() and its like are not called for it any more. *fd: the caller's, to
 * send and to close; it is of these rings, and says nothing after a restart.
 */
struct csn_wire_rings;
CSN_API CSN_MUST_USE csn_err csn_enclave_share(const struct csn_enclave *enclave, uint32_t worker,
                                               uint32_t channel, struct csn_wire_rings *rings,
                                               int *fd);

/* What this machine can do; one line per backend and protection (used by `caisson doctor`). */
struct csn_capability {
    const char *name;
    bool works;
    struct csn_detail detail; /* what was found, and the remedy */
};
CSN_API uint32_t csn_doctor(struct csn_capability *capabilities, uint32_t count_max);

/* ---- what an enclave keeps outside ---- */

/*
 * One folder in which enclaves keep objects, each a file; a folder is in use by one csn_store at a
 * time. All of it is sealed by the enclave, and of no use to anybody else; what it must not be is
 * lost. A failed sync is final: nothing is written any more until the store is opened anew.
 *
 * Threads: any; an enclave's asks are served by threads of its own.
 */
struct csn_store_options {
    const char *folder; /* made with mode 0700 if it is missing */
    /*
     * Carries a command to a TPM and its response back (response_size: room, then size). NULL:
     * there is none. Called by one thread at a time.
     */
    csn_err (*tpm)(void *state, const uint8_t *command, size_t size, uint8_t *response,
                   size_t *response_size);
    void *tpm_state;
};
/*
 * CSN_BUSY: another process, or store of this one, has it. CSN_ERR_SYSTEM: it cannot be made, or
 * entered; the detail has the remedy. A folder that can only be read is one, too: a model's.
 */
CSN_API CSN_MUST_USE csn_err csn_store_open(const struct csn_store_options *options,
                                            struct csn_store **store, struct csn_detail *detail);
CSN_API void csn_store_close(struct csn_store *store); /* NULL allowed */
/* Of when it was opened. What an image writes then fails: a journal's grant is refused. */
CSN_API bool csn_store_is_read_only(const struct csn_store *store);

struct csn_store_counts {
    uint64_t asks;
    uint64_t refused; /* of them: not what an enclave may ask */
    uint64_t full;
    uint64_t failed;
    uint64_t read_size;    /* bytes */
    uint64_t written_size; /* bytes */
    uint64_t syncs;
    uint64_t tpm_commands;
};
CSN_API void csn_store_counts(const struct csn_store *store, struct csn_store_counts *counts);

CSN_EXTERN_C_END

#endif
