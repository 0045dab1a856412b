/* SPDX-License-Identifier: Apache-2.0 */
/* schedule.c: labels and lengths exactly as docs/WIRE.md section 5 has them. */
#include "schedule.h"
#include "../core/bytes.h"
#include "hpke.h"

#define LABEL_SIZE(label) (sizeof(label) - 1)
#define INFO_LABEL        "caisson-record-v1"
#define PSK_LABEL         "caisson-credential"
#define SALT_LABEL        "caisson-salt-v1"
#define REPLY_LABEL       "caisson-reply-v1"
#define COMMIT_LABEL      "caisson-reply-commit"
#define SHORT_LABEL       "caisson-short-reply-v2"
#define GRANT_LABEL       "caisson-grant-signature-v1"
#define DELEGATION_LABEL  "caisson-delegation-v1"

_Static_assert(LABEL_SIZE(DELEGATION_LABEL) == 21, "as CSN_DELEGATION_SIGNED_SIZE has it");
_Static_assert(LABEL_SIZE(GRANT_LABEL) == 26, "as CSN_GRANT_SIGNED_SIZE has it");
_Static_assert(sizeof(struct csn_wire_challenge) == 32, "goes into the info as it is");

/* Appends; every caller sized its buffer for exactly what it appends. */
static uint8_t *put(uint8_t *at, const void *bytes, size_t size)
{
    __builtin_memcpy(at, bytes, size);
    return at + size;
}

void csn_tenant_id(const uint8_t root_key[32], uint8_t id[32])
{
    uint8_t message[LABEL_SIZE("caisson-tenant-v1") + 32];
    put(put(message, "caisson-tenant-v1", LABEL_SIZE("caisson-tenant-v1")), root_key, 32);
    csn_sha256(message, sizeof message, id);
}

void csn_key_id(const uint8_t public_key[32], uint8_t id[8])
{
    uint8_t message[LABEL_SIZE("caisson-key-id-v1") + 4 + 32];
    uint8_t digest[32];
    uint32_t suite = CSN_WIRE_SUITE;
    uint8_t *at = put(message, "caisson-key-id-v1", LABEL_SIZE("caisson-key-id-v1"));
    at = put(at, &suite, sizeof suite);
    put(at, public_key, 32);
    csn_sha256(message, sizeof message, digest);
    __builtin_memcpy(id, digest, 8);
}

/* ---- contexts ---- */

struct setup_bytes {
    uint8_t info[LABEL_SIZE(INFO_LABEL) + 2 + 32 + 8 + 8 + 32];
    uint8_t psk_id[LABEL_SIZE(PSK_LABEL) + 32 + 8];
};

static void make_setup(const struct csn_binding *binding, const uint8_t secret[32],
                       struct setup_bytes *bytes, struct csn_hpke_setup *setup)
{
    uint8_t *at = put(bytes->info, INFO_LABEL, LABEL_SIZE(INFO_LABEL));
    at = put(at, &binding->direction, 1);
    at = put(at, &binding->mode, 1);
    at = put(at, binding->tenant, 32);
    at = put(at, &binding->credential, 8);
    at = put(at, binding->key_id, 8);
    put(at, &binding->challenge, 32);
    at = put(bytes->psk_id, PSK_LABEL, LABEL_SIZE(PSK_LABEL));
    at = put(at, binding->tenant, 32);
    put(at, &binding->credential, 8);
    *setup = (struct csn_hpke_setup){.info = bytes->info,
                                     .info_size = sizeof bytes->info,
                                     .psk = secret,
                                     .psk_size = 32,
                                     .psk_id = bytes->psk_id,
                                     .psk_id_size = sizeof bytes->psk_id};
}

static csn_err export_secrets(struct csn_hpke_context *context, struct csn_record_secrets *secrets)
{
    csn_err result = csn_hpke_export(context, "caisson-record-key", secrets->base, 32);
    if (result == CSN_OK) {
        result = csn_hpke_export(context, "caisson-reply", secrets->reply, 32);
    }
    if (result == CSN_OK) {
        result = csn_hpke_export(context, "caisson-commit", secrets->commitment, 32);
    }
    csn_wipe(context, sizeof *context);
    return result;
}

