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
#define RING_LINE_WORDS     (CSN_WIRE_LINE_SIZE / RING_WORD_SIZE)
#define RING_LINE_COUNT_MAX (UINT32_C(1) << 26)
#define RING_CREDIT_SHARE   4u /* credit goes back at least every quarter of the ring */

/*
 * What must hold of a word that the peer wrote. bench/ builds a second copy of this file in which
 * all of it is taken on trust, to say what the checks cost; nothing else may define this.
 */
#ifndef CSN_RING_CHECK
#define CSN_RING_CHECK(holds) (holds)
#endif

_Static_assert(CSN_WIRE_HEAD_SIZE == 2 * RING_WORD_SIZE, "head word and tag");

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

/* CSN_OK if `needed` lines are free; asks the consumer's word only when they seem not to be. */
static csn_err ensure_lines(struct csn_ring_writer *writer, uint64_t needed)
{
    if (needed <= free_lines(writer)) {
        return CSN_OK;
    }
    uint64_t credit = csn_shared_load_acquire(writer->credit, 0); /* pair C */
    if (!CSN_RING_CHECK(credit - writer->credit_seen <= writer->published - writer->credit_seen)) {
        return poison_writer(writer); /* backwards, or beyond what was ever published */
    }
    writer->credit_seen = credit;
    return needed <= free_lines(writer) ? CSN_OK : CSN_AGAIN;
}

/* The head word of a batch's first run is kept back until the batch is published. */
static void put_head(struct csn_ring_writer *writer, uint64_t word)
{
    if (writer->cursor == writer->published) {
        writer->first_head = word;
        return;
    }
    csn_shared_store(writer->lines, offset_of(writer->cursor, writer->line_count), word);
}

/* Both pieces as one run of words, zeros to the end of the last line. */
static void put_body(struct csn_ring_writer *writer, uint64_t offset,
                     const struct csn_ring_piece pieces[2], uint32_t word_count)
{
    const uint8_t *tail = pieces[1].bytes;
    uint32_t tail_size = pieces[1].size;
    uint32_t done = pieces[0].size / RING_WORD_SIZE; /* words */
    uint32_t rest = pieces[0].size % RING_WORD_SIZE; /* bytes of piece 0 still to go */

    csn_shared_copy_out(writer->lines, offset, pieces[0].bytes, done);
    if (rest != 0) {
        uint8_t word[RING_WORD_SIZE] = {0};
        uint32_t take = RING_WORD_SIZE - rest < tail_size ? RING_WORD_SIZE - rest : tail_size;
        __builtin_memcpy(word, (const uint8_t *)pieces[0].bytes + done * RING_WORD_SIZE, rest);
        if (take != 0) {
            __builtin_memcpy(word + rest, tail, take);
            tail += take;
            tail_size -= take;
        }
        csn_shared_store(writer->lines, offset + done * RING_WORD_SIZE, csn_load_u64(word));
        done++;
    }
    uint32_t whole = tail_size / RING_WORD_SIZE;
    csn_shared_copy_out(writer->lines, offset + done * RING_WORD_SIZE, tail, whole);
    done += whole;
    if (tail_size % RING_WORD_SIZE != 0) {
        uint8_t word[RING_WORD_SIZE] = {0};
        __builtin_memcpy(word, tail + whole * RING_WORD_SIZE, tail_size % RING_WORD_SIZE);
        csn_shared_store(writer->lines, offset + done * RING_WORD_SIZE, csn_load_u64(word));
        done++;
    }
    csn_shared_zero(writer->lines, offset + done * RING_WORD_SIZE, word_count - done);
}

