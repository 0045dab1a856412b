/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal.h: what the files of the journal share (include/caisson/enclave_store.h says what it is).
 *
 *   journal.c           opening: replay, judgement, becoming the writer
 *   journal_read.c      records out of an object, and whether an end is one
 *   journal_write.c     records into it, durable, counted
 *   journal_snapshot.c  the log replaced by what it amounts to
 *   journal_session.c   all of it for handlers: one commit for a batch, answers withdrawn
 *   counter*.c          the TPM's counter
 *
 * Trust:    what comes back from outside is foreign until its tag, number and chain fit.
 * Threads:  one worker. Memory: the caller's CSE_JOURNAL_SIZE bytes.
 */
#ifndef CSE_ENCLAVE_JOURNAL_H
#define CSE_ENCLAVE_JOURNAL_H

#include "counter.h"
#include "crypto/gcm_siv.h"
#include "crypto/sha2.h"
#include "outside.h"

#define CSE_JOURNAL_HEAD     ((uint32_t)sizeof(struct csn_wire_journal))
#define CSE_JOURNAL_BESIDE   (CSE_JOURNAL_HEAD + CSN_GCM_SIV_TAG_SIZE)
#define CSE_JOURNAL_SNAPSHOT UINT64_C(0x100000) /* bytes of log, unless the options say so */

/* A place between two records. */
struct cse_position {
    uint64_t generation;
    uint64_t number;  /* of the record before it */
    uint64_t counter; /* what that record says */
    uint64_t synced;
    uint64_t offset; /* in the object */
    uint8_t chain[32];
    uint8_t guard[32]; /* of the last writer before it: cse_counter_guard() */
    uint8_t mark[32];  /* before what was counted last */
};

/* struct cse_journal, as it is inside. */
struct cse_writing {
    bool known;  /* opened once: tenant, name and acked count */
    bool good;   /* at is behind all that was put, and acked before it */
    bool writes; /* the log says that this boot is its writer, */
    bool claims; /* or will once it is committed */
    bool saving; /* inside the save hook */
    bool dirty;  /* in outside->dirty */
    bool grown;  /* in outside->grown */
    char name[CSE_JOURNAL_NAME_MAX + 1];
    char object[CSN_WIRE_OBJECT_NAME_MAX + 1]; /* of the log or snapshot: cse_journal_object() */
    uint8_t tenant[32];
    struct cse_outside *outside;
    struct cse_journal_hooks hooks;
    struct cse_position at;    /* behind what was put */
    struct cse_position acked; /* behind what is durable and counted */
    struct cse_position save;  /* of the snapshot that is being written */
    uint64_t snapshot_after;   /* bytes of log */
    uint64_t snapshot_next;    /* bytes of log at which the next one is made */
    struct cse_writing *next_dirty;
    struct cse_writing *next_grown;
    uint32_t first; /* of the batch's answers that depend on what was put */
    struct csn_gcm_siv_key key;
    uint8_t mark_key[32];
    struct cse_counter counter;
};
_Static_assert(sizeof(struct cse_writing) <= CSE_JOURNAL_SIZE, "the caller's memory holds it");

static inline struct cse_writing *cse_writing_of(struct cse_journal *journal)
{
    return (struct cse_writing *)(void *)journal;
}

/* ---- journal.c ---- */
/* The name of its log of that generation, or of its snapshot (kind HEAD), in writing->object. */
const char *cse_journal_object(struct cse_writing *writing, uint32_t kind, uint64_t generation);
/* Chain before the first record of a log (kind RECORD) or snapshot (HEAD). */
void cse_journal_chain(const struct cse_writing *writing, uint32_t kind, uint64_t generation,
                       uint8_t chain[32]);

/* Where the counter is to go with what lies before position. */
void cse_journal_step(const struct cse_writing *writing, const struct cse_position *position,
                      struct cse_counter_step *step);

/* ---- journal_read.c ---- */
struct cse_reading {
    uint64_t offset; /* of bytes[0] in writing->object */
    uint8_t *bytes;
    uint32_t size;
    uint32_t used;
    bool at_end; /* the object ends with bytes */
};
/*
 * The next record of writing->object that fits position, opened in place; position moves behind it.
 * CSN_AGAIN: none does; reading->offset + used is where.
 */
CSN_MUST_USE csn_err cse_journal_next(struct cse_writing *writing, struct cse_reading *reading,
                                      struct cse_position *position, struct csn_wire_journal *head,
                                      uint8_t **plain);
/* CSN_ERR_AUTH: behind that place is a record that was written when this one was durable. */
CSN_MUST_USE csn_err cse_journal_check_end(struct cse_writing *writing, struct cse_reading *reading,
                                           const struct cse_position *position);

/* ---- journal_write.c ---- */
/* Seals a record into outside->sealed and moves position behind it; returns its size there. */
uint32_t cse_journal_seal(struct cse_writing *writing, struct cse_position *position, uint32_t kind,
                          const uint8_t *bytes, uint32_t size);
/* Behind the log, on its way. */
CSN_MUST_USE csn_err cse_journal_put(struct cse_writing *writing, uint32_t kind,
                                     const uint8_t *bytes, uint32_t size);
/* All that was put is durable and counted, or the journal is not good any more. */
CSN_MUST_USE csn_err cse_journal_commit(struct cse_writing *writing);
/* Puts that this boot writes; nothing if the log says so already. */
CSN_MUST_USE csn_err cse_journal_claim(struct cse_writing *writing);

/* After a commit: a snapshot may be due. */
void cse_journal_look(struct cse_writing *writing);

/* ---- journal_snapshot.c ---- */
/* Between batches: outside->tend. */
void cse_journal_tend(struct cse_outside *outside);

#endif
