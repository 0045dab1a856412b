/* SPDX-License-Identifier: Apache-2.0 */
/* nitro.c: see nitro.h. */
#include "predict/nitro.h"
#include "verify/parse/cose.h"
#include "verify/x509/cert.h"
#include "verify/x509/pem.h"
#include <stdlib.h>
#include <string.h>

#define HEADER_SIZE          548
#define CRC_OFFSET           544 /* the header's last word */
#define SECTION_COUNT_MAX    32
#define VERSION_MIN          2 /* from there on with a CRC */
#define VERSION_MAX          4
#define CERTIFICATE_SIZE_MAX 16384

enum section_type { KERNEL = 1, COMMAND_LINE, RAMDISK, SIGNATURE, METADATA };

struct layout {
    size_t count;
    uint64_t offsets[SECTION_COUNT_MAX];
    uint64_t sizes[SECTION_COUNT_MAX];
};

/* What goes into each register. */
struct measuring {
    EVP_MD_CTX *all;
    EVP_MD_CTX *boot;
    EVP_MD_CTX *application;
    size_t counts[METADATA + 1];
    struct csv_bytes signature;
};

/* CRC-32 as in ISO-HDLC (zip). */
static void crc_start(uint32_t table[256])
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++) {
            value = value >> 1 ^ ((value & 1) != 0 ? UINT32_C(0xedb88320) : 0);
        }
        table[i] = value;
    }
}

static uint32_t crc_add(const uint32_t table[256], uint32_t crc, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 0xff];
    }
    return crc;
}

/* Over all but its own word. */
static bool crc_is_right(struct csv_bytes file, uint32_t wanted)
{
    uint32_t table[256];
    crc_start(table);
    uint32_t crc = crc_add(table, UINT32_MAX, file.at, CRC_OFFSET);
    crc = crc_add(table, crc, file.at + HEADER_SIZE, file.size - HEADER_SIZE);
    return (crc ^ UINT32_MAX) == wanted;
}

static const char *header_fault(struct csv_bytes file, struct layout *layout)
{
    struct csv_reader reader = csv_read(file);
    const uint8_t *magic = csv_read_bytes(&reader, 4);
    uint64_t version = csv_read_be(&reader, 2);
    csv_read_bytes(&reader, 2 + 8 + 8 + 2); /* flags, memory, processors, reserved */
    layout->count = csv_read_be(&reader, 2);
    for (size_t i = 0; i < SECTION_COUNT_MAX; i++) {
        layout->offsets[i] = csv_read_be(&reader, 8);
    }
    for (size_t i = 0; i < SECTION_COUNT_MAX; i++) {
        layout->sizes[i] = csv_read_be(&reader, 8);
    }
    csv_read_bytes(&reader, 4);
    uint64_t crc = csv_read_be(&reader, 4);
    return reader.failed || memcmp(magic, ".eif", 4) != 0            ? "not an EIF"
           : version < VERSION_MIN || version > VERSION_MAX          ? "a version that is not known"
           : layout->count == 0 || layout->count > SECTION_COUNT_MAX ? "no section, or too many"
           : !crc_is_right(file, (uint32_t)crc) ? "the checksum is wrong: a damaged file"
                                                : NULL;
}

static bool measure(struct measuring *measuring, uint64_t type, struct csv_bytes bytes)
{
    bool first = type != RAMDISK || measuring->counts[RAMDISK] == 0;
    if (type == SIGNATURE || type == METADATA) {
        measuring->signature = type == SIGNATURE ? bytes : measuring->signature;
        return true;
    }
    return EVP_DigestUpdate(measuring->all, bytes.at, bytes.size) == 1 &&
           EVP_DigestUpdate(first ? measuring->boot : measuring->application, bytes.at,
                            bytes.size) == 1;
}

/* The sections lie one behind the other, as header and section headers both say. */
static const char *sections_fault(struct csv_bytes file, const struct layout *layout,
                                  struct measuring *measuring)
{
    struct csv_reader reader = csv_read(file);
    csv_read_bytes(&reader, HEADER_SIZE);
    for (size_t i = 0; i < layout->count; i++) {
        uint64_t offset = (uint64_t)(reader.at - file.at);
        uint64_t type = csv_read_be(&reader, 2);
        csv_read_be(&reader, 2);
        uint64_t size = csv_read_be(&reader, 8);
        if (reader.failed || offset != layout->offsets[i] || size != layout->sizes[i] ||
            size > reader.left) {
            return "a section that is not where the header has it";
        }
        if (type < KERNEL || type > METADATA) {
            return "a section of a kind that is not known";
        }
        if (!measure(measuring, type, csv_read_run(&reader, size))) {
            return "libcrypto failed";
        }
        measuring->counts[type]++;
    }
    const size_t *counts = measuring->counts;
    return reader.left != 0 ? "something follows the last section"
           : counts[KERNEL] != 1 || counts[COMMAND_LINE] != 1 || counts[RAMDISK] == 0 ||
                   counts[SIGNATURE] > 1 || counts[METADATA] > 1
               ? "not one kernel, one command line and at least one ramdisk"
               : NULL;
}

/* SHA-384(48 zeros || digest) */
static bool extend(const uint8_t digest[48], uint8_t pcr[48])
{
    uint8_t input[96] = {0};
    memcpy(input + 48, digest, 48);
    return EVP_Digest(input, sizeof input, pcr, NULL, EVP_sha384(), NULL) == 1;
}

