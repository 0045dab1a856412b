/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.c: both ends of the ring protocol of channel.h.
 *
 * Trust:    each hostile word is loaded once into a local and judged there; a bad one poisons the
 *           end for good. Cursors, sizes and bounds are private.
 * Bounds:   a read moves over at most one pad and one run; a write stores at most one of each.
 */
#include "ring.h"
#include "bytes.h"
#include <caisson/wire/channel.h>

#define RING_WORD_SIZE      UINT32_C(8)
#define RING_PAIR_SIZE      UINT32_C(16)
#define RING_LINE_WORDS     (CSN_WIRE_LINE_SIZE / RING_WORD_SIZE)
#define RING_LINE_COUNT_MAX (UINT32_C(1) << 26)
#define RING_AHEAD_LINES    UINT32_C(16) /* asked for before they are read */
#define RING_CREDIT_SHARE   4u           /* credit goes back at least every quarter of the ring */

/* A longer run is streamed, first of its batch or not. A test explores the rings with none. */
#ifndef RING_STORED_LINES
#define RING_STORED_LINES UINT32_C(32)
#endif

/*
 * What must hold of a word that the peer wrote. bench/ builds a second copy of this file in which
 * all of it is taken on trust, to say what the checks cost; nothing else may define this.
 */
#ifndef CSN_RING_CHECK
#define CSN_RING_CHECK(holds) (holds)
#endif

_Static_assert(CSN_WIRE_HEAD_SIZE == 2 * RING_WORD_SIZE, "head word and tag");

static const uint8_t zeros[RING_PAIR_SIZE] = {0};

static bool geometry_is_valid(uint32_t line_count, uint32_t size_max)
{
    return size_max <= CSN_WIRE_HEAD_SIZE_MASK && line_count <= RING_LINE_COUNT_MAX &&
           line_count != 0 && (line_count & (line_count - 1)) == 0 &&
           line_count / 2 >= csn_wire_lines(size_max);
}

static uint64_t offset_of(uint64_t line, uint32_t line_count)
{
    return (line & (line_count - 1)) * CSN_WIRE_LINE_SIZE;
}

static uint32_t lines_to_end(uint64_t line, uint32_t line_count)
{
    return line_count - (uint32_t)(line & (line_count - 1));
}

static uint64_t head_word(uint64_t line, uint64_t flags, uint32_t size)
{
    return line << 32 | CSN_WIRE_HEAD_VALID | flags | size;
}

/* ---- producing end ---- */

csn_err csn_ring_writer_init(struct csn_ring_writer *writer, struct csn_shared *lines,
                             struct csn_shared *credit, uint32_t line_count, uint32_t size_max)
{
    if (lines == NULL || credit == NULL || !geometry_is_valid(line_count, size_max)) {
        return CSN_ERR_ARGUMENT;
    }
    *writer = (struct csn_ring_writer){
        .lines = lines, .credit = credit, .line_count = line_count, .size_max = size_max};
    return CSN_OK;
}

static csn_err poison_writer(struct csn_ring_writer *writer)
{
    writer->fate = CSN_ERR_PEER;
    writer->counters.poisoned++;
    return CSN_ERR_PEER;
}

static uint64_t free_lines(const struct csn_ring_writer *writer)
{
    /* One line stays free: it holds the zero word that ends what is published. */
    return writer->line_count - 1 - (writer->cursor - writer->credit_seen);
}

/* The consumer's word says how many lines it gave back; CSN_OK if `needed` are free now. */
static csn_err ask_for_lines(struct csn_ring_writer *writer, uint64_t needed)
{
    uint64_t credit = csn_shared_load_acquire(writer->credit, 0); /* pair C */
    if (!CSN_RING_CHECK(credit - writer->credit_seen <= writer->published - writer->credit_seen)) {
        return poison_writer(writer); /* backwards, or beyond what was ever published */
    }
    writer->credit_seen = credit;
    return needed <= free_lines(writer) ? CSN_OK : CSN_AGAIN;
}

/* A pad; the first word of a batch is kept back until the batch is published. */
static void put_head(struct csn_ring_writer *writer, uint64_t word)
{
    if (writer->cursor == writer->published) {
        writer->first_head = word;
        return;
    }
    csn_shared_store(writer->lines, offset_of(writer->cursor, writer->line_count), word);
}

