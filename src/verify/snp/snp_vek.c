/* SPDX-License-Identifier: Apache-2.0 */
/* snp_vek.c: finding and reading the VEK. See snp_vek.h. */
#include "verify/snp/snp_vek.h"
#include "verify/parse/der.h"
#include "verify/text.h"

#define ARC            "1.3.6.1.4.1.3704.1."
#define TABLE_ROW_SIZE 24u /* GUID, offset, length */

/*
 * The host's cert_table: rows up to one of zeros, each with a place in these bytes. What a row
 * holds is told by its content alone: the GUIDs are the host's word, and it may name other things
 * than certificates, which are passed over.
 */
static bool read_table(struct csv_certs *certs, struct csv_bytes table)
{
    struct csv_reader rows = csv_read(table);
    for (size_t i = 0; i < CSV_CERT_COUNT_MAX; i++) {
        const uint8_t *row = csv_read_bytes(&rows, TABLE_ROW_SIZE);
        if (row == NULL) {
            return table.size == 0;
        }
        if (csv_is_zero(row, TABLE_ROW_SIZE)) {
            return true;
        }
        uint64_t offset = csv_le(row + 16, 4);
        uint64_t length = csv_le(row + 20, 4);
        if (offset > table.size || length > table.size - offset) {
            return false;
        }
        struct csv_bytes content = {table.at + offset, (size_t)length};
        size_t before = certs->count;
        if (!csv_certs_read(certs, content)) {
            certs->count = before;
        }
    }
    return false;
}

static bool read_chain_part(struct csv_certs *certs, struct csv_bytes bytes)
{
    bool text = bytes.size != 0 && (bytes.at[0] == '-' || bytes.at[0] == ' ' ||
                                    bytes.at[0] == '\n' || bytes.at[0] == '\r');
    bool der = bytes.size != 0 && bytes.at[0] == CSV_DER_SEQUENCE;
    return text || der ? csv_certs_read(certs, bytes) : read_table(certs, bytes);
}

static bool read_all(struct csv_case *appraisal, struct csv_certs *certs)
{
    const struct csv_part *part;
    if (!csv_certs_read_parts(certs, appraisal->input, CSV_PART_VEK)) {
        return false;
    }
    for (size_t i = 0; (part = csv_part(appraisal->input, CSV_PART_CHAIN, i)) != NULL; i++) {
        if (!read_chain_part(certs, part->bytes)) {
            return false;
        }
    }
    return true;
}

/* The first certificate with AMD's levels, of the kind wanted if there is one. */
static struct csv_cert *find_vek(const struct csv_certs *certs, bool vlek)
{
    struct csv_bytes value;
    struct csv_cert *found = NULL;
    for (size_t i = 0; i < certs->count; i++) {
        struct csv_cert *cert = certs->at[i];
        bool wanted = csv_extension(cert, ARC "5", &value) == vlek;
        if (csv_extension(cert, ARC "3.1", &value) && (found == NULL || wanted)) {
            found = cert;
            if (wanted) {
                break;
            }
        }
    }
    return found;
}

bool csv_snp_vek_find(struct csv_case *appraisal, bool vlek, struct csv_certs *certs,
                      struct csv_snp_vek *vek)
{
    bool all = read_all(appraisal, certs);
    if (!csv_note_if(appraisal, "snp.certificates", all, "certificates that can be read",
                     all ? "read" : "a part that is none")) {
        return false;
    }
    bool given = csv_part(appraisal->input, CSV_PART_VEK, 0) != NULL;
    vek->cert = given ? certs->at[0] : find_vek(certs, vlek);
    if (vek->cert == NULL) {
        csv_note(appraisal, "snp.vek", CSV_MISSING, vlek ? "a VLEK" : "the chip's VCEK",
                 "not supplied");
        return false;
    }
    return csv_note(appraisal, "snp.vek", CSV_PASSED, vlek ? "a VLEK" : "the chip's VCEK",
                    "supplied");
}

