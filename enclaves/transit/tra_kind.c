/* SPDX-License-Identifier: Apache-2.0 */
/* tra_kind.c: the types of keys: what they can do, and what their secrets look like. */
#include "crypto/cpu.h"
#include "crypto/curve.h"
#include "crypto/ecdsa.h"
#include "tra_state.h"

#define BIT(name) (UINT32_C(1) << CSN_WIRE_TRANSIT_##name)

#define SEALING (BIT(ENCRYPT) | BIT(DECRYPT) | BIT(REWRAP) | BIT(DATAKEY) | BIT(DATAKEY_OPEN))
#define SIGNING (BIT(SIGN) | BIT(VERIFY))
#define MACS    (BIT(MAC) | BIT(VERIFY))
#define FPE     (BIT(FPE_ENCRYPT) | BIT(FPE_DECRYPT))
#define KEM     (BIT(ENCAPSULATE) | BIT(DECAPSULATE))

static const struct tra_kind kinds[CSN_WIRE_TRANSIT_TYPE_LAST + 1] = {
    [CSN_WIRE_TRANSIT_AES_256] = {"aes-256", SEALING | BIT(DERIVE), SEALING, 32, 32, 32, 0, 0},
    [CSN_WIRE_TRANSIT_HMAC] = {"hmac", MACS | BIT(DERIVE), MACS, 16, 64, 32, 0, 0},
    [CSN_WIRE_TRANSIT_FF1] = {"ff1", FPE, FPE, 32, 32, 32, 0, 0},
    [CSN_WIRE_TRANSIT_ED25519] = {"ed25519", SIGNING, SIGNING, 32, 32, 32, 32, 0},
    [CSN_WIRE_TRANSIT_P256] = {"p-256", SIGNING | BIT(AGREE), SIGNING, 32, 32, 32, 65, CSN_EC_P256},
    [CSN_WIRE_TRANSIT_P384] = {"p-384", SIGNING | BIT(AGREE), SIGNING, 48, 48, 48, 97, CSN_EC_P384},
    [CSN_WIRE_TRANSIT_X25519] = {"x25519", BIT(AGREE), BIT(AGREE), 32, 32, 32, 32, 0},
    [CSN_WIRE_TRANSIT_ML_KEM_768] = {"ml-kem-768", KEM, KEM, 64, 64, 64, CSN_MLKEM_PUBLIC_SIZE, 0},
};

const struct tra_kind *tra_kind(uint32_t type)
{
    return type >= 1 && type <= CSN_WIRE_TRANSIT_TYPE_LAST ? &kinds[type] : NULL;
}

static bool is_text(const char *text, const uint8_t *name, uint32_t size)
{
    return tra_length(text) == size && memcmp(text, name, size) == 0;
}

uint32_t tra_kind_find(const uint8_t *name, uint32_t size)
{
    for (uint32_t i = 1; i <= CSN_WIRE_TRANSIT_TYPE_LAST; i++) {
        if (is_text(kinds[i].name, name, size)) {
            return i;
        }
    }
    return 0;
}

uint32_t tra_operation_find(const uint8_t *name, uint32_t size)
{
    for (uint32_t i = 1; i <= CSN_WIRE_TRANSIT_OPERATION_LAST; i++) {
        if (is_text(csn_wire_transit_operation_name(i), name, size)) {
            return i;
        }
    }
    return 0;
}

bool tra_kind_take(uint32_t type, const uint8_t *bytes, uint32_t size, struct tra_version *version)
{
    const struct tra_kind *kind = tra_kind(type);
    if (kind == NULL || size < kind->secret_min || size > kind->secret_max) {
        return false;
    }
    memcpy(version->secret, bytes, size);
    version->secret_size = (uint8_t)size;
    switch (type) {
    case CSN_WIRE_TRANSIT_ED25519:
        csn_ed25519_expand(bytes, version->public_key, version->secret);
        version->secret_size = 64;
        return true;
    case CSN_WIRE_TRANSIT_P256:
    case CSN_WIRE_TRANSIT_P384:
        return csn_ec_public(kind->curve, bytes, version->public_key) == CSN_OK;
    case CSN_WIRE_TRANSIT_X25519:
        csn_x25519_public(version->public_key, bytes);
        return true;
    default:
        return true;
    }
}

uint32_t tra_kind_public(const struct tra_work *work, const struct tra_version *version,
                         uint8_t *bytes)
{
    const uint32_t size = tra_kind(work->key->is.type)->public_size;
    if (size <= sizeof version->public_key) {
        memcpy(bytes, version->public_key, size);
        return size;
    }
    const struct csn_mlkem_key *key = tra_kem(work, version);
    if (key == NULL) {
        return 0;
    }
    memcpy(bytes, key->public.bytes, size);
    return size;
}

/* The start tests what records need; these are this service's own. */
bool tra_self_test(struct tra_worker *worker)
{
    if (!worker->tested) {
        worker->tested =
            csn_ecdsa_self_test() == CSN_OK && csn_mlkem_begin(csn_cpu_given()) == CSN_OK;
    }
    return worker->tested;
}
