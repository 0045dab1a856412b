/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pump.h: one channel of an enclave, as the loop drives it: messages are handed over without
 * blocking, outputs come back to whoever asked, and to nobody else.
 *
 * Tags count up and are never used twice in a pump; the low bits of one are its asker's place in
 * the table. Outputs come in the order of the messages, so only one tag can be right, beside those
 * whose answers the enclave said to come later: an output under any other reaches nobody, and the
 * enclave that sent it is at fault.
 *
 * Trust:    outputs are the enclave's word; what they say is the asker's to check.
 * Threads:  the loop's, but for init and end, which are for when the loop does not know the pump.
 * Memory:   all of it at init.
 */
#ifndef CSN_GATEWAY_PUMP_H
#define CSN_GATEWAY_PUMP_H

#include "waiter.h"
#include <caisson/host.h>
#include <stdbool.h>
#include <stdint.h>

/* Who asked: what becomes of one message. Neither may hand over to, or end, this pump. */
struct csn_pump_asker {
    /*
     * An output; its bytes live as long as the call. final: the last one, and the last call. An
     * answer that comes later begins with CSN_WIRE_HELD.
     */
    void (*output)(void *state, const uint8_t *bytes, uint32_t size, bool final);
    /* The enclave ended before the final output. The last call. */
    void (*lost)(void *state);
};

struct csn_pump_place {
    const struct csn_pump_asker *asker;
    void *state;
    uint32_t size; /* of the message */
};

/* A message whose answer comes later. */
struct csn_pump_later {
    uint64_t tag;
    const struct csn_pump_asker *asker;
    void *state;
    bool is_unwanted; /* the enclave is to be told */
};

struct csn_pump {
    struct csn_enclave *enclave;
    uint32_t channel;
    uint32_t place_count; /* a power of two */
    struct csn_pump_place *places;
    struct csn_pump_later *later; /* as many as the manifest's held_max */
    uint32_t later_count;
    uint32_t unwanted_count;
    uint64_t oldest; /* tags: from here on without a final output, */
    uint64_t commit; /* from here on not yet taken by the ring, */
    uint64_t next;   /* and the next one */
    bool is_dirty;   /* committed, not yet visible to the enclave */
    uint8_t *output;
    uint64_t outputs;  /* received */
    uint64_t seen;     /* outputs, when it was looked at last, */
    uint64_t since_ns; /* and since when there are no more, with messages under way */
    struct csn_waiter waiter;
};

/* count_max: messages under way at a time, as the enclave's inflight_count_max. */
CSN_MUST_USE csn_err csn_pump_init(struct csn_pump *pump, struct csn_enclave *enclave,
                                   uint32_t channel, uint32_t count_max, int event_fd);
/* After csn_enclave_stop(), before csn_enclave_destroy(). Calls nobody. */
void csn_pump_end(struct csn_pump *pump);

/*
 * A place for a message of size bytes in what is kept until it is answered: to be filled, then
 * csn_pump_hand_over(). Several may be taken before they are handed over, in the same order.
 * CSN_AGAIN: no room now. CSN_ERR_SPACE: larger than the enclave takes. CSN_ERR_CRASHED.
 */
CSN_MUST_USE csn_err csn_pump_reserve(struct csn_pump *pump, uint32_t size, void **place);
/* The oldest place that was reserved and not handed over, with its first size bytes. */
void csn_pump_hand_over(struct csn_pump *pump, uint32_t size, const struct csn_pump_asker *asker,
                        void *state);
/* Handed over, but the ring had no room yet. While there is such, none can be given back. */
static inline bool csn_pump_has_backlog(const struct csn_pump *pump)
{
    return pump->commit != pump->next;
}
/* Without a backlog: gives back all places that were reserved and not handed over. */
void csn_pump_abandon(struct csn_pump *pump);

/* Messages handed over, without a final output. */
static inline uint32_t csn_pump_inflight(const struct csn_pump *pump)
{
    return (uint32_t)(pump->next - pump->oldest) + pump->later_count;
}

/*
 * Nobody wants what comes later for that asker's state any more: the enclave is told in the next
 * step, and what still comes is handed out as before. Also from within output().
 */
void csn_pump_cancel(struct csn_pump *pump, const void *state);

/*
 * Moves what can be moved in both directions. CSN_OK: something moved; CSN_AGAIN: nothing did;
 * CSN_ERR_CRASHED: the enclave ended and all that it published was delivered; CSN_ERR_PEER: it
 * broke the protocol. After an error: csn_pump_lose(), and no more steps.
 */
CSN_MUST_USE csn_err csn_pump_step(struct csn_pump *pump);
/* The loop is about to sleep: if outputs are to come, the event descriptor will tell. */
void csn_pump_rest(struct csn_pump *pump);
/*
 * Now and then: true if messages are under way, and for longer than patience_ns none had an output.
 * One whose answer comes later does not count: it may be silent.
 */
bool csn_pump_is_stuck(struct csn_pump *pump, uint64_t now_ns, uint64_t patience_ns);
/* Tells every asker that is left. */
void csn_pump_lose(struct csn_pump *pump);

#endif
