/* SPDX-License-Identifier: Apache-2.0 */
/* evidence_parse.c: strict framing of a bundle. Says where the parts lie, judges nothing else. */
#include "verify/caisson/bundle.h"
#include <string.h>

static bool name_is_terminated(const char name[32])
{
    size_t size = strnlen(name, 32);
    if (size == 0 || size == 32) {
        return false;
    }
    for (size_t i = 0; i < 32; i++) {
        char c = name[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
        if (i < size ? !letter : c != 0) {
            return false;
        }
    }
    return true;
}

static const char *head_fault(const struct csn_wire_evidence *head)
{
    if (head->magic != CSN_WIRE_EVIDENCE_MAGIC) {
        return "not a Caisson evidence bundle (magic)";
    }
    if (head->version != CSN_WIRE_EVIDENCE_VERSION) {
        return "unknown bundle version";
    }
    if (head->reserved != 0 || head->reserved2 != 0) {
        return "reserved fields are not zero";
    }
    if (head->debug > 1) {
        return "debug is neither 0 nor 1";
    }
    if (head->path_depth > CSN_WIRE_EVIDENCE_DEPTH_MAX) {
        return "nonce path deeper than 16";
    }
    if (head->leaf_index >> head->path_depth != 0) {
        return "leaf index outside its tree";
    }
    if (head->key_count == 0 || head->key_count > CSN_WIRE_BOOT_KEY_COUNT_MAX) {
        return "number of keys out of range";
    }
    if (head->platform_size > CSN_WIRE_EVIDENCE_SIZE_MAX) {
        return "platform part too large";
    }
    if (!name_is_terminated(head->name)) {
        return "image name is not a name";
    }
    return NULL;
}

csn_err csv_evidence_parse(const uint8_t *bytes, size_t size, struct csv_bundle *bundle,
                           const char **what)
{
    struct csn_wire_evidence head;
    if (size < sizeof head || size > CSN_WIRE_EVIDENCE_SIZE_MAX) {
        *what = size < sizeof head ? "shorter than its header" : "larger than 256 KiB";
        return CSN_ERR_FORMAT;
    }
    memcpy(&head, bytes, sizeof head);
    *what = head_fault(&head);
    if (*what != NULL) {
        return CSN_ERR_FORMAT;
    }
    size_t path_size = (size_t)head.path_depth * 32;
    size_t keys_size = (size_t)head.key_count * sizeof(struct csn_wire_boot_key);
    if (sizeof head + path_size + keys_size + head.platform_size != size) {
        *what = "lengths do not add up to the size";
        return CSN_ERR_FORMAT;
    }
    bundle->head = head;
    bundle->path = bytes + sizeof head;
    bundle->keys = bundle->path + path_size;
    bundle->platform = bundle->keys + keys_size;
    return CSN_OK;
}