static bool finish(EVP_MD_CTX *context, uint8_t pcr[48])
{
    uint8_t digest[48];
    return EVP_DigestFinal_ex(context, digest, NULL) == 1 && extend(digest, pcr);
}

/* ---- the signature section: a list with one {signing_certificate, signature} ---- */

/* Bytes, or a list of numbers that are bytes: what the tool that makes these files writes. */
static bool read_bytes(const struct csv_cbor *map, const char *name, uint8_t *target,
                       struct csv_bytes *bytes)
{
    struct csv_cbor value;
    if (!csv_cbor_named(map, name, &value)) {
        return false;
    }
    *bytes = value.bytes;
    if (value.kind == CSV_CBOR_BYTES) {
        return true;
    }
    struct csv_reader reader = csv_cbor_inside(&value);
    *bytes = (struct csv_bytes){target, 0};
    if (value.kind != CSV_CBOR_ARRAY || value.number > CERTIFICATE_SIZE_MAX) {
        return false;
    }
    while (bytes->size < value.number) {
        struct csv_cbor item;
        if (!csv_cbor_next(&reader, &item) || item.kind != CSV_CBOR_UINT || item.number > 255) {
            return false;
        }
        target[bytes->size++] = (uint8_t)item.number;
    }
    return true;
}

/* Is the message {register_index: 0, register_value: PCR0}, signed by this key? */
static bool signs(struct csv_bytes message, EVP_PKEY *key, const uint8_t pcr0[48])
{
    uint8_t room[CERTIFICATE_SIZE_MAX];
    struct csv_cose cose;
    struct csv_cbor payload;
    struct csv_cbor index;
    struct csv_bytes value;
    const char *why;
    return csv_cose_open(message, &cose, &why) && csv_cose_check(&cose, key, &why) &&
           csv_cbor_open(cose.payload, &payload, &why) &&
           csv_cbor_named(&payload, "register_index", &index) && index.kind == CSV_CBOR_UINT &&
           index.number == 0 && read_bytes(&payload, "register_value", room, &value) &&
           value.size == 48 && memcmp(value.at, pcr0, 48) == 0;
}

static bool measure_certificate(struct csv_bytes der, uint8_t pcr[48])
{
    uint8_t digest[48];
    return EVP_Digest(der.at, der.size, digest, NULL, EVP_sha384(), NULL) == 1 &&
           extend(digest, pcr);
}

/* The first certificate of the section, and the message. */
static const char *certificate_fault(struct csv_bytes pem, struct csv_bytes message,
                                     struct csv_arena *arena, struct csv_eif *eif)
{
    struct csv_bytes der;
    struct csv_cert cert;
    size_t size;
    if (!csv_pem_next(&pem, "CERTIFICATE", arena, &der) || !csv_cert_read(&cert, der, &size) ||
        size != der.size) {
        return "no certificate in the signature";
    }
    if (!measure_certificate(der, eif->pcr8)) {
        return "libcrypto failed";
    }
    eif->is_signed = true;
    eif->signature_good = signs(message, csv_cert_key(&cert), eif->pcr0);
    EVP_PKEY_free(cert.key);
    return NULL;
}

static const char *signature_fault(struct csv_bytes section, struct csv_eif *eif)
{
    uint8_t rooms[2][CERTIFICATE_SIZE_MAX];
    struct csv_arena arena = {.size = 4 * CERTIFICATE_SIZE_MAX};
    struct csv_cbor item;
    struct csv_bytes pem;
    struct csv_bytes message;
    const char *why;
    if (!csv_cbor_open(section, &item, &why)) {
        return why;
    }
    struct csv_reader reader = csv_cbor_inside(&item);
    if (item.kind != CSV_CBOR_ARRAY || item.number == 0 || !csv_cbor_next(&reader, &item) ||
        !read_bytes(&item, "signing_certificate", rooms[0], &pem) ||
        !read_bytes(&item, "signature", rooms[1], &message)) {
        return "the signature is not a list of certificate and message";
    }
    arena.base = malloc(arena.size);
    why = arena.base != NULL ? certificate_fault(pem, message, &arena, eif) : "out of memory";
    free(arena.base);
    return why;
}

bool csv_eif_predict(struct csv_bytes file, struct csv_eif *eif, const char **why)
{
    struct layout layout;
    struct measuring measuring = {
        .all = EVP_MD_CTX_new(), .boot = EVP_MD_CTX_new(), .application = EVP_MD_CTX_new()};
    *eif = (struct csv_eif){0};
    *why = header_fault(file, &layout);
    if (*why == NULL && (EVP_DigestInit_ex(measuring.all, EVP_sha384(), NULL) != 1 ||
                         EVP_DigestInit_ex(measuring.boot, EVP_sha384(), NULL) != 1 ||
                         EVP_DigestInit_ex(measuring.application, EVP_sha384(), NULL) != 1)) {
        *why = "libcrypto failed";
    }
    *why = *why == NULL ? sections_fault(file, &layout, &measuring) : *why;
    if (*why == NULL && (!finish(measuring.all, eif->pcr0) || !finish(measuring.boot, eif->pcr1) ||
                         !finish(measuring.application, eif->pcr2))) {
        *why = "libcrypto failed";
    }
    if (*why == NULL && measuring.counts[SIGNATURE] != 0) {
        *why = signature_fault(measuring.signature, eif);
    }
    EVP_MD_CTX_free(measuring.all);
    EVP_MD_CTX_free(measuring.boot);
    EVP_MD_CTX_free(measuring.application);
    return *why == NULL;
}
