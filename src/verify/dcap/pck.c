/* SPDX-License-Identifier: Apache-2.0 */
/* pck.c: see pck.h. */
#include "verify/dcap/pck.h"
#include "verify/parse/der.h"
#include "verify/text.h"

#define EXTENSION "1.2.840.113741.1.13.1"

/* The same arc in DER; fields are its children. */
static const uint8_t arc[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};

enum field {
    FIELD_PPID = 1,
    FIELD_TCB = 2,
    FIELD_PCEID = 3,
    FIELD_FMSPC = 4,
    FIELD_SGX_TYPE = 5,
    FIELD_PIID = 6,
};
#define FIELDS_NEEDED 0x3eu /* bits of FIELD_PPID to FIELD_SGX_TYPE */

#define TCB_PCESVN 17
#define TCB_CPUSVN 18
#define TCB_NEEDED 0x7fffeu /* bits 1 to 18 */

static bool read_octets(uint8_t tag, struct csv_bytes value, uint8_t *target, size_t size)
{
    if (tag != CSV_DER_OCTET_STRING || value.size != size) {
        return false;
    }
    memcpy(target, value.at, size);
    return true;
}

static bool read_number(uint8_t tag, struct csv_bytes value, uint8_t expected, uint64_t most,
                        uint64_t *number)
{
    return tag == expected && csv_der_number(value, number) && *number <= most;
}

/* The next {OID, value} whose OID is prefix with one more arc: that arc, 0 for another OID. */
static bool next_pair(struct csv_reader *reader, const uint8_t *prefix, size_t prefix_size,
                      unsigned *child, uint8_t *tag, struct csv_bytes *value)
{
    struct csv_bytes pair;
    struct csv_bytes oid;
    if (!csv_der_take(reader, CSV_DER_SEQUENCE, &pair)) {
        return false;
    }
    struct csv_reader inside = csv_read(pair);
    if (!csv_der_take(&inside, CSV_DER_OID, &oid) || !csv_der_next(&inside, tag, value) ||
        inside.left != 0) {
        return false;
    }
    bool ours = oid.size == prefix_size + 1 && memcmp(oid.at, prefix, prefix_size) == 0;
    *child = ours ? oid.at[prefix_size] : 0;
    return true;
}

/* Sets the bit of a field; false if it was there before. */
static bool note_once(uint32_t *seen, unsigned child)
{
    uint32_t bit = child < 32 ? UINT32_C(1) << child : 0;
    bool first = (*seen & bit) == 0;
    *seen |= bit;
    return first;
}

static bool read_tcb(struct csv_bytes content, struct csv_pck *pck)
{
    uint8_t prefix[sizeof arc + 1];
    struct csv_reader reader = csv_read(content);
    uint32_t seen = 0;
    memcpy(prefix, arc, sizeof arc);
    prefix[sizeof arc] = FIELD_TCB;
    while (reader.left != 0) {
        unsigned child;
        uint8_t tag;
        struct csv_bytes value;
        uint64_t number = 0;
        if (!next_pair(&reader, prefix, sizeof prefix, &child, &tag, &value) ||
            (child != 0 && !note_once(&seen, child))) {
            return false;
        }
        bool good = true;
        if (child >= 1 && child <= 16) {
            good = read_number(tag, value, CSV_DER_INTEGER, 255, &number);
            pck->comp[child - 1] = (uint8_t)number;
        } else if (child == TCB_PCESVN) {
            good = read_number(tag, value, CSV_DER_INTEGER, 65535, &number);
            pck->pcesvn = (uint16_t)number;
        } else if (child == TCB_CPUSVN) {
            good = read_octets(tag, value, pck->cpusvn, sizeof pck->cpusvn);
        }
        if (!good) {
            return false;
        }
    }
    return (seen & TCB_NEEDED) == TCB_NEEDED;
}