static bool read_number(const struct csv_cert *cert, const char *oid, uint64_t *number)
{
    struct csv_bytes value;
    struct csv_bytes content;
    if (!csv_extension(cert, oid, &value)) {
        return false;
    }
    struct csv_reader reader = csv_read(value);
    return csv_der_take(&reader, CSV_DER_INTEGER, &content) && reader.left == 0 &&
           csv_der_number(content, number);
}

/* NULL: absent or not an IA5String. */
static const char *read_text(struct csv_case *appraisal, const struct csv_cert *cert,
                             const char *oid)
{
    struct csv_bytes value;
    struct csv_bytes content;
    if (!csv_extension(cert, oid, &value)) {
        return NULL;
    }
    struct csv_reader reader = csv_read(value);
    bool good = csv_der_take(&reader, CSV_DER_IA5_STRING, &content) && reader.left == 0;
    return good ? csv_text_foreign(appraisal->arena, content.at, content.size) : NULL;
}

/* 64 or 8 bytes, bare or in an OCTET STRING: both are in use. */
static bool read_hwid(const struct csv_cert *cert, struct csv_bytes *hwid)
{
    struct csv_bytes value;
    struct csv_bytes content;
    if (!csv_extension(cert, ARC "4", &value)) {
        return false;
    }
    struct csv_reader reader = csv_read(value);
    bool wrapped = (value.size == 66 || value.size == 10) &&
                   csv_der_take(&reader, CSV_DER_OCTET_STRING, &content) && reader.left == 0;
    *hwid = wrapped ? content : value;
    return hwid->size == 64 || hwid->size == 8;
}

static bool read_levels(struct csv_case *appraisal, struct csv_snp_vek *vek)
{
    const struct csv_snp_component *components = csv_snp_components(vek->struct_version);
    for (size_t i = 0; components != NULL && i < CSV_SNP_TCB_SIZE; i++) {
        uint64_t level;
        if (!read_number(vek->cert, components[i].oid, &level) || level > UINT8_MAX) {
            return false;
        }
        vek->levels[components[i].at] = (uint8_t)level;
        csv_claim_number(appraisal, components[i].claim, level);
    }
    return components != NULL;
}

static void key_claim(struct csv_case *appraisal, const struct csv_cert *cert)
{
    uint8_t digest[32];
    if (csv_spki_sha256(cert, digest)) {
        csv_claim_bytes(appraisal, "spki_sha256", digest, sizeof digest);
    }
}

static const char *extension_fault(struct csv_case *appraisal, struct csv_snp_vek *vek)
{
    struct csv_bytes unused;
    key_claim(appraisal, vek->cert);
    vek->product = read_text(appraisal, vek->cert, ARC "2");
    if (!read_number(vek->cert, ARC "1", &vek->struct_version) || vek->product == NULL) {
        return "no structure version or no product name";
    }
    csv_claim_number(appraisal, "structVersion", vek->struct_version);
    csv_claim_text(appraisal, "productName", vek->product);
    csv_claim_text(appraisal, "vek_product", vek->product);
    if (!read_levels(appraisal, vek)) {
        return "the levels of an unknown structure, or not all of them";
    }
    bool has_hwid = csv_extension(vek->cert, ARC "4", &unused);
    if (has_hwid && !read_hwid(vek->cert, &vek->hwid)) {
        return "a chip identity of an unknown coding";
    }
    if (has_hwid) {
        csv_claim_bytes(appraisal, "hwID", vek->hwid.at, vek->hwid.size);
    }
    vek->csp = read_text(appraisal, vek->cert, ARC "5");
    if (vek->csp != NULL) {
        csv_claim_text(appraisal, "cspID", vek->csp);
    }
    return NULL;
}

void csv_snp_vek_read(struct csv_case *appraisal, struct csv_snp_vek *vek)
{
    const char *fault = extension_fault(appraisal, vek);
    vek->read = csv_note_if(appraisal, "snp.vek-extensions", fault == NULL,
                            "AMD's extensions, each once", fault == NULL ? "read" : fault);
}
