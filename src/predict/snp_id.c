/* SPDX-License-Identifier: Apache-2.0 */
/* snp_id.c: see snp_id.h. Layouts are those of SNP_LAUNCH_FINISH. */
#include "predict/snp_id.h"
#include "verify/ecdsa.h"
#include "verify/snp/snp_number.h"

#define KEY_SIZE       0x404u
#define SIGNATURE_SIZE 512u

/* Offsets in the authentication information. */
enum auth_at {
    AUTH_ID_ALGORITHM = 0x000,
    AUTH_AUTHOR_ALGORITHM = 0x004,
    AUTH_BLOCK_SIGNATURE = 0x040,
    AUTH_ID_KEY = 0x240,
    AUTH_ID_KEY_SIGNATURE = 0x680,
    AUTH_AUTHOR_KEY = 0x880,
    AUTH_END = 0xc84,
};

static bool sha384(const uint8_t *at, size_t size, uint8_t digest[48])
{
    return EVP_Digest(at, size, digest, NULL, EVP_sha384(), NULL) == 1;
}

/* Did the key (curve, x, y) sign message? */
static bool is_signed(const uint8_t *key, const uint8_t *signature, struct csv_bytes message)
{
    uint8_t xy[96];
    uint8_t rs[96];
    if (csv_le(key, 4) != 2 || !csv_snp_numbers(key + 4, xy) || !csv_snp_numbers(signature, rs) ||
        !csv_is_zero(key + 148, KEY_SIZE - 148) ||
        !csv_is_zero(signature + 144, SIGNATURE_SIZE - 144)) {
        return false;
    }
    EVP_PKEY *public_key = csv_ecdsa_key(NULL, "P-384", xy, 48);
    bool good = csv_ecdsa_check(public_key, EVP_sha384(), rs, 48, message);
    EVP_PKEY_free(public_key);
    return good;
}

static const char *form_fault(struct csv_bytes block, struct csv_bytes auth)
{
    if (block.size != CSV_SNP_ID_BLOCK_SIZE || auth.size != CSV_SNP_ID_AUTH_SIZE) {
        return "an ID block has 96 bytes, its authentication information 4096";
    }
    if (csv_le(block.at + 80, 4) != 1) {
        return "the ID block's version is not 1";
    }
    uint64_t author = csv_le(auth.at + AUTH_AUTHOR_ALGORITHM, 4);
    bool used = !csv_is_zero(auth.at + AUTH_AUTHOR_KEY, KEY_SIZE);
    if (csv_le(auth.at + AUTH_ID_ALGORITHM, 4) != 1 || author > 1 || (used && author != 1)) {
        return "the keys are not of the one algorithm that there is";
    }
    if (!csv_is_zero(auth.at + 8, AUTH_BLOCK_SIGNATURE - 8) ||
        !csv_is_zero(auth.at + AUTH_ID_KEY + KEY_SIZE,
                     AUTH_ID_KEY_SIGNATURE - AUTH_ID_KEY - KEY_SIZE) ||
        !csv_is_zero(auth.at + AUTH_END, CSV_SNP_ID_AUTH_SIZE - AUTH_END)) {
        return "reserved bytes are set";
    }
    return NULL;
}

bool csv_snp_id_read(struct csv_bytes block, struct csv_bytes auth, struct csv_snp_id *id,
                     const char **why)
{
    *why = form_fault(block, auth);
    if (*why != NULL) {
        return false;
    }
    const uint8_t *id_key = auth.at + AUTH_ID_KEY;
    const uint8_t *author_key = auth.at + AUTH_AUTHOR_KEY;
    *id = (struct csv_snp_id){.guest_svn = (uint32_t)csv_le(block.at + 84, 4),
                              .policy = csv_le(block.at + 88, 8)};
    memcpy(id->measurement, block.at, 48);
    memcpy(id->family_id, block.at + 48, 16);
    memcpy(id->image_id, block.at + 64, 16);
    id->author_given = !csv_is_zero(author_key, KEY_SIZE);
    id->block_signed = is_signed(id_key, auth.at + AUTH_BLOCK_SIGNATURE, block);
    id->key_signed = id->author_given && is_signed(author_key, auth.at + AUTH_ID_KEY_SIGNATURE,
                                                   (struct csv_bytes){id_key, KEY_SIZE});
    *why = "libcrypto failed";
    return sha384(id_key, KEY_SIZE, id->id_key_digest) &&
           (!id->author_given || sha384(author_key, KEY_SIZE, id->author_key_digest));
}