/* Both pieces as one run of words, the last one filled up with zeros; returns the words. */
static __attribute__((noinline)) uint32_t put_uneven(struct csn_shared *lines, uint64_t offset,
                                                     const struct csn_ring_piece pieces[2])
{
    const uint8_t *head = pieces[0].bytes;
    const uint8_t *tail = pieces[1].bytes;
    uint32_t tail_size = pieces[1].size;
    uint32_t done = pieces[0].size / RING_WORD_SIZE; /* words */
    uint32_t rest = pieces[0].size % RING_WORD_SIZE; /* bytes of piece 0 still to go */

    csn_shared_copy_out(lines, offset, head, done);
    if (rest != 0) {
        uint8_t word[RING_WORD_SIZE] = {0};
        uint32_t take = RING_WORD_SIZE - rest < tail_size ? RING_WORD_SIZE - rest : tail_size;
        __builtin_memcpy(word, head + done * RING_WORD_SIZE, rest);
        if (take != 0) {
            __builtin_memcpy(word + rest, tail, take);
            tail += take;
            tail_size -= take;
        }
        csn_shared_store(lines, offset + done * RING_WORD_SIZE, csn_load_u64(word));
        done++;
    }
    uint32_t whole = tail_size / RING_WORD_SIZE;
    csn_shared_copy_out(lines, offset + done * RING_WORD_SIZE, tail, whole);
    done += whole;
    if (tail_size % RING_WORD_SIZE != 0) {
        uint8_t word[RING_WORD_SIZE] = {0};
        __builtin_memcpy(word, tail + whole * RING_WORD_SIZE, tail_size % RING_WORD_SIZE);
        csn_shared_store(lines, offset + done * RING_WORD_SIZE, csn_load_u64(word));
        done++;
    }
    return done;
}

/* Body, and zeros to the end of its last line. */
static inline void put_body(struct csn_shared *lines, uint64_t offset,
                            const struct csn_ring_piece pieces[2], uint32_t word_count)
{
    uint32_t done = pieces[0].size / RING_WORD_SIZE;
    if (((pieces[0].size | pieces[1].size) % RING_WORD_SIZE) != 0) {
        done = put_uneven(lines, offset, pieces);
    } else {
        csn_shared_copy_out(lines, offset, pieces[0].bytes, done);
        if (pieces[1].size != 0) {
            csn_shared_copy_out(lines, offset + done * RING_WORD_SIZE, pieces[1].bytes,
                                pieces[1].size / RING_WORD_SIZE);
            done += pieces[1].size / RING_WORD_SIZE;
        }
    }
    csn_shared_zero(lines, offset + done * RING_WORD_SIZE, word_count - done);
}

/*
 * A whole run past the caches, in pairs of words: head word and tag, the two pieces joined without
 * a gap, zeros to the end of the last line.
 */
static void stream_run(struct csn_shared *lines, uint64_t offset, const uint64_t head[2],
                       const struct csn_ring_piece pieces[2], uint32_t run_size)
{
    const uint8_t *tail = pieces[1].bytes;
    uint32_t tail_size = pieces[1].size;
    uint32_t whole = pieces[0].size / RING_PAIR_SIZE * RING_PAIR_SIZE;
    uint32_t rest = pieces[0].size - whole;
    uint8_t pair[RING_PAIR_SIZE] = {0};

    csn_shared_stream(lines, offset, head, 2);
    csn_shared_stream(lines, offset + RING_PAIR_SIZE, pieces[0].bytes, whole / RING_WORD_SIZE);
    uint32_t done = RING_PAIR_SIZE + whole;
    if (rest != 0) { /* the end of one piece and the beginning of the other */
        uint32_t take = RING_PAIR_SIZE - rest < tail_size ? RING_PAIR_SIZE - rest : tail_size;
        __builtin_memcpy(pair, (const uint8_t *)pieces[0].bytes + whole, rest);
        if (take != 0) {
            __builtin_memcpy(pair + rest, tail, take);
            tail += take;
            tail_size -= take;
        }
        csn_shared_stream(lines, offset + done, pair, 2);
        done += RING_PAIR_SIZE;
    }
    whole = tail_size / RING_PAIR_SIZE * RING_PAIR_SIZE;
    if (tail_size != 0) {
        csn_shared_stream(lines, offset + done, tail, whole / RING_WORD_SIZE);
        done += whole;
        __builtin_memset(pair, 0, sizeof pair);
        __builtin_memcpy(pair, tail + whole, tail_size - whole);
    }
    if (tail_size != whole) {
        csn_shared_stream(lines, offset + done, pair, 2);
        done += RING_PAIR_SIZE;
    }
    for (; done < run_size; done += RING_PAIR_SIZE) {
        csn_shared_stream(lines, offset + done, zeros, 2);
    }
}