csn_err csn_record_sender(const struct csn_binding *binding, const uint8_t secret[32],
                          const uint8_t public_key[32], const uint8_t ephemeral_secret[32],
                          uint8_t encapsulation[32], struct csn_record_secrets *secrets)
{
    struct setup_bytes bytes;
    struct csn_hpke_setup setup;
    struct csn_hpke_context context;
    make_setup(binding, secret, &bytes, &setup);
    CSN_TRY(csn_hpke_sender(&context, encapsulation, public_key, ephemeral_secret, &setup));
    return export_secrets(&context, secrets);
}

csn_err csn_record_receiver(const struct csn_binding *binding, const uint8_t secret[32],
                            const struct csn_wire_recipient *recipient,
                            const uint8_t encapsulation[32], struct csn_record_secrets *secrets)
{
    struct setup_bytes bytes;
    struct csn_hpke_setup setup;
    struct csn_hpke_context context;
    make_setup(binding, secret, &bytes, &setup);
    CSN_TRY(csn_hpke_receiver(&context, encapsulation, recipient->secret_key, recipient->public_key,
                              &setup));
    return export_secrets(&context, secrets);
}

/* ---- keys ---- */

/* The only way csn_hkdf_expand() can fail is a length above 8,160 bytes; ours are fixed. */
static void expand(const uint8_t prk[32], const void *info, size_t info_size, void *output,
                   size_t size)
{
    if (csn_hkdf_expand(prk, info, info_size, output, size) != CSN_OK) {
        __builtin_trap();
    }
}

static void take_key(uint8_t material[44], struct csn_record_key *key)
{
    csn_gcm_key_init(&key->key, material);
    __builtin_memcpy(key->iv, material + 32, sizeof key->iv);
    csn_wipe(material, 44);
}

void csn_record_key_from_salt(const uint8_t base[32], const uint8_t salt[16],
                              struct csn_record_key *key)
{
    uint8_t prk[32];
    uint8_t material[44];
    csn_hkdf_extract(salt, 16, base, 32, prk);
    expand(prk, SALT_LABEL, LABEL_SIZE(SALT_LABEL), material, sizeof material);
    take_key(material, key);
    csn_wipe(prk, sizeof prk);
}

void csn_reply_key(const uint8_t reply[32], const uint8_t response_nonce[32], uint64_t sequence,
                   struct csn_record_key *key, uint8_t commitment[32])
{
    uint8_t prk[32];
    uint8_t material[44];
    uint8_t info[LABEL_SIZE(REPLY_LABEL) + 8];
    uint8_t commit_info[LABEL_SIZE(COMMIT_LABEL) + 8];
    put(put(info, REPLY_LABEL, LABEL_SIZE(REPLY_LABEL)), &sequence, 8);
    put(put(commit_info, COMMIT_LABEL, LABEL_SIZE(COMMIT_LABEL)), &sequence, 8);
    csn_hkdf_extract(response_nonce, 32, reply, 32, prk);
    expand(prk, info, sizeof info, material, sizeof material);
    expand(prk, commit_info, sizeof commit_info, commitment, 32);
    take_key(material, key);
    csn_wipe(prk, sizeof prk);
}

void csn_short_reply_key(const uint8_t base[32], const struct csn_short_reply *reply,
                         uint64_t epoch, struct csn_record_key *key)
{
    uint8_t prk[32];
    uint8_t material[44];
    uint8_t info[LABEL_SIZE(SHORT_LABEL) + 32 + 8 + 32 + 8];
    uint8_t *at = put(info, SHORT_LABEL, LABEL_SIZE(SHORT_LABEL));
    at = put(at, reply->id, 32);
    at = put(at, &reply->grant_version, 8);
    at = put(at, reply->grant_digest, 32);
    put(at, &epoch, 8);
    csn_hkdf_extract(reply->salt, sizeof reply->salt, base, 32, prk);
    expand(prk, info, sizeof info, material, sizeof material);
    take_key(material, key);
    csn_wipe(prk, sizeof prk);
}

