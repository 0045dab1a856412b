/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vocab_merge.c: neighbours become one, the best pair first and of equal ones the leftmost. Every
 * symbol that merges with its next is in a heap once, so that a text of n symbols takes n log n.
 */
#include "vocab_parts.h"

static bool is_before(const struct vocab_job *job, uint32_t left, uint32_t right)
{
    const uint32_t left_key = job->symbols[left].key;
    const uint32_t right_key = job->symbols[right].key;
    return left_key != right_key ? left_key < right_key : left < right;
}

static void put(struct vocab_job *job, uint32_t place, uint32_t symbol)
{
    job->heap[place] = symbol;
    job->symbols[symbol].place = place;
}

/* Towards the top, as far as it goes. */
static void rise(struct vocab_job *job, uint32_t place)
{
    const uint32_t symbol = job->heap[place];
    while (place > 0 && is_before(job, symbol, job->heap[(place - 1) / 2])) {
        put(job, place, job->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(job, place, symbol);
}

static void sink(struct vocab_job *job, uint32_t place)
{
    const uint32_t symbol = job->heap[place];
    for (;;) {
        uint32_t child = 2 * place + 1;
        if (child + 1 < job->heap_count && is_before(job, job->heap[child + 1], job->heap[child])) {
            child++;
        }
        if (child >= job->heap_count || !is_before(job, job->heap[child], symbol)) {
            break;
        }
        put(job, place, job->heap[child]);
        place = child;
    }
    put(job, place, symbol);
}

static void take_out(struct vocab_job *job, uint32_t symbol)
{
    const uint32_t place = job->symbols[symbol].place;
    if (place == CSN_VOCAB_NONE) {
        return;
    }
    job->symbols[symbol].place = CSN_VOCAB_NONE;
    job->heap_count--;
    if (place != job->heap_count) {
        const uint32_t moved = job->heap[job->heap_count];
        put(job, place, moved);
        rise(job, place);
        sink(job, job->symbols[moved].place);
    }
}

/* What a symbol and its next give now. */
static void look(struct vocab_job *job, uint32_t index, vocab_pair pair)
{
    struct vocab_symbol *symbol = &job->symbols[index];
    take_out(job, index);
    if (symbol->next != CSN_VOCAB_NONE &&
        pair(job, symbol, &job->symbols[symbol->next], &symbol->key, &symbol->result)) {
        put(job, job->heap_count++, index);
        rise(job, symbol->place);
    }
}

void csn_vocab_merge_all(struct vocab_job *job, uint32_t count, vocab_pair pair)
{
    job->heap_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        job->symbols[i].previous = i - 1; /* of the first: CSN_VOCAB_NONE */
        job->symbols[i].next = i + 1 < count ? i + 1 : CSN_VOCAB_NONE;
        job->symbols[i].place = CSN_VOCAB_NONE;
    }
    for (uint32_t i = 0; i + 1 < count; i++) {
        look(job, i, pair);
    }
    while (job->heap_count > 0) {
        const uint32_t index = job->heap[0];
        struct vocab_symbol *left = &job->symbols[index];
        struct vocab_symbol *right = &job->symbols[left->next];
        take_out(job, left->next);
        left->token = left->result;
        left->size += right->size;
        right->size = 0;
        left->next = right->next;
        if (left->next != CSN_VOCAB_NONE) {
            job->symbols[left->next].previous = index;
        }
        look(job, index, pair);
        if (left->previous != CSN_VOCAB_NONE) {
            look(job, left->previous, pair);
        }
    }
}
