/* SPDX-License-Identifier: Apache-2.0 */
/* weights_keys.c: the form of a header, and the key of its file, of which every field is a part. */
#include "core/bytes.h"
#include "weights.h"

#define LABEL_SIZE (sizeof CSN_WIRE_WEIGHTS_MAC_LABEL - 1)
_Static_assert(sizeof CSN_WIRE_WEIGHTS_KEY_LABEL - 1 == LABEL_SIZE, "one size");
#define BOUND_SIZE offsetof(struct csn_wire_weights, commitment)

csn_err csn_weights_check(const struct csn_wire_weights *header)
{
    bool is_sound =
        __builtin_memcmp(header->magic, CSN_WIRE_WEIGHTS_MAGIC, sizeof header->magic) == 0 &&
        (header->kind == CSN_WIRE_WEIGHTS_TREES || header->kind == CSN_WIRE_WEIGHTS_GGUF) &&
        header->chunk_size == CSN_WIRE_WEIGHTS_CHUNK_SIZE && header->content_size > 0 &&
        header->content_size <= CSN_WIRE_WEIGHTS_SIZE_MAX && header->reserved == 0;
    return is_sound ? CSN_OK : CSN_ERR_FORMAT;
}

uint64_t csn_weights_chunk_count(const struct csn_wire_weights *header)
{
    return (header->content_size + CSN_WIRE_WEIGHTS_CHUNK_SIZE - 1) / CSN_WIRE_WEIGHTS_CHUNK_SIZE;
}

uint64_t csn_weights_file_size(const struct csn_wire_weights *header)
{
    return sizeof *header + header->content_size +
           csn_weights_chunk_count(header) * CSN_WIRE_WEIGHTS_TAG_SIZE;
}

/* label | the first `bound` bytes of the header: short enough that expanding cannot fail. */
static void expand(const uint8_t secret[32], const char *label,
                   const struct csn_wire_weights *header, uint32_t bound, uint8_t *output,
                   uint32_t size)
{
    uint8_t info[LABEL_SIZE + BOUND_SIZE];
    __builtin_memcpy(info, label, LABEL_SIZE);
    __builtin_memcpy(info + LABEL_SIZE, header, bound);
    if (csn_hkdf_expand(secret, info, LABEL_SIZE + bound, output, size) != CSN_OK) {
        csn_wipe(output, size);
    }
}

void csn_weights_keys(struct csn_wire_weights *header, const uint8_t key[CSN_WEIGHTS_KEY_SIZE],
                      const uint8_t *content_digest, struct csn_gcm_key *file_key, uint8_t *mac_key,
                      uint8_t *commitment)
{
    uint8_t secret[32];
    uint8_t pair[64];
    csn_hkdf_extract(header->salt, sizeof header->salt, key, CSN_WEIGHTS_KEY_SIZE, secret);
    expand(secret, CSN_WIRE_WEIGHTS_MAC_LABEL, header,
           offsetof(struct csn_wire_weights, content_mac), mac_key, 32);
    if (content_digest != NULL) {
        struct csn_hmac_key mac;
        csn_hmac_key_init(&mac, mac_key, 32);
        csn_hmac(&mac, content_digest, 32, header->content_mac);
        csn_wipe(&mac, sizeof mac);
    }
    expand(secret, CSN_WIRE_WEIGHTS_KEY_LABEL, header, BOUND_SIZE, pair, sizeof pair);
    csn_gcm_key_init(file_key, pair);
    __builtin_memcpy(commitment, pair + 32, 32);
    csn_wipe(secret, sizeof secret);
    csn_wipe(pair, sizeof pair);
}