/* Room for a run of lines that does not wrap: asks for credit, and pads the end of the ring. */
static __attribute__((noinline)) csn_err make_room(struct csn_ring_writer *writer, uint32_t lines)
{
    uint32_t to_end = lines_to_end(writer->cursor, writer->line_count);
    uint32_t pad = lines > to_end ? to_end : 0;
    uint64_t needed = (uint64_t)pad + lines;
    if (needed > free_lines(writer)) {
        CSN_TRY(ask_for_lines(writer, needed));
    }
    if (pad != 0) {
        put_head(writer, head_word(writer->cursor, CSN_WIRE_HEAD_PAD, 0));
        writer->cursor += pad;
    }
    return CSN_OK;
}

/*
 * The first run of a batch is stored as usual, unless it is long: it may be the only one, and then
 * what counts is how soon the consumer has it. Everything else is streamed: a store to a line that
 * the consumer's core has waits until that core gave it up, and the processor keeps few such lines
 * under way (docs/PERFORMANCE.md has the figures).
 */
csn_err csn_ring_write(struct csn_ring_writer *writer, uint64_t tag, bool final,
                       const struct csn_ring_piece pieces[2])
{
    if (writer->fate != CSN_OK) {
        return writer->fate;
    }
    uint64_t size = (uint64_t)pieces[0].size + pieces[1].size;
    if (size > writer->size_max) {
        return CSN_ERR_SPACE;
    }
    uint32_t lines = csn_wire_lines((uint32_t)size);
    if (lines > lines_to_end(writer->cursor, writer->line_count) || lines > free_lines(writer)) {
        CSN_TRY(make_room(writer, lines));
    }
    struct csn_shared *ring = writer->lines;
    uint64_t cursor = writer->cursor;
    uint64_t offset = offset_of(cursor, writer->line_count);
    uint64_t word = head_word(cursor, final ? CSN_WIRE_HEAD_FINAL : 0, (uint32_t)size);
    bool first = cursor == writer->published;
    writer->cursor = cursor + lines;
    writer->batch_count++;
    writer->batch_size += size;
    if (first) {
        writer->first_head = word; /* kept back until the batch is published: zero until then */
        word = 0;
    }
    if (!first || lines > RING_STORED_LINES) {
        writer->streamed = true;
        const uint64_t head[2] = {word, tag};
        stream_run(ring, offset, head, pieces, lines * CSN_WIRE_LINE_SIZE);
        return CSN_OK;
    }
    /*
     * The zero word behind a batch of one comes before its body: what is stored to a line that the
     * consumer polls should come in one go, or it fetches the line in between.
     */
    if (cursor + lines != writer->zeroed) {
        csn_shared_store(ring, offset_of(cursor + lines, writer->line_count), 0);
    }
    csn_shared_store(ring, offset + RING_WORD_SIZE, tag);
    put_body(ring, offset + CSN_WIRE_HEAD_SIZE, pieces, lines * RING_LINE_WORDS - 2);
    return CSN_OK;
}

bool csn_ring_batch_is_full(const struct csn_ring_writer *writer)
{
    return writer->batch_count >= CSN_WIRE_BATCH_COUNT_MAX ||
           writer->batch_size >= CSN_WIRE_BATCH_SIZE_MAX;
}

/* How many lines become visible at once, for the consumer to ask for them ahead. */
static uint64_t hint_of(const struct csn_ring_writer *writer)
{
    return (uint64_t)csn_wire_ahead_code(writer->cursor - writer->published)
           << CSN_WIRE_HEAD_AHEAD_SHIFT;
}

