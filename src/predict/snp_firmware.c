/* SPDX-License-Identifier: Apache-2.0 */
/* snp_firmware.c: see snp_firmware.h. All GUIDs are little-endian in their first three parts. */
#include "predict/snp_firmware.h"

#define GUID_SIZE 16u
#define ROW_SIZE  (GUID_SIZE + 2u) /* behind its data, each row has its size and its GUID */

static const uint8_t guid_footer[GUID_SIZE] = {0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45,
                                               0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d};
static const uint8_t guid_metadata[GUID_SIZE] = {0x66, 0x65, 0x88, 0xdc, 0x4a, 0x98, 0x98, 0x47,
                                                 0xa7, 0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67, 0xcc};
static const uint8_t guid_reset[GUID_SIZE] = {0xde, 0x71, 0xf7, 0x00, 0x7e, 0x1a, 0xcb, 0x4f,
                                              0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e};
static const uint8_t guid_hashes[GUID_SIZE] = {0x1f, 0x37, 0x55, 0x72, 0x3b, 0x3a, 0x04, 0x4b,
                                               0x92, 0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54};

struct table {
    bool metadata_given;
    uint32_t metadata; /* bytes from the firmware's end */
};

static bool is_guid(const uint8_t *at, const uint8_t guid[GUID_SIZE])
{
    return memcmp(at, guid, GUID_SIZE) == 0;
}

static void take_row(struct csv_bytes data, const uint8_t *guid, struct table *table,
                     struct csv_snp_firmware *firmware)
{
    if (data.size < 4) {
        return;
    }
    uint32_t word = (uint32_t)csv_le(data.at, 4);
    if (is_guid(guid, guid_metadata)) {
        table->metadata_given = true;
        table->metadata = word;
    } else if (is_guid(guid, guid_reset)) {
        firmware->reset_given = true;
        firmware->reset = word;
    } else if (is_guid(guid, guid_hashes)) {
        firmware->hashes_given = true;
        firmware->hashes = word;
    }
}

/* The rows stand in front of the footer, the last first. */
static bool read_table(struct csv_bytes bytes, struct table *table,
                       struct csv_snp_firmware *firmware)
{
    if (bytes.size < 32 + ROW_SIZE) {
        return false;
    }
    const uint8_t *end = bytes.at + bytes.size - 32;
    size_t size = (size_t)csv_le(end - ROW_SIZE, 2); /* of the table, footer counted */
    if (!is_guid(end - GUID_SIZE, guid_footer) || size < ROW_SIZE ||
        size > (size_t)(end - bytes.at)) {
        return false;
    }
    const uint8_t *start = end - size;
    const uint8_t *at = end - ROW_SIZE;
    while ((size_t)(at - start) >= ROW_SIZE) {
        size_t row = (size_t)csv_le(at - ROW_SIZE, 2);
        if (row < ROW_SIZE || row > (size_t)(at - start)) {
            return false;
        }
        take_row((struct csv_bytes){at - row, row - ROW_SIZE}, at - GUID_SIZE, table, firmware);
        at -= row;
    }
    return at == start;
}

static bool read_sections(struct csv_bytes bytes, uint32_t from_end,
                          struct csv_snp_firmware *firmware)
{
    if (from_end > bytes.size) {
        return false;
    }
    struct csv_reader reader =
        csv_read((struct csv_bytes){bytes.at + bytes.size - from_end, from_end});
    const uint8_t *magic = csv_read_bytes(&reader, 4);
    csv_read_le(&reader, 4); /* its size follows from the count */
    uint64_t version = csv_read_le(&reader, 4);
    uint64_t count = csv_read_le(&reader, 4);
    if (reader.failed || memcmp(magic, "ASEV", 4) != 0 || version != 1 ||
        count > CSV_SNP_SECTION_MAX) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        firmware->sections[i].address = (uint32_t)csv_read_le(&reader, 4);
        firmware->sections[i].size = (uint32_t)csv_read_le(&reader, 4);
        firmware->sections[i].type = (uint32_t)csv_read_le(&reader, 4);
    }
    firmware->section_count = (size_t)count;
    return !reader.failed;
}

bool csv_snp_firmware_read(struct csv_bytes bytes, struct csv_snp_firmware *firmware,
                           const char **why)
{
    struct table table = {0};
    *firmware = (struct csv_snp_firmware){0};
    if (!read_table(bytes, &table, firmware)) {
        *why = "no table of GUIDs at the firmware's end: is this OVMF?";
        return false;
    }
    if (!table.metadata_given || !read_sections(bytes, table.metadata, firmware)) {
        *why = "no SEV metadata in the firmware: it was built without SNP";
        return false;
    }
    return true;
}
