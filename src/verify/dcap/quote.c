/* SPDX-License-Identifier: Apache-2.0 */
/* quote.c: see quote.h. Every length is checked against what is left of the one around it. */
#include "verify/dcap/quote.h"
#include "verify/parse/read.h"

#define KEY_TYPE_P256 2

uint32_t csv_quote_tee(struct csv_bytes bytes)
{
    if (bytes.size < CSV_QUOTE_HEADER_SIZE) {
        return UINT32_MAX;
    }
    uint64_t version = csv_le(bytes.at, 2);
    uint64_t tee = csv_le(bytes.at + 4, 4);
    bool known = version >= 3 && version <= 5 && (tee == CSV_TEE_SGX || tee == CSV_TEE_TDX);
    return known && !(version == 3 && tee != CSV_TEE_SGX) ? (uint32_t)tee : UINT32_MAX;
}

static const char *read_header(struct csv_reader *reader, struct csv_quote *quote)
{
    struct csv_bytes bytes = {reader->at, reader->left};
    quote->header = csv_read_bytes(reader, CSV_QUOTE_HEADER_SIZE);
    if (quote->header == NULL) {
        return "shorter than its header";
    }
    quote->version = (uint16_t)csv_le(quote->header, 2);
    quote->tee_type = csv_quote_tee(bytes);
    if (quote->tee_type == UINT32_MAX) {
        return "an unknown version, or a TEE type that it does not have";
    }
    return csv_le(quote->header + 2, 2) == KEY_TYPE_P256 ? NULL
                                                         : "not an ECDSA P-256 attestation key";
}

/* Version 5 says type and size; before, both follow from the TEE. */
static const char *read_body(struct csv_reader *reader, struct csv_quote *quote)
{
    static const uint32_t sizes[] = {
        [CSV_QUOTE_BODY_SGX] = CSV_SGX_BODY_SIZE,
        [CSV_QUOTE_BODY_TD10] = CSV_TD10_BODY_SIZE,
        [CSV_QUOTE_BODY_TD15] = CSV_TD15_BODY_SIZE,
        [CSV_QUOTE_BODY_TD15EX] = CSV_TD15EX_BODY_SIZE,
    };
    bool sgx = quote->tee_type == CSV_TEE_SGX;
    quote->body_type = sgx ? CSV_QUOTE_BODY_SGX : CSV_QUOTE_BODY_TD10;
    uint32_t size = sizes[quote->body_type];
    if (quote->version == 5) {
        quote->body_type = (uint16_t)csv_read_le(reader, 2);
        size = (uint32_t)csv_read_le(reader, 4);
        if (quote->body_type < CSV_QUOTE_BODY_SGX || quote->body_type > CSV_QUOTE_BODY_TD15EX ||
            size != sizes[quote->body_type]) {
            return "an unknown body, or one of another size than its type's";
        }
        if ((quote->body_type == CSV_QUOTE_BODY_SGX) != sgx) {
            return "the body is not that of the TEE";
        }
    }
    quote->body = csv_read_run(reader, size);
    return reader->failed ? "shorter than its body" : NULL;
}

/* QE report, its signature, authentication data, certification data: all that reader holds. */
static const char *read_qe(struct csv_reader *reader, struct csv_quote *quote)
{
    quote->qe_report = csv_read_bytes(reader, CSV_SGX_BODY_SIZE);
    quote->qe_signature = csv_read_bytes(reader, 64);
    quote->auth = csv_read_run(reader, (size_t)csv_read_le(reader, 2));
    quote->cert_type = (uint16_t)csv_read_le(reader, 2);
    quote->cert = csv_read_run(reader, (size_t)csv_read_le(reader, 4));
    if (reader->failed || reader->left != 0) {
        return "lengths of the signature data that do not add up";
    }
    return quote->cert_type >= CSV_QUOTE_PPID && quote->cert_type <= CSV_QUOTE_PCK_CHAIN
               ? NULL
               : "an unknown type of certification data";
}

static const char *read_signature(struct csv_reader *reader, struct csv_quote *quote)
{
    struct csv_reader inside = csv_read(csv_read_run(reader, (size_t)csv_read_le(reader, 4)));
    if (reader->failed) {
        return "shorter than its signature data";
    }
    quote->trailing = (struct csv_bytes){reader->at, reader->left};
    quote->signature = csv_read_bytes(&inside, 64);
    quote->key = csv_read_bytes(&inside, 64);
    if (quote->version == 3) {
        return read_qe(&inside, quote);
    }
    uint64_t type = csv_read_le(&inside, 2);
    struct csv_reader wrapped = csv_read(csv_read_run(&inside, (size_t)csv_read_le(&inside, 4)));
    if (inside.failed || inside.left != 0 || type != CSV_QUOTE_QE_REPORT) {
        return "certification data that holds no QE report, or lengths that do not add up";
    }
    return read_qe(&wrapped, quote);
}

const char *csv_quote_parse(struct csv_bytes bytes, struct csv_quote *quote)
{
    struct csv_reader reader = csv_read(bytes);
    *quote = (struct csv_quote){0};
    const char *fault = read_header(&reader, quote);
    fault = fault == NULL ? read_body(&reader, quote) : fault;
    if (fault != NULL) {
        return fault;
    }
    quote->signed_bytes = (struct csv_bytes){bytes.at, bytes.size - reader.left};
    return read_signature(&reader, quote);
}