bool csn_ring_publish(struct csn_ring_writer *writer)
{
    if (writer->cursor == writer->published) {
        return false;
    }
    if (writer->streamed) {
        /* The consumer's next position must hold zero before it can get there. */
        csn_shared_store(writer->lines, offset_of(writer->cursor, writer->line_count), 0);
        csn_shared_stream_end(); /* S */
    }
    csn_shared_store_release(writer->lines, offset_of(writer->published, writer->line_count),
                             writer->first_head | hint_of(writer)); /* pair M */
    if (!writer->streamed && free_lines(writer) != 0) {
        /* If the next batch is one line: its zero word, now that nobody waits for it. */
        writer->zeroed = writer->cursor + 1;
        csn_shared_store(writer->lines, offset_of(writer->zeroed, writer->line_count), 0);
    }
    writer->published = writer->cursor;
    writer->counters.batches++;
    writer->counters.messages += writer->batch_count;
    writer->batch_count = 0;
    writer->batch_size = 0;
    writer->streamed = false;
    return true;
}

bool csn_ring_has_lines(struct csn_ring_writer *writer, uint64_t lines, uint32_t size)
{
    if (writer->fate != CSN_OK || size > writer->size_max) {
        return false;
    }
    uint64_t needed = lines;
    if (needed > lines_to_end(writer->cursor, writer->line_count)) {
        /* the longest pad; at most one, as all of it is under one lap */
        needed += csn_wire_lines(size) - 1;
    }
    return needed <= free_lines(writer) || ask_for_lines(writer, needed) == CSN_OK;
}

bool csn_ring_has_credit(struct csn_ring_writer *writer, uint32_t count, uint32_t size)
{
    return csn_ring_has_lines(writer, (uint64_t)csn_wire_lines(size) * count, size);
}

bool csn_ring_writer_check(const struct csn_ring_writer *writer)
{
    return geometry_is_valid(writer->line_count, writer->size_max) &&
           (writer->fate == CSN_OK || writer->fate == CSN_ERR_PEER) &&
           writer->credit_seen <= writer->published && writer->published <= writer->cursor &&
           writer->cursor - writer->credit_seen < writer->line_count &&
           (writer->batch_count == 0) == (writer->cursor == writer->published);
}

/* ---- consuming end ---- */

csn_err csn_ring_reader_init(struct csn_ring_reader *reader, struct csn_shared *lines,
                             struct csn_shared *credit, uint32_t line_count, uint32_t size_max)
{
    if (lines == NULL || credit == NULL || !geometry_is_valid(line_count, size_max)) {
        return CSN_ERR_ARGUMENT;
    }
    *reader = (struct csn_ring_reader){
        .lines = lines, .credit = credit, .line_count = line_count, .size_max = size_max};
    return CSN_OK;
}

static csn_err poison_reader(struct csn_ring_reader *reader)
{
    reader->fate = CSN_ERR_PEER;
    reader->counters.poisoned++;
    return CSN_ERR_PEER;
}

/* The only load of a head word: once per position and call. */
static uint64_t take_head(const struct csn_ring_reader *reader, uint64_t line)
{
    return csn_shared_load_acquire(reader->lines, offset_of(line, reader->line_count)); /* pair M */
}

/* pad: lines that were skipped just before; a producer skips only what is too short for the run. */
static bool head_is_message(const struct csn_ring_reader *reader, uint64_t line, uint32_t pad,
                            uint64_t word)
{
    uint32_t size = (uint32_t)(word & CSN_WIRE_HEAD_SIZE_MASK);
    return word == head_word(line, word & CSN_WIRE_HEAD_FINAL, size) && size <= reader->size_max &&
           csn_wire_lines(size) > pad &&
           csn_wire_lines(size) <= lines_to_end(line, reader->line_count);
}

/* Lines that a head word says are there with it. */
static inline uint32_t hint_in(uint64_t word)
{
    return csn_wire_ahead_lines(
        (uint32_t)((word & CSN_WIRE_HEAD_AHEAD) >> CSN_WIRE_HEAD_AHEAD_SHIFT));
}

/* Lines that the producer says are there; a lie costs fetches of lines of this same ring. */
static inline void ask_ahead(struct csn_ring_reader *reader)
{
    uint64_t end = reader->cursor + RING_AHEAD_LINES;
    end = end < reader->known ? end : reader->known;
    reader->asked = reader->asked > reader->cursor ? reader->asked : reader->cursor;
    for (; reader->asked < end; reader->asked++) {
        csn_shared_expect_read(reader->lines, offset_of(reader->asked, reader->line_count));
    }
}

