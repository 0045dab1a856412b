/* SPDX-License-Identifier: Apache-2.0 */
/* evidence.c: from a running enclave to bundles that a relying party can appraise. */
#include "nonces.h"
#include "verify/digest.h"
#include <caisson/evidence.h>
#include <string.h>

size_t csn_evidence_size(const struct csn_evidence_batch *batch)
{
    return sizeof batch->head + (size_t)batch->head.path_depth * 32 +
           (size_t)batch->head.key_count * sizeof(struct csn_wire_boot_key) + batch->platform.size;
}

static void fill_head(struct csn_wire_evidence *head, uint32_t type,
                      const struct csn_evidence_subject *subject)
{
    const struct csn_wire_manifest *manifest = subject->manifest;
    *head = (struct csn_wire_evidence){
        .magic = CSN_WIRE_EVIDENCE_MAGIC,
        .version = CSN_WIRE_EVIDENCE_VERSION,
        .type = type,
        .abi_version = manifest->abi_version,
        .backend = subject->report->backend_id,
        .debug = (manifest->flags & CSN_WIRE_FLAG_DEBUG) != 0,
        .security_version = manifest->security_version,
        .key_count = subject->made->key_count,
        .image_flags = manifest->flags,
    };
    memcpy(head->gate_hash, subject->report->gate_hash, sizeof head->gate_hash);
    memcpy(head->measurement, subject->report->measurement, sizeof head->measurement);
    memcpy(head->signer_key, subject->signer_key, sizeof head->signer_key);
    memcpy(head->signer_signature, subject->signer_signature, sizeof head->signer_signature);
    memcpy(head->name, manifest->name, sizeof head->name);
    memcpy(head->boot_id, subject->made->boot_id, sizeof head->boot_id);
    memcpy(head->config_digest, subject->made->config_digest, sizeof head->config_digest);
}

csn_err csn_evidence_report(struct csn_evidence_batch *batch,
                            const struct csn_evidence_producer *producer, const void *state,
                            const struct csn_evidence_subject *subject, const uint8_t (*nonces)[32],
                            size_t nonce_count)
{
    uint8_t report_data[64];
    if (nonce_count == 0 || nonce_count > CSN_NONCE_COUNT_MAX) {
        return CSN_ERR_ARGUMENT;
    }
    if (subject->made->state != CSN_WIRE_STATE_SERVING || subject->made->key_count == 0 ||
        subject->made->key_count > CSN_WIRE_BOOT_KEY_COUNT_MAX) {
        return CSN_ERR_STATE;
    }
    batch->subject = subject;
    batch->nonces = nonces;
    batch->nonce_count = nonce_count;
    batch->platform.size = 0;
    batch->platform.detail[0] = 0;
    CSN_TRY(producer->prepare(state, &batch->platform));
    fill_head(&batch->head, batch->platform.type, subject);
    batch->head.path_depth = csn_nonces_depth(nonce_count);
    if (!csn_nonces_tree(nonces, nonce_count, 0, batch->head.nonce_root, NULL) ||
        !csv_report_data(&batch->head, (const uint8_t *)subject->made->keys, report_data)) {
        return CSN_ERR_SYSTEM;
    }
    CSN_TRY(producer->sign(state, report_data, &batch->platform));
    batch->head.platform_size = batch->platform.size;
    return CSN_OK;
}

csn_err csn_evidence_bundle(const struct csn_evidence_batch *batch, size_t index, uint8_t *bundle,
                            size_t capacity, size_t *size)
{
    struct csn_wire_evidence head = batch->head;
    size_t path_size = (size_t)head.path_depth * 32;
    size_t keys_size = (size_t)head.key_count * sizeof(struct csn_wire_boot_key);
    if (index >= batch->nonce_count) {
        return CSN_ERR_ARGUMENT;
    }
    *size = csn_evidence_size(batch);
    if (capacity < *size) {
        return CSN_ERR_SPACE;
    }
    head.leaf_index = (uint32_t)index;
    memcpy(head.nonce, batch->nonces[index], sizeof head.nonce);
    if (!csn_nonces_tree(batch->nonces, batch->nonce_count, index, head.nonce_root,
                         bundle + sizeof head)) {
        return CSN_ERR_SYSTEM;
    }
    memcpy(bundle, &head, sizeof head);
    memcpy(bundle + sizeof head + path_size, batch->subject->made->keys, keys_size);
    memcpy(bundle + sizeof head + path_size + keys_size, batch->platform.bytes, head.platform_size);
    return CSN_OK;
}
