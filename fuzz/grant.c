/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grant.c: hostile grants against a live session.
 *
 * First byte 0: a message as it is; 1: edits (offset u16, value u8, xor) of a genuine grant, which
 * must not be taken unless nothing changed; other: the rest is the plaintext of a grant that is
 * sealed and signed as it should be, so that the parser behind the signature is reached. Oracle: a
 * refused grant leaves the old one serving.
 */
#include "../src/crypto/hpke.h"
#include "../src/crypto/schedule.h"
#include "../tests/enclave/fake.c"
#include "check.h"

static struct fake fake;
static struct fake_tenant tenant;
static uint64_t version = 1;

static void start(void)
{
    CHECK(csv_client_init() == CSN_OK);
    fake_start(&fake, &(struct fake_options){.flags = CSN_WIRE_FLAG_DETERMINISTIC});
    fake_tenant_new(&tenant);
    fake_grant(&fake, &tenant, version);
}

static uint32_t send_plaintext(const uint8_t *plain, uint32_t size)
{
    static uint8_t message[65536];
    struct csn_wire_grant header;
    struct csn_hpke_context context;
    const struct csn_hpke_setup setup = {
        .aead = CSN_AEAD_AES_256_GCM, .info = (const uint8_t *)"caisson-grant-v1", .info_size = 16};
    uint8_t ephemeral[32] = {9};
    uint8_t digest[32];
    uint8_t signed_bytes[CSN_GRANT_SIGNED_SIZE];
    fake_grant_build(&fake, &tenant, version + 1);
    memcpy(&header, tenant.message, sizeof header);
    header.cipher_size = size;
    uint8_t *cipher = message + sizeof header;
    CHECK(csn_hpke_sender(&context, header.encapsulation, header.instance_key, ephemeral, &setup) ==
          CSN_OK);
    CHECK(csn_hpke_seal(&context, (uint8_t *)&header, offsetof(struct csn_wire_grant, signature),
                        plain, size, cipher, cipher + size) == CSN_OK);
    csn_sha256(cipher, size + 16, digest);
    csn_grant_signed(&header, digest, signed_bytes);
    csn_ed25519_sign(header.signature, signed_bytes, sizeof signed_bytes, tenant.tenant.root_seed);
    memcpy(message, &header, sizeof header);
    return fake_one(&fake, message, (uint32_t)sizeof header + size + 16)->code;
}

static void edited(const uint8_t *data, size_t size)
{
    static uint8_t genuine[sizeof tenant.message];
    fake_grant_build(&fake, &tenant, version + 1);
    memcpy(genuine, tenant.message, tenant.message_size);
    for (size_t at = 1; at + 3 <= size; at += 3) {
        uint32_t offset = (data[at] | (uint32_t)data[at + 1] << 8) % tenant.message_size;
        tenant.message[offset] ^= data[at + 2];
    }
    bool same = memcmp(genuine, tenant.message, tenant.message_size) == 0;
    uint32_t code = fake_one(&fake, tenant.message, tenant.message_size)->code;
    CHECK((code == CSN_WIRE_GRANTED) == same); /* edits may undo each other */
    version += same;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool started;
    if (!started) {
        start();
        started = true;
    }
    if (size < 2 || size > 8192) {
        return 0;
    }
    if (data[0] == 0) {
        CHECK(fake_one(&fake, data + 1, (uint32_t)size - 1)->code != CSN_WIRE_GRANTED);
    } else if (data[0] == 1) {
        edited(data, size);
    } else {
        CHECK(send_plaintext(data + 1, (uint32_t)size - 1) == CSN_WIRE_GRANTED);
        version++;
        fake_grant(&fake, &tenant, ++version);
    }
    return 0;
}