csn_err csn_ring_read(struct csn_ring_reader *reader, void *target,
                      struct csn_ring_message *message)
{
    if (reader->fate != CSN_OK) {
        return reader->fate;
    }
    const struct csn_shared *ring = reader->lines;
    uint64_t line = reader->cursor;
    uint64_t word = take_head(reader, line);
    uint32_t pad = 0;
    if (word == 0) {
        return CSN_AGAIN;
    }
    uint32_t hint = hint_in(word);
    word &= ~CSN_WIRE_HEAD_AHEAD;
    if (word == head_word(line, CSN_WIRE_HEAD_PAD, 0)) {
        pad = lines_to_end(line, reader->line_count);
        line += pad;
        word = take_head(reader, line) &
               ~CSN_WIRE_HEAD_AHEAD; /* zero here is a lie: a pad comes with its message */
    }
    if (!CSN_RING_CHECK(head_is_message(reader, line, pad, word))) {
        return poison_reader(reader);
    }
    uint32_t size = (uint32_t)(word & CSN_WIRE_HEAD_SIZE_MASK);
    uint32_t whole = (size + RING_WORD_SIZE - 1) / RING_WORD_SIZE;
    uint64_t offset = offset_of(line, reader->line_count);
    uint32_t lines = csn_wire_lines(size);
    reader->cursor = line + lines;
    reader->counters.messages++;
    if (hint != 0) {
        reader->known = line + hint;
    }
    ask_ahead(reader);
    message->tag = csn_shared_load(ring, offset + RING_WORD_SIZE);
    message->size = size;
    message->final = (word & CSN_WIRE_HEAD_FINAL) != 0;
    csn_shared_copy_in(target, ring, offset + CSN_WIRE_HEAD_SIZE, whole);
    if (size % RING_WORD_SIZE != 0) {
        __builtin_memset((uint8_t *)target + size, 0, whole * RING_WORD_SIZE - size);
    }
    if (reader->cursor - reader->credit_given >= reader->line_count / RING_CREDIT_SHARE) {
        (void)csn_ring_give_credit(reader);
    }
    return CSN_OK;
}

/*
 * Looks whether a message is at a line that may be one's first: how far its batch goes, if it is
 * the first of one, and how far it goes itself.
 */
static __attribute__((noinline)) void look_ahead(struct csn_ring_reader *reader, uint64_t line)
{
    uint64_t word = take_head(reader, line);
    if (word >> 32 == (uint32_t)line && (word & CSN_WIRE_HEAD_VALID) != 0) {
        uint32_t hint = hint_in(word);
        uint32_t own = csn_wire_lines((uint32_t)(word & CSN_WIRE_HEAD_SIZE_MASK));
        reader->known = line + (hint > own ? hint : own);
    }
}

const struct csn_shared *csn_ring_expect(struct csn_ring_reader *reader, uint32_t size)
{
    uint64_t first = reader->expected > reader->cursor ? reader->expected : reader->cursor;
    uint32_t lines = csn_wire_lines(size);
    if (lines > lines_to_end(first, reader->line_count)) { /* it does not wrap: behind a pad */
        first += lines_to_end(first, reader->line_count);
    }
    uint64_t end = first + lines;
    if (end > reader->known) {
        look_ahead(reader, first);
    }
    if (end > reader->known || end - reader->cursor > reader->line_count) {
        return NULL;
    }
    reader->expected = end;
    reader->asked = reader->asked > end ? reader->asked : end;
    return csn_shared_at(reader->lines, offset_of(first, reader->line_count));
}

bool csn_ring_has_message(const struct csn_ring_reader *reader)
{
    return reader->fate == CSN_OK && take_head(reader, reader->cursor) != 0;
}

bool csn_ring_give_credit(struct csn_ring_reader *reader)
{
    if (reader->fate != CSN_OK || reader->credit_given == reader->cursor) {
        return false;
    }
    reader->credit_given = reader->cursor;
    csn_shared_store_release(reader->credit, 0, reader->cursor); /* pair C */
    return true;
}

bool csn_ring_reader_check(const struct csn_ring_reader *reader)
{
    return geometry_is_valid(reader->line_count, reader->size_max) &&
           (reader->fate == CSN_OK || reader->fate == CSN_ERR_PEER) &&
           reader->credit_given <= reader->cursor &&
           reader->cursor - reader->credit_given < reader->line_count;
}
