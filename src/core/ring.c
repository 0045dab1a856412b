/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.c: both ends of the ring protocol of channel.h.
 *
 * Trust:    each hostile word is loaded once into a local and judged there; a bad one poisons the
 *           end for good. Cursors, sizes and bounds are private.
 * Bounds:   a read moves over at most one pad and one run; a write stores at most one of each, and
 *           of packs two (csn_ring_write_many()). What a head says is bounded by the ring's end and
 *           the largest body before any of it is used.
 */
#include "ring.h"
#include "bytes.h"
#include <caisson/wire/channel.h>

#define RING_WORD_SIZE      UINT32_C(8)
#define RING_PAIR_SIZE      UINT32_C(16)
#define RING_LINE_WORDS     (CSN_WIRE_LINE_SIZE / RING_WORD_SIZE)
#define RING_LINE_COUNT_MAX (UINT32_C(1) << 26)
#define RING_AHEAD_LINES    UINT32_C(16) /* asked for before they are read */
#define RING_PACKS_MAX      2u           /* up to the ring's end, and from its start on */
#define RING_CREDIT_SHARE   4u           /* credit goes back at least every quarter of the ring */

/* A longer run is streamed, first of its batch or not. A test explores the rings with none. */
#ifndef RING_STORED_LINES
#define RING_STORED_LINES UINT32_C(32)
#endif

/*
 * What must hold of a word that the peer wrote. bench/ and tests/budget build a second copy of this
 * file in which all of it is taken on trust, to say what the checks cost; nothing else may define
 * this.
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

static uint64_t head_word(uint64_t line, uint64_t flags, uint32_t low)
{
    return line << 32 | CSN_WIRE_HEAD_VALID | flags | low;
}

/* What a body of a pack takes: whole words. */
static uint32_t padded(uint32_t size)
{
    return (size + RING_WORD_SIZE - 1) / RING_WORD_SIZE * RING_WORD_SIZE;
}

