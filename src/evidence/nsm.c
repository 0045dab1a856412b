/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nsm.c: evidence through the Nitro Security Module of an AWS Nitro enclave: Linux's /dev/nsm.
 *
 * One request and one answer in CBOR, through one ioctl. The report data stands in the document's
 * `nonce`. Written from the kernel's header and AWS's description of the messages, and tested
 * against doubles: it has never run inside a Nitro enclave.
 *
 * Trust:    the answer is read strictly; what the document says is for the verifier.
 */
#include "verify/parse/cbor.h"
#include <caisson/evidence.h>
#include <caisson/verify.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define RESPONSE_SIZE_MAX 0x3000u /* the kernel's limit */

/* struct nsm_raw of linux/nsm.h (Linux 6.8), which older systems do not have. */
struct nsm_buffer {
    uint64_t address;
    uint64_t size;
};
struct nsm_message {
    struct nsm_buffer request;
    struct nsm_buffer response; /* size: of the buffer, then of the answer */
};
#define NSM_RAW _IOWR(0x0a, 0x0, struct nsm_message)
_Static_assert(NSM_RAW == 0xc0200a00, "the kernel's number");

static csn_err fail(struct csn_evidence_platform *platform, csn_err err, const char *path,
                    const char *what, const char *why)
{
    snprintf(platform->detail, sizeof platform->detail, "%.60s: %s: %.100s", path, what, why);
    return err;
}

static const char *name_of(const struct csn_evidence_nsm *nsm)
{
    return nsm->path != NULL ? nsm->path : "nsm";
}

static csn_err prepare(const void *state, struct csn_evidence_platform *platform)
{
    const struct csn_evidence_nsm *nsm = state;
    platform->type = CSN_WIRE_EVIDENCE_NITRO;
    if (nsm->exchange == NULL && access(nsm->path, F_OK) != 0) {
        return fail(platform, CSN_ERR_MISSING, nsm->path, "no Nitro Security Module",
                    strerror(errno));
    }
    return CSN_OK;
}

/* {"Attestation": {"user_data": null, "nonce": report data, "public_key": null}} */
static size_t make_request(const uint8_t report_data[64], uint8_t request[128])
{
    static const char before[] = "\xa1\x6b"
                                 "Attestation"
                                 "\xa3\x69"
                                 "user_data"
                                 "\xf6\x65"
                                 "nonce"
                                 "\x58\x40";
    static const char after[] = "\x6a"
                                "public_key"
                                "\xf6";
    uint8_t *at = request;
    memcpy(at, before, sizeof before - 1);
    at += sizeof before - 1;
    memcpy(at, report_data, 64);
    at += 64;
    memcpy(at, after, sizeof after - 1);
    at += sizeof after - 1;
    return (size_t)(at - request);
}

static csn_err exchange_device(const struct csn_evidence_nsm *nsm,
                               struct csn_evidence_platform *platform, const uint8_t *request,
                               size_t request_size, uint8_t *response, size_t *response_size)
{
    struct nsm_message message = {
        .request = {(uint64_t)(uintptr_t)request, request_size},
        .response = {(uint64_t)(uintptr_t)response, *response_size},
    };
    int fd = open(nsm->path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return fail(platform, CSN_ERR_SYSTEM, nsm->path, "open", strerror(errno));
    }
    int result = ioctl(fd, NSM_RAW, &message);
    int saved = errno;
    close(fd);
    if (result != 0) {
        return fail(platform, CSN_ERR_SYSTEM, nsm->path, "ioctl", strerror(saved));
    }
    if (message.response.size > *response_size) {
        return fail(platform, CSN_ERR_FORMAT, nsm->path, "answer", "longer than its buffer");
    }
    *response_size = (size_t)message.response.size;
    return CSN_OK;
}

/* A refusal's text goes to people: printable characters only. */
static csn_err refused(struct csn_evidence_platform *platform, const char *path,
                       const struct csv_cbor *error)
{
    char text[64] = "for no reason given";
    if (error->kind == CSV_CBOR_TEXT) {
        size_t size = error->bytes.size < sizeof text - 1 ? error->bytes.size : sizeof text - 1;
        for (size_t i = 0; i < size; i++) {
            uint8_t c = error->bytes.at[i];
            text[i] = c >= ' ' && c <= '~' ? (char)c : '?';
        }
        text[size] = 0;
    }
    return fail(platform, CSN_ERR_SYSTEM, path, "refused", text);
}

/* The document of {"Attestation": {"document": bytes}} becomes the evidence. */
static csn_err take_response(struct csn_evidence_platform *platform, const char *path,
                             struct csv_bytes response)
{
    struct csv_cbor root;
    struct csv_cbor inside;
    struct csv_cbor document;
    const char *why = NULL;
    if (!csv_cbor_open(response, &root, &why)) {
        return fail(platform, CSN_ERR_FORMAT, path, "answer", why);
    }
    if (csv_cbor_named(&root, "Error", &inside)) {
        return refused(platform, path, &inside);
    }
    if (root.kind != CSV_CBOR_MAP || root.number != 1 ||
        !csv_cbor_named(&root, "Attestation", &inside) || inside.number != 1 ||
        !csv_cbor_named(&inside, "document", &document) || document.kind != CSV_CBOR_BYTES ||
        document.bytes.size == 0) {
        return fail(platform, CSN_ERR_FORMAT, path, "answer", "not an attestation document");
    }
    return csn_evidence_part(platform, CSV_PART_EVIDENCE, document.bytes.at, document.bytes.size);
}

static csn_err sign(const void *state, const uint8_t report_data[64],
                    struct csn_evidence_platform *platform)
{
    const struct csn_evidence_nsm *nsm = state;
    uint8_t request[128];
    uint8_t response[RESPONSE_SIZE_MAX];
    size_t size = sizeof response;
    size_t request_size = make_request(report_data, request);
    platform->size = 0;
    if (nsm->exchange == NULL) {
        CSN_TRY(exchange_device(nsm, platform, request, request_size, response, &size));
    } else {
        csn_err result = nsm->exchange(nsm->context, request, request_size, response, &size);
        if (result != CSN_OK || size > sizeof response) {
            return fail(platform, result != CSN_OK ? result : CSN_ERR_FORMAT, name_of(nsm),
                        "exchange", "failed");
        }
    }
    return take_response(platform, name_of(nsm), (struct csv_bytes){response, size});
}

const struct csn_evidence_producer csn_evidence_nsm = {
    .name = "nsm", .prepare = prepare, .sign = sign};
