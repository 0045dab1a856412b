/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sgx_enclave.c: MRENCLAVE: SHA-256 over records of 64 bytes, one for each instruction that builds
 * the enclave, and the content that was measured. See sgx_enclave.h.
 */
#include "predict/sgx_enclave.h"
#include "verify/parse/read.h"
#include <openssl/evp.h>

#define RECORD_SIZE 64
#define CHUNK_SIZE  256
#define PAGE_SIZE   4096

enum tag { TAG_CREATE, TAG_ADD, TAG_EXTEND, TAG_UNMEASURED, TAG_COUNT };

static const char tags[TAG_COUNT][9] = {"ECREATE", "EADD\0\0\0", "EEXTEND", "UNMEASRD"};

struct stream {
    struct csv_reader reader;
    EVP_MD_CTX *digest;
    struct csv_sgx_enclave *enclave;
    uint64_t page; /* added last; others may not be extended */
};

static enum tag tag_of(const uint8_t *record)
{
    int tag = 0;
    while (tag < TAG_COUNT && memcmp(record, tags[tag], 8) != 0) {
        tag++;
    }
    return (enum tag)tag;
}

static const char *create(struct stream *stream, const uint8_t *record)
{
    struct csv_sgx_enclave *enclave = stream->enclave;
    enclave->ssa_frame_size = (uint32_t)csv_le(record + 8, 4);
    enclave->size = csv_le(record + 12, 8);
    bool power = enclave->size >= 2 * PAGE_SIZE && (enclave->size & (enclave->size - 1)) == 0;
    return power && enclave->ssa_frame_size != 0 && csv_is_zero(record + 20, 44)
               ? NULL
               : "ECREATE: size, SSA frame size or reserved bytes are not possible";
}

static const char *add_page(struct stream *stream, const uint8_t *record)
{
    uint64_t offset = csv_le(record + 8, 8);
    if (offset % PAGE_SIZE != 0 || offset >= stream->enclave->size ||
        !csv_is_zero(record + 24, RECORD_SIZE - 24)) {
        return "EADD: a page outside the enclave, or reserved bytes";
    }
    stream->page = offset;
    stream->enclave->page_count++;
    return NULL;
}

/* The chunk of content behind its record; unmeasured content stays out of the hash. */
static const char *extend(struct stream *stream, const uint8_t *record, bool measured)
{
    uint64_t offset = csv_le(record + 8, 8);
    const uint8_t *content = csv_read_bytes(&stream->reader, CHUNK_SIZE);
    if (content == NULL) {
        return "the stream ends inside a chunk";
    }
    if (stream->enclave->page_count == 0 || offset % CHUNK_SIZE != 0 ||
        offset - offset % PAGE_SIZE != stream->page ||
        !csv_is_zero(record + 16, RECORD_SIZE - 16)) {
        return "EEXTEND: a chunk outside the page that was added, or reserved bytes";
    }
    if (measured) {
        stream->enclave->measured += CHUNK_SIZE;
        return EVP_DigestUpdate(stream->digest, record, RECORD_SIZE) == 1 &&
                       EVP_DigestUpdate(stream->digest, content, CHUNK_SIZE) == 1
                   ? NULL
                   : "libcrypto failed";
    }
    return NULL;
}

static const char *read_record(struct stream *stream, bool first)
{
    const uint8_t *record = csv_read_bytes(&stream->reader, RECORD_SIZE);
    if (record == NULL) {
        return "the stream ends inside a record";
    }
    enum tag tag = tag_of(record);
    if (first != (tag == TAG_CREATE)) {
        return "ECREATE must be there once, and first";
    }
    if (tag == TAG_EXTEND || tag == TAG_UNMEASURED) {
        return extend(stream, record, tag == TAG_EXTEND);
    }
    const char *fault = tag == TAG_CREATE ? create(stream, record)
                        : tag == TAG_ADD  ? add_page(stream, record)
                                          : "an unknown record";
    return fault == NULL && EVP_DigestUpdate(stream->digest, record, RECORD_SIZE) != 1
               ? "libcrypto failed"
               : fault;
}

bool csv_sgx_measure(struct csv_bytes bytes, struct csv_sgx_enclave *enclave, const char **why)
{
    struct stream stream = {
        .reader = csv_read(bytes), .digest = EVP_MD_CTX_new(), .enclave = enclave};
    *enclave = (struct csv_sgx_enclave){.size = 0};
    *why = stream.digest != NULL && EVP_DigestInit_ex(stream.digest, EVP_sha256(), NULL) == 1
               ? NULL
               : "libcrypto failed";
    bool first = true;
    while (*why == NULL && (first || stream.reader.left != 0)) {
        *why = read_record(&stream, first);
        first = false;
    }
    if (*why == NULL && EVP_DigestFinal_ex(stream.digest, enclave->mrenclave, NULL) != 1) {
        *why = "libcrypto failed";
    }
    EVP_MD_CTX_free(stream.digest);
    return *why == NULL;
}
