/* SPDX-License-Identifier: Apache-2.0 */
/* pack_file.c: sealed files on a disk. */
#include "core/bytes.h"
#include "pack.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

void csn_pack_key_id(const uint8_t key[CSN_WEIGHTS_KEY_SIZE], uint8_t id[32])
{
    static const char label[] = "caisson-weights-key-id-v1";
    struct csn_sha256 hash;
    csn_sha256_init(&hash);
    csn_sha256_update(&hash, label, sizeof label - 1);
    csn_sha256_update(&hash, key, CSN_WEIGHTS_KEY_SIZE);
    csn_sha256_final(&hash, id);
    csn_wipe(&hash, sizeof hash);
}

static bool write_whole(int fd, const uint8_t *bytes, size_t size)
{
    while (size != 0) {
        ssize_t put = write(fd, bytes, size);
        if (put < 0 && errno != EINTR) {
            return false;
        }
        bytes += put < 0 ? 0 : put;
        size -= put < 0 ? 0 : (size_t)put;
    }
    return true;
}

/* CSN_ERR_FORMAT: the file ends before. */
static csn_err read_whole(int fd, uint8_t *bytes, size_t size)
{
    while (size != 0) {
        ssize_t got = read(fd, bytes, size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0 ? CSN_ERR_SYSTEM : CSN_ERR_FORMAT;
        }
        bytes += got;
        size -= (size_t)got;
    }
    return CSN_OK;
}

static csn_err expect_end(int fd)
{
    uint8_t more;
    csn_err err = read_whole(fd, &more, 1);
    return err == CSN_OK ? CSN_ERR_FORMAT : err == CSN_ERR_FORMAT ? CSN_OK : err;
}

static csn_err seal_chunks(struct csn_weights_writer *writer,
                           const struct csn_pack_content *content, int fd)
{
    uint8_t *piece = malloc(CSN_WIRE_WEIGHTS_PIECE_SIZE);
    bool good = write_whole(fd, (const uint8_t *)&writer->header, sizeof writer->header);
    if (piece == NULL) {
        return CSN_ERR_MEMORY;
    }
    for (uint64_t at = 0; at < content->size && good; at += CSN_WIRE_WEIGHTS_CHUNK_SIZE) {
        const uint64_t left = content->size - at;
        const uint32_t size =
            left < CSN_WIRE_WEIGHTS_CHUNK_SIZE ? (uint32_t)left : CSN_WIRE_WEIGHTS_CHUNK_SIZE;
        csn_weights_write_chunk(writer, content->bytes + at, size, piece);
        good = write_whole(fd, piece, (size_t)size + CSN_WIRE_WEIGHTS_TAG_SIZE);
    }
    free(piece);
    return good ? CSN_OK : CSN_ERR_SYSTEM;
}

csn_err csn_pack_seal(const struct csn_pack_content *content,
                      const uint8_t key[CSN_WEIGHTS_KEY_SIZE], int fd, uint8_t digest[32])
{
    struct csn_weights_writer writer;
    uint8_t salt[32];
    uint8_t hash[32];
    if (getrandom(salt, sizeof salt, 0) != (ssize_t)sizeof salt) {
        return CSN_ERR_ENTROPY;
    }
    csn_sha256(content->bytes, content->size, hash);
    const struct csn_weights_new wanted = {key, salt, hash, content->size, content->kind};
    CSN_TRY(csn_weights_write_begin(&writer, &wanted));
    csn_err err = seal_chunks(&writer, content, fd);
    csn_weights_write_end(&writer, digest);
    return err;
}

csn_err csn_pack_digest(int fd, struct csn_wire_weights *header, uint8_t digest[32])
{
    struct csn_sha256 sum;
    CSN_TRY(read_whole(fd, (uint8_t *)header, sizeof *header));
    CSN_TRY(csn_weights_check(header));
    uint8_t *piece = malloc(CSN_WIRE_WEIGHTS_PIECE_SIZE);
    if (piece == NULL) {
        return CSN_ERR_MEMORY;
    }
    csn_sha256_init(&sum);
    csn_sha256_update(&sum, header, sizeof *header);
    csn_err err = CSN_OK;
    for (uint64_t left = header->content_size; left != 0 && err == CSN_OK;) {
        const size_t size = left < CSN_WIRE_WEIGHTS_CHUNK_SIZE ? left : CSN_WIRE_WEIGHTS_CHUNK_SIZE;
        err = read_whole(fd, piece, size + CSN_WIRE_WEIGHTS_TAG_SIZE);
        csn_sha256_update(&sum, piece + size, CSN_WIRE_WEIGHTS_TAG_SIZE);
        left -= size;
    }
    csn_sha256_final(&sum, digest);
    free(piece);
    return err == CSN_OK ? expect_end(fd) : err;
}

static csn_err open_chunks(int fd, struct csn_weights_reader *reader)
{
    uint8_t *piece = malloc(CSN_WIRE_WEIGHTS_PIECE_SIZE);
    csn_err err = piece != NULL ? CSN_OK : CSN_ERR_MEMORY;
    for (uint32_t size = csn_weights_read_next(reader); size != 0 && err == CSN_OK;
         size = csn_weights_read_next(reader)) {
        err = read_whole(fd, piece, size);
        if (err == CSN_OK) {
            err = csn_weights_read_chunk(reader, piece);
        }
    }
    free(piece);
    return err == CSN_OK ? expect_end(fd) : err;
}

csn_err csn_pack_open(int fd, const struct csn_wire_weights_ref *ref, void *memory,
                      uint64_t memory_size, uint64_t *size)
{
    struct csn_wire_weights header;
    struct csn_weights_reader reader;
    CSN_TRY(read_whole(fd, (uint8_t *)&header, sizeof header));
    csn_err err =
        csn_weights_read_begin(&reader, ref, (const uint8_t *)&header, memory, memory_size);
    if (err == CSN_OK) {
        err = open_chunks(fd, &reader);
    }
    uint64_t found = 0;
    csn_err end = csn_weights_read_end(&reader, &found);
    if (err == CSN_OK) {
        err = end;
    } else if (end == CSN_OK) {
        csn_wipe(memory, found);
    }
    if (err == CSN_OK) {
        *size = found;
    }
    return err;
}