/* ---- ids ---- */

void csn_context_id(const struct csn_binding *binding, const uint8_t encapsulation[32],
                    const uint8_t salt[16], uint8_t id[32])
{
    uint8_t message[LABEL_SIZE("caisson-context-v1") + 2 + 32 + 8 + 8 + 8 + 32 + 16];
    uint8_t *at = put(message, "caisson-context-v1", LABEL_SIZE("caisson-context-v1"));
    at = put(at, &binding->direction, 1);
    at = put(at, &binding->mode, 1);
    at = put(at, binding->tenant, 32);
    at = put(at, &binding->credential, 8);
    at = put(at, binding->key_id, 8);
    at = put(at, &binding->challenge.counter, 8);
    at = put(at, encapsulation, 32);
    put(at, salt, 16);
    csn_sha256(message, sizeof message, id);
}

void csn_short_reply_id(const struct csn_binding *binding, const uint8_t encapsulation[32],
                        struct csn_short_reply *reply)
{
    struct csn_binding back = *binding;
    back.direction = CSN_WIRE_DIRECTION_REPLY;
    csn_context_id(&back, encapsulation, reply->salt, reply->id);
}

void csn_record_id_begin(const uint8_t tenant[32], uint64_t credential,
                         const uint8_t encapsulation[32], struct csn_sha256 *prefix)
{
    csn_sha256_init(prefix);
    csn_sha256_update(prefix, "caisson-record-id-v1", LABEL_SIZE("caisson-record-id-v1"));
    csn_sha256_update(prefix, tenant, 32);
    csn_sha256_update(prefix, &credential, 8);
    csn_sha256_update(prefix, encapsulation, 32);
}

void csn_record_id(const struct csn_sha256 *prefix, uint64_t sequence, uint64_t grant_version,
                   uint8_t id[32])
{
    struct csn_sha256 hash = *prefix;
    const uint64_t tail[2] = {sequence, grant_version};
    csn_sha256_update(&hash, tail, sizeof tail);
    csn_sha256_final(&hash, id);
}

void csn_stream_id(const uint8_t encapsulation[32], uint8_t stream[16])
{
    uint8_t digest[32];
    csn_sha256(encapsulation, 32, digest);
    __builtin_memcpy(stream, digest, 16);
}

/* ---- grants ---- */

void csn_grant_signed(const struct csn_wire_grant *header, const uint8_t body_digest[32],
                      uint8_t message[CSN_GRANT_SIGNED_SIZE])
{
    uint8_t *at = put(message, GRANT_LABEL, LABEL_SIZE(GRANT_LABEL));
    at = put(at, header, offsetof(struct csn_wire_grant, signature));
    put(at, body_digest, 32);
}

void csn_delegation_signed(const uint8_t root_key[32], const struct csn_wire_delegation *delegation,
                           uint8_t message[CSN_DELEGATION_SIGNED_SIZE])
{
    uint8_t *at = put(message, DELEGATION_LABEL, LABEL_SIZE(DELEGATION_LABEL));
    at = put(at, root_key, 32);
    put(at, delegation, offsetof(struct csn_wire_delegation, signature));
}

void csn_grant_digest(const struct csn_wire_grant *header, const uint8_t body_digest[32],
                      uint8_t digest[32])
{
    struct csn_sha256 hash;
    csn_sha256_init(&hash);
    csn_sha256_update(&hash, "caisson-grant-digest-v1", LABEL_SIZE("caisson-grant-digest-v1"));
    csn_sha256_update(&hash, header, sizeof *header);
    csn_sha256_update(&hash, body_digest, 32);
    csn_sha256_final(&hash, digest);
}