csn_err csn_ring_write(struct csn_ring_writer *writer, uint64_t tag, bool final,
                       const struct csn_ring_piece pieces[2])
{
    if (writer->fate != CSN_OK) {
        return writer->fate;
    }
    if (pieces[0].size > writer->size_max || pieces[1].size > writer->size_max - pieces[0].size) {
        return CSN_ERR_SPACE;
    }
    uint32_t size = pieces[0].size + pieces[1].size;
    uint32_t lines = csn_wire_lines(size);
    uint32_t to_end = lines_to_end(writer->cursor, writer->line_count);
    uint32_t pad = lines > to_end ? to_end : 0;
    CSN_TRY(ensure_lines(writer, (uint64_t)pad + lines));

    if (pad != 0) {
        put_head(writer, head_word(writer->cursor, CSN_WIRE_HEAD_PAD, 0));
        writer->cursor += pad;
    }
    /*
     * The consumer's next position must hold zero before it can get there. Before the body, so that
     * what is stored to a line that the consumer polls comes in one go: it would fetch the line
     * between two of them.
     */
    csn_shared_store(writer->lines, offset_of(writer->cursor + lines, writer->line_count), 0);
    uint64_t offset = offset_of(writer->cursor, writer->line_count);
    csn_shared_store(writer->lines, offset + RING_WORD_SIZE, tag);
    put_body(writer, offset + CSN_WIRE_HEAD_SIZE, pieces, lines * RING_LINE_WORDS - 2);
    put_head(writer, head_word(writer->cursor, final ? CSN_WIRE_HEAD_FINAL : 0, size));
    writer->cursor += lines;
    writer->batch_count++;
    writer->batch_size += size;
    return CSN_OK;
}

bool csn_ring_batch_is_full(const struct csn_ring_writer *writer)
{
    return writer->batch_count >= CSN_WIRE_BATCH_COUNT_MAX ||
           writer->batch_size >= CSN_WIRE_BATCH_SIZE_MAX;
}

bool csn_ring_publish(struct csn_ring_writer *writer)
{
    if (writer->cursor == writer->published) {
        return false;
    }
    csn_shared_store_release(writer->lines, offset_of(writer->published, writer->line_count),
                             writer->first_head); /* pair M */
    writer->published = writer->cursor;
    writer->counters.batches++;
    writer->counters.messages += writer->batch_count;
    writer->batch_count = 0;
    writer->batch_size = 0;
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
    return ensure_lines(writer, needed) == CSN_OK;
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

csn_err csn_ring_read(struct csn_ring_reader *reader, void *target,
                      struct csn_ring_message *message)
{
    if (reader->fate != CSN_OK) {
        return reader->fate;
    }
    uint64_t line = reader->cursor;
    uint64_t word = take_head(reader, line);
    uint32_t pad = 0;
    if (word == head_word(line, CSN_WIRE_HEAD_PAD, 0)) {
        pad = lines_to_end(line, reader->line_count);
        line += pad;
        word = take_head(reader, line); /* zero here is a lie: a pad comes with its message */
    } else if (word == 0) {
        return CSN_AGAIN;
    }
    if (!CSN_RING_CHECK(head_is_message(reader, line, pad, word))) {
        return poison_reader(reader);
    }
    uint32_t size = (uint32_t)(word & CSN_WIRE_HEAD_SIZE_MASK);
    uint32_t whole = (size + RING_WORD_SIZE - 1) / RING_WORD_SIZE;
    uint64_t offset = offset_of(line, reader->line_count);

    message->tag = csn_shared_load(reader->lines, offset + RING_WORD_SIZE);
    message->size = size;
    message->final = (word & CSN_WIRE_HEAD_FINAL) != 0;
    csn_shared_copy_in(target, reader->lines, offset + CSN_WIRE_HEAD_SIZE, whole);
    if (size % RING_WORD_SIZE != 0) {
        __builtin_memset((uint8_t *)target + size, 0, whole * RING_WORD_SIZE - size);
    }

    reader->cursor = line + csn_wire_lines(size);
    reader->counters.messages++;
    if (reader->cursor - reader->credit_given >= reader->line_count / RING_CREDIT_SHARE) {
        (void)csn_ring_give_credit(reader);
    }
    return CSN_OK;
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