static uint64_t pack_lines(uint32_t count, uint32_t size)
{
    uint64_t bytes = CSN_WIRE_HEAD_SIZE + (uint64_t)count * padded(size);
    return (bytes + CSN_WIRE_LINE_SIZE - 1) / CSN_WIRE_LINE_SIZE;
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
        writer->continued = true;
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

/*
 * A pack in one stretch, with stores as usual. They wait for lines that the consumer's core has,
 * but csn_ring_read_many() gives those up, and lines are under way together if their stores follow
 * each other. What is stored to a line that the consumer polls should come in one go: so the first
 * line comes last, and its head word when it is published.
 */
static void put_pack(struct csn_ring_writer *writer, uint64_t tag, bool final, const uint8_t *bytes,
                     uint32_t size, uint32_t count)
{
    struct csn_shared *ring = writer->lines;
    uint64_t line = writer->cursor;
    uint64_t offset = offset_of(line, writer->line_count);
    uint64_t flags = final ? CSN_WIRE_HEAD_FINAL : 0;
    uint32_t low = size;
    if (count > 1) {
        flags |= CSN_WIRE_HEAD_PACK;
        low |= (count - 1) << CSN_WIRE_PACK_COUNT_SHIFT;
    }
    uint32_t room = RING_LINE_WORDS - 2; /* words in the first line */
    uint32_t whole = count * (padded(size) / RING_WORD_SIZE);
    uint32_t kept = whole < room ? whole : room;
    uint32_t lines = (uint32_t)pack_lines(count, size);

    csn_shared_copy_out(ring, offset + CSN_WIRE_LINE_SIZE, bytes + kept * RING_WORD_SIZE,
                        whole - kept);
    if (whole > room) {
        uint32_t tail = (lines - 1) * RING_LINE_WORDS - (whole - kept);
        csn_shared_zero(ring, offset + (uint64_t)lines * CSN_WIRE_LINE_SIZE - tail * RING_WORD_SIZE,
                        tail);
    }
    bool first = line == writer->published;
    if (first && line + lines != writer->zeroed) {
        csn_shared_store(ring, offset_of(line + lines, writer->line_count), 0);
    }
    csn_shared_store(ring, offset + RING_WORD_SIZE, tag);
    csn_shared_copy_out(ring, offset + CSN_WIRE_HEAD_SIZE, bytes, kept);
    csn_shared_zero(ring, offset + CSN_WIRE_HEAD_SIZE + kept * RING_WORD_SIZE, room - kept);
    put_head(writer, head_word(line, flags, low));
    writer->continued |= !first;
    writer->cursor = line + lines;
    writer->batch_count += count;
    writer->batch_size += (uint64_t)count * size;
}

/* How many of so many go into one pack that does not wrap; 0: see *result. */
static uint32_t room_for(struct csn_ring_writer *writer, uint32_t size, uint32_t count,
                         csn_err *result)
{
    bool packs = size != 0 && size <= CSN_WIRE_PACK_SIZE_MAX;
    count = !packs ? 1 : count < CSN_WIRE_PACK_COUNT_MAX ? count : CSN_WIRE_PACK_COUNT_MAX;
    uint64_t lines = pack_lines(count, size);
    if (lines > free_lines(writer)) {
        *result = ask_for_lines(writer, lines);
        if (*result == CSN_ERR_PEER) {
            return 0;
        }
    }
    *result = make_room(writer, csn_wire_lines(size));
    if (*result != CSN_OK || !packs) {
        return *result == CSN_OK;
    }
    uint64_t most = lines_to_end(writer->cursor, writer->line_count);
    most = most < free_lines(writer) ? most : free_lines(writer);
    most = (most * CSN_WIRE_LINE_SIZE - CSN_WIRE_HEAD_SIZE) / padded(size);
    return most < count ? (uint32_t)most : count;
}

csn_err csn_ring_write_many(struct csn_ring_writer *writer, uint64_t tag, bool final,
                            const struct csn_ring_piece *messages, uint32_t *count)
{
    const uint8_t *bytes = messages->bytes;
    uint32_t size = messages->size;
    uint32_t wanted = *count;
    *count = 0;
    if (writer->fate != CSN_OK || wanted == 0) {
        return writer->fate;
    }
    if (size > writer->size_max) {
        return CSN_ERR_SPACE;
    }
    csn_err result = CSN_OK;
    for (uint32_t runs = 0; runs < RING_PACKS_MAX && *count < wanted; runs++) {
        uint32_t some = room_for(writer, size, wanted - *count, &result);
        if (some == 0) {
            break;
        }
        put_pack(writer, tag + *count, final, bytes, size, some);
        bytes += (uint64_t)some * padded(size);
        *count += some;
    }
    return *count != 0 ? CSN_OK : result;
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
    if (writer->continued) {
        /* The consumer's next position must hold zero before it can get there. */
        csn_shared_store(writer->lines, offset_of(writer->cursor, writer->line_count), 0);
    }
    if (writer->streamed) {
        csn_shared_stream_end(); /* S */
    }
    csn_shared_store_release(writer->lines, offset_of(writer->published, writer->line_count),
                             writer->first_head | hint_of(writer)); /* pair M */
    if (writer->batch_count == 1 && !writer->continued && free_lines(writer) != 0) {
        /* If the next batch is one line: its zero word, now that nobody waits for it. */
        writer->zeroed = writer->cursor + 1;
        csn_shared_store(writer->lines, offset_of(writer->zeroed, writer->line_count), 0);
    }
    writer->published = writer->cursor;
    writer->counters.batches++;
    writer->counters.messages += writer->batch_count;
    writer->batch_count = 0;
    writer->batch_size = 0;
    writer->continued = false;
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

static uint64_t ring_size(const struct csn_ring_reader *reader)
{
    return (uint64_t)reader->line_count * CSN_WIRE_LINE_SIZE;
}

struct head {
    uint64_t word; /* without the hint */
    uint32_t size;
    uint32_t count;
    uint64_t lines;
};

static struct head head_of(uint64_t word)
{
    uint32_t low = (uint32_t)(word & CSN_WIRE_HEAD_SIZE_MASK);
    struct head head = {.word = word & ~CSN_WIRE_HEAD_AHEAD, .size = low, .count = 1};
    if ((word & CSN_WIRE_HEAD_PACK) != 0) {
        head.size = low & CSN_WIRE_PACK_SIZE_MAX;
        head.count = (low >> CSN_WIRE_PACK_COUNT_SHIFT) + 1;
    }
    head.lines = pack_lines(head.count, head.size);
    return head;
}

/* pad: lines that were skipped just before; a producer skips only what is too short for a message.
 */
static bool head_is_valid(const struct csn_ring_reader *reader, uint64_t line, uint32_t pad,
                          const struct head *head)
{
    uint64_t free_bits = CSN_WIRE_HEAD_FINAL | CSN_WIRE_HEAD_PACK | CSN_WIRE_HEAD_SIZE_MASK;
    bool pack = (head->word & CSN_WIRE_HEAD_PACK) != 0;
    return (head->word & ~free_bits) == head_word(line, 0, 0) && head->size <= reader->size_max &&
           csn_wire_lines(head->size) > pad &&
           head->lines <= lines_to_end(line, reader->line_count) &&
           (!pack || (head->size != 0 && head->count > 1));
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

/* One look at a head, or at a pad and the head behind it: everything about the run. */
static csn_err take_run(struct csn_ring_reader *reader)
{
    uint64_t line = reader->cursor;
    uint64_t word = take_head(reader, line);
    uint32_t pad = 0;
    if (word == 0) {
        return CSN_AGAIN;
    }
    uint32_t hint = hint_in(word);
    if ((word & ~CSN_WIRE_HEAD_AHEAD) == head_word(line, CSN_WIRE_HEAD_PAD, 0)) {
        pad = lines_to_end(line, reader->line_count);
        line += pad;
        word = take_head(reader, line); /* zero here is a lie: a pad comes with its message */
    }
    struct head head = head_of(word);
    if (!CSN_RING_CHECK(head_is_valid(reader, line, pad, &head))) {
        return poison_reader(reader);
    }
    reader->cursor = line;
    reader->at = line * CSN_WIRE_LINE_SIZE + CSN_WIRE_HEAD_SIZE;
    reader->end = line + head.lines;
    reader->size = head.size;
    reader->left = head.count;
    reader->final = (word & CSN_WIRE_HEAD_FINAL) != 0;
    reader->tag =
        csn_shared_load(reader->lines, offset_of(line, reader->line_count) + RING_WORD_SIZE);
    reader->counters.messages += head.count;
    if (hint != 0) {
        reader->known = line + hint;
    }
    ask_ahead(reader);
    return CSN_OK;
}

/* Lines that nothing is left in: there may be credit for them, and more to ask for. */
static inline void leave_lines(struct csn_ring_reader *reader)
{
    reader->cursor = reader->left == 0 ? reader->end : reader->at / CSN_WIRE_LINE_SIZE;
    if (reader->cursor - reader->credit_given >= reader->line_count / RING_CREDIT_SHARE) {
        (void)csn_ring_give_credit(reader);
    }
    if (reader->left != 0) {
        ask_ahead(reader);
    }
}

csn_err csn_ring_read(struct csn_ring_reader *reader, void *target,
                      struct csn_ring_message *message)
{
    if (reader->fate != CSN_OK) {
        return reader->fate;
    }
    if (reader->left == 0) {
        CSN_TRY(take_run(reader));
    }
    uint32_t size = reader->size;
    uint32_t filled = padded(size);
    uint64_t at = reader->at;
    message->tag = reader->tag++;
    message->size = size;
    message->final = reader->final;
    csn_shared_copy_in(target, reader->lines, at & (ring_size(reader) - 1),
                       filled / RING_WORD_SIZE);
    if (filled != size) {
        __builtin_memset((uint8_t *)target + size, 0, filled - size);
    }
    reader->at = at + filled;
    if (--reader->left == 0 || reader->at / CSN_WIRE_LINE_SIZE != reader->cursor) {
        leave_lines(reader);
    }
    return CSN_OK;
}

/* Line by line, each given up when it is done with: then the producer finds it in no cache. */
static void take_bytes(struct csn_ring_reader *reader, uint8_t *target, uint32_t size)
{
    while (size != 0) {
        uint64_t offset = reader->at & (ring_size(reader) - 1);
        uint32_t rest = CSN_WIRE_LINE_SIZE - (uint32_t)(offset % CSN_WIRE_LINE_SIZE);
        uint32_t take = size < rest ? size : rest;
        csn_shared_copy_in(target, reader->lines, offset, take / RING_WORD_SIZE);
        target += take;
        size -= take;
        reader->at += take;
        if (take == rest) {
            csn_shared_give_up(reader->lines, offset_of(reader->cursor, reader->line_count));
            reader->cursor++;
            ask_ahead(reader);
        }
    }
}

csn_err csn_ring_read_many(struct csn_ring_reader *reader, void *target,
                           struct csn_ring_message *message, uint32_t *count)
{
    uint32_t wanted = *count;
    *count = 0;
    if (reader->fate != CSN_OK || wanted == 0) {
        return reader->fate;
    }
    if (reader->left == 0) {
        CSN_TRY(take_run(reader));
    }
    uint32_t some = wanted < reader->left ? wanted : reader->left;
    uint32_t filled = padded(reader->size);
    *message =
        (struct csn_ring_message){.tag = reader->tag, .size = reader->size, .final = reader->final};
    take_bytes(reader, target, some * filled);
    if (filled != reader->size) {
        for (uint32_t i = 0; i < some; i++) {
            __builtin_memset((uint8_t *)target + (uint64_t)i * filled + reader->size, 0,
                             filled - reader->size);
        }
    }
    reader->tag += some;
    reader->left -= some;
    *count = some;
    if (reader->left == 0 && reader->cursor != reader->end) {
        csn_shared_give_up(reader->lines, offset_of(reader->cursor, reader->line_count));
    }
    leave_lines(reader);
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
        uint64_t own = head_of(word).lines;
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
    return reader->fate == CSN_OK && (reader->left != 0 || take_head(reader, reader->cursor) != 0);
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
           reader->cursor - reader->credit_given < reader->line_count &&
           (reader->left == 0 ||
            (reader->size <= reader->size_max &&
             reader->cursor == reader->at / CSN_WIRE_LINE_SIZE &&
             reader->at + (uint64_t)reader->left * padded(reader->size) <=
                 reader->end * CSN_WIRE_LINE_SIZE &&
             reader->end - reader->cursor <= lines_to_end(reader->cursor, reader->line_count)));
}