static bool read_field(unsigned field, uint8_t tag, struct csv_bytes value, struct csv_pck *pck)
{
    uint64_t number = 0;
    bool good = true;
    switch (field) {
    case FIELD_PPID:
        return read_octets(tag, value, pck->ppid, sizeof pck->ppid);
    case FIELD_TCB:
        return tag == CSV_DER_SEQUENCE && read_tcb(value, pck);
    case FIELD_PCEID:
        return read_octets(tag, value, pck->pceid, sizeof pck->pceid);
    case FIELD_FMSPC:
        return read_octets(tag, value, pck->fmspc, sizeof pck->fmspc);
    case FIELD_SGX_TYPE:
        good = read_number(tag, value, CSV_DER_ENUMERATED, 255, &number);
        pck->sgx_type = (uint8_t)number;
        return good;
    case FIELD_PIID:
        pck->piid_given = true;
        return read_octets(tag, value, pck->piid, sizeof pck->piid);
    default:
        return true;
    }
}

bool csv_pck_is(const struct csv_cert *cert)
{
    struct csv_bytes content;
    return csv_extension(cert, EXTENSION, &content);
}

bool csv_pck_read(const struct csv_cert *cert, struct csv_pck *pck)
{
    struct csv_bytes content;
    struct csv_bytes fields;
    uint32_t seen = 0;
    *pck = (struct csv_pck){0};
    if (!csv_extension(cert, EXTENSION, &content)) {
        return false;
    }
    struct csv_reader outer = csv_read(content);
    if (!csv_der_take(&outer, CSV_DER_SEQUENCE, &fields) || outer.left != 0) {
        return false;
    }
    struct csv_reader reader = csv_read(fields);
    while (reader.left != 0) {
        unsigned field;
        uint8_t tag;
        struct csv_bytes value;
        if (!next_pair(&reader, arc, sizeof arc, &field, &tag, &value) ||
            (field != 0 && !note_once(&seen, field)) || !read_field(field, tag, value, pck)) {
            return false;
        }
    }
    return (seen & FIELDS_NEEDED) == FIELDS_NEEDED;
}

/* As a number: "0x…" without leading zeros. */
static const char *serial_text(struct csv_arena *arena, const struct csv_cert *cert)
{
    const char *hex = csv_text_hex(arena, cert->serial.at, cert->serial.size);
    while (hex[0] == '0' && hex[1] != 0) {
        hex++;
    }
    return csv_text(arena, "0x%s", hex);
}

/* The issuer's common name, with '_' for blanks. */
static const char *issuer_text(struct csv_arena *arena, const struct csv_cert *cert)
{
    const char *name = csv_name_common(cert->issuer, arena);
    char *text = csv_take(arena, strlen(name) + 1, 1);
    for (size_t i = 0; text != NULL && name[i] != 0; i++) {
        text[i] = name[i] == ' ' ? '_' : name[i];
    }
    return text != NULL ? text : "";
}

void csv_pck_claims(struct csv_case *appraisal, const struct csv_cert *cert,
                    const struct csv_pck *pck)
{
    const char *comp = "";
    for (size_t i = 0; i < sizeof pck->comp; i++) {
        comp = csv_text(appraisal->arena, "%s%s%u", comp, i == 0 ? "" : ",", pck->comp[i]);
    }
    csv_claim_text(appraisal, "pck_ca", issuer_text(appraisal->arena, cert));
    csv_claim_text(appraisal, "pck_serial", serial_text(appraisal->arena, cert));
    csv_claim_bytes(appraisal, "fmspc", pck->fmspc, sizeof pck->fmspc);
    csv_claim_bytes(appraisal, "pceid", pck->pceid, sizeof pck->pceid);
    csv_claim_text(appraisal, "pck_comp", comp);
    csv_claim_number(appraisal, "pck_pcesvn", pck->pcesvn);
    csv_claim_bytes(appraisal, "ppid", pck->ppid, sizeof pck->ppid);
    csv_claim_bytes(appraisal, "pck_cpusvn", pck->cpusvn, sizeof pck->cpusvn);
    if (pck->piid_given) {
        csv_claim_bytes(appraisal, "piid", pck->piid, sizeof pck->piid);
    }
}
