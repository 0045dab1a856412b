/* SPDX-License-Identifier: Apache-2.0 */
/* keys.c: the table of keys: what the enclave listed, what was made, and their handles. */
#include "core/bytes.h"
#include "module.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PART_BITS  2u
#define PLACE_BITS 16u
_Static_assert(P11_KEY_MAX == 1u << PLACE_BITS, "handles");

/* Serial numbers begin with 1, so that no handle is 0, and come once: an old one finds nothing. */
CK_OBJECT_HANDLE p11_handle(const struct p11_key *key, enum p11_part part)
{
    return (key->serial << PLACE_BITS | key->place) << PART_BITS | part;
}

CK_ULONG p11_key_type(const struct p11_key *key)
{
    switch (key->info.type) {
    case CSN_WIRE_TRANSIT_AES_256:
        return CKK_AES;
    case CSN_WIRE_TRANSIT_HMAC:
        return CKK_GENERIC_SECRET;
    case CSN_WIRE_TRANSIT_ED25519:
        return CKK_EC_EDWARDS;
    case CSN_WIRE_TRANSIT_P256:
    case CSN_WIRE_TRANSIT_P384:
        return CKK_EC;
    case CSN_WIRE_TRANSIT_X25519:
        return CKK_EC_MONTGOMERY;
    default:
        return CK_UNAVAILABLE_INFORMATION; /* PKCS #11 has no name for it */
    }
}

bool p11_key_has_public(const struct p11_key *key)
{
    return key->info.public_size != 0;
}

bool p11_shows_public(const struct p11_key *key)
{
    return !key->is_gone && !key->hides_public && p11_key_has_public(key);
}

/* ---- handles ---- */

static bool is_there(const struct p11_module *module, const struct p11_key *key)
{
    return !key->is_gone && (module->is_logged_in || !module->settings.login);
}

static struct p11_key *find_handle(const struct p11_module *module, CK_OBJECT_HANDLE handle)
{
    uint32_t place = handle >> PART_BITS & (P11_KEY_MAX - 1);
    struct p11_key *key = place < module->key_count ? module->keys[place] : NULL;
    return key != NULL && key->serial == handle >> (PART_BITS + PLACE_BITS) ? key : NULL;
}

CK_RV p11_object_get(CK_OBJECT_HANDLE handle, struct p11_object *object)
{
    enum p11_part part = (enum p11_part)(handle & ((1u << PART_BITS) - 1));
    CK_RV rv = CKR_OBJECT_HANDLE_INVALID;
    const struct p11_module *module = p11_lock();
    if (module == NULL) {
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    }
    struct p11_key *key = find_handle(module, handle);
    if (key != NULL) {
        bool has = part == P11_PART_SECRET        ? is_there(module, key)
                   : part == P11_PART_PUBLIC      ? p11_shows_public(key)
                   : part == P11_PART_CERTIFICATE ? key->certificate != NULL
                                                  : false;
        if (has) {
            *object = (struct p11_object){key, part};
            rv = CKR_OK;
        }
    }
    p11_unlock();
    return rv;
}

CK_RV p11_key_get(CK_OBJECT_HANDLE handle, enum p11_part part, const struct p11_key **key)
{
    struct p11_object object;
    CK_RV rv = p11_object_get(handle, &object);
    if (rv != CKR_OK || object.part != part) {
        return rv == CKR_CRYPTOKI_NOT_INITIALIZED ? rv : CKR_KEY_HANDLE_INVALID;
    }
    *key = object.key;
    return CKR_OK;
}

/* ---- names ---- */

#define ID_MARK ".id-"

static int hex_digit(char character)
{
    return character >= '0' && character <= '9'   ? character - '0'
           : character >= 'a' && character <= 'f' ? character - 'a' + 10
                                                  : -1;
}

/* Bytes of the hex text, or 0: it is none, or too long. */
static uint32_t read_hex(const char *text, uint8_t bytes[P11_ID_MAX])
{
    size_t length = strlen(text);
    if (length % 2 != 0 || length / 2 > P11_ID_MAX) {
        return 0;
    }
    for (size_t i = 0; i < length / 2; i++) {
        int high = hex_digit(text[2 * i]);
        int low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return 0;
        }
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return (uint32_t)(length / 2);
}

void p11_name_read(struct p11_key *key)
{
    const char *mark = strstr(key->info.name, ID_MARK);
    uint32_t size = mark != NULL ? read_hex(mark + strlen(ID_MARK), key->id) : 0;
    size_t label = size != 0 ? (size_t)(mark - key->info.name) : strlen(key->info.name);
    memcpy(key->label, key->info.name, label);
    key->label[label] = 0;
    key->id_size = size;
    if (size == 0 && p11_key_has_public(key)) {
        uint8_t digest[32];
        csn_sha256(key->info.public_key, key->info.public_size, digest);
        memcpy(key->id, digest, 20);
        key->id_size = 20;
    } else if (size == 0) {
        memcpy(key->id, key->info.id, sizeof key->info.id);
        key->id_size = sizeof key->info.id;
    }
}

static bool is_name(const char *text, size_t size)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    for (size_t i = 0; i < size; i++) {
        if (text[i] == 0 || strchr(letters, text[i]) == NULL) {
            return false;
        }
    }
    return true;
}

bool p11_name_make(const char *label, size_t label_size, const uint8_t *id, size_t id_size,
                   char name[CSN_WIRE_TRANSIT_NAME_SIZE])
{
    size_t need = label_size + (id_size != 0 ? strlen(ID_MARK) + 2 * id_size : 0);
    if (need == 0 || need >= CSN_WIRE_TRANSIT_NAME_SIZE || id_size > P11_ID_MAX ||
        !is_name(label, label_size)) {
        return false;
    }
    if (label_size != 0) {
        memcpy(name, label, label_size);
    }
    name[label_size] = 0;
    if (strstr(name, ID_MARK) != NULL) {
        return false; /* it would come back as another label */
    }
    if (id_size != 0) {
        memcpy(name + label_size, ID_MARK, sizeof ID_MARK);
        for (size_t i = 0; i < id_size; i++) {
            snprintf(name + label_size + strlen(ID_MARK) + 2 * i, 3, "%02x", id[i]);
        }
    }
    return true;
}

/* ---- the table ---- */

static bool make_room(struct p11_module *module)
{
    uint32_t room = module->key_room != 0 ? 2 * module->key_room : 64;
    struct p11_key **more =
        room <= P11_KEY_MAX ? realloc(module->keys, room * sizeof *module->keys) : NULL;
    if (more == NULL) {
        return false;
    }
    module->keys = more;
    module->key_room = room;
    return true;
}

/* With the lock. */
static CK_RV put(struct p11_module *module, const struct p11_key *key, struct p11_key **kept)
{
    uint32_t place = 0;
    while (place < module->key_count && module->keys[place] != NULL) {
        place++;
    }
    if (place == module->key_room && !make_room(module)) {
        return CKR_DEVICE_MEMORY;
    }
    *kept = malloc(sizeof **kept);
    if (*kept == NULL) {
        return CKR_HOST_MEMORY;
    }
    **kept = *key;
    (*kept)->place = place;
    (*kept)->serial = ++module->key_serial;
    (*kept)->is_seen = true; /* a listing that began before does not have it */
    module->keys[place] = *kept;
    module->key_count = place == module->key_count ? place + 1 : module->key_count;
    return CKR_OK;
}

CK_RV p11_key_put(const struct p11_key *key, const struct p11_key **kept)
{
    struct p11_key *made = NULL;
    struct p11_module *module = p11_lock();
    if (module == NULL) {
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    }
    CK_RV rv = put(module, key, &made);
    p11_unlock();
    *kept = made;
    return rv;
}

void p11_key_drop(struct p11_module *module, struct p11_key *key)
{
    if (key->is_gone) {
        return;
    }
    key->is_gone = true;
    csn_wipe(key->value, sizeof key->value);
    module->keys[key->place] = NULL;
    while (module->key_count != 0 && module->keys[module->key_count - 1] == NULL) {
        module->key_count--;
    }
    key->next = module->gone;
    module->gone = key;
}

/* By threads in sessions alone; without any, p11_keys_bury() looks at it. */
void p11_key_hold(const struct p11_key *key, bool holds)
{
    if (key != NULL) {
        __atomic_fetch_add((uint32_t *)(uintptr_t)&key->holds, holds ? 1 : UINT32_MAX,
                           __ATOMIC_RELAXED);
    }
}

static void key_free(struct p11_key *key)
{
    p11_verifier_free(key->verifier);
    free(key->certificate);
    csn_wipe(key, sizeof *key);
    free(key);
}

static void bury(struct p11_module *module, bool held_too)
{
    struct p11_key **link = &module->gone;
    while (*link != NULL) {
        struct p11_key *key = *link;
        if (key->holds == 0 || held_too) {
            *link = key->next;
            key_free(key);
        } else {
            link = &key->next;
        }
    }
}

void p11_keys_bury(struct p11_module *module)
{
    bury(module, false);
}

void p11_keys_free(struct p11_module *module)
{
    while (module->key_count != 0) {
        p11_key_drop(module, module->keys[module->key_count - 1]);
    }
    bury(module, true);
    free(module->keys);
}

void p11_keys_end(struct p11_module *module, CK_SESSION_HANDLE owner)
{
    for (uint32_t i = 0; i < module->key_count; i++) {
        struct p11_key *key = module->keys[i];
        if (key == NULL || key->owner != owner) {
            continue;
        }
        struct p11_key_info info = key->info;
        bool is_ours = key->value_size != 0;
        p11_key_drop(module, key);
        if (!is_ours) {
            p11_unlock();
            (void)p11_service_delete_key(module->service, &info); /* it is unreachable anyway */
            (void)p11_lock();
        }
    }
}

/* ---- what the enclave has ---- */

/* With the lock: the key of the token that this is, or NULL. */
static struct p11_key *find(const struct p11_module *module, const struct p11_key_info *info)
{
    for (uint32_t i = 0; i < module->key_count; i++) {
        struct p11_key *key = module->keys[i];
        if (key != NULL && key->value_size == 0 &&
            memcmp(key->info.id, info->id, sizeof info->id) == 0 &&
            key->info.version == info->version) {
            return key;
        }
    }
    return NULL;
}

/* Of a key that is new here. */
static CK_RV add(struct p11_service *service, const struct p11_key_info *listed)
{
    struct p11_key key = {.info = *listed};
    const struct p11_key *kept;
    if (p11_key_type(&key) == CK_UNAVAILABLE_INFORMATION || listed->derived) {
        return CKR_OK;
    }
    if (listed->type != CSN_WIRE_TRANSIT_AES_256 && listed->type != CSN_WIRE_TRANSIT_HMAC) {
        CK_RV rv = p11_service_info(service, &key.info);
        if (rv != CKR_OK) {
            return rv == CKR_KEY_HANDLE_INVALID ? CKR_OK : rv; /* deleted meanwhile */
        }
    }
    p11_name_read(&key);
    const struct p11_module *module = p11_lock();
    if (module == NULL) {
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    }
    p11_certificate_find(&module->settings, &key);
    p11_unlock();
    CK_RV rv = p11_key_put(&key, &kept);
    if (rv != CKR_OK) {
        free(key.certificate);
    }
    return rv;
}

struct listing {
    struct p11_service *service;
    CK_RV rv;
};

static CK_RV take(void *state, const struct p11_key_info *info)
{
    const struct listing *listing = state;
    const struct p11_module *module = p11_lock();
    if (module == NULL) {
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    }
    struct p11_key *known = find(module, info);
    bool is_hidden = (module->settings.hidden >> info->type & 1) != 0;
    if (known != NULL) {
        known->is_seen = true;
    }
    p11_unlock();
    /* Of a session of another process: its own affair. */
    bool foreign = strncmp(info->name, P11_SESSION_NAME, strlen(P11_SESSION_NAME)) == 0;
    return known != NULL || foreign || is_hidden ? CKR_OK : add(listing->service, info);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + 1;
}

/* With the lock: keys of the token that were not in the listing are gone. */
static void sweep(struct p11_module *module, int64_t begun)
{
    for (uint32_t i = 0; i < module->key_count; i++) {
        struct p11_key *key = module->keys[i];
        if (key != NULL && key->owner == 0 && key->value_size == 0 && !key->is_seen) {
            p11_key_drop(module, key);
        }
    }
    module->listed_ms = begun;
}

CK_RV p11_keys_refresh(void)
{
    struct p11_module *module = p11_lock();
    if (module == NULL) {
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    }
    int64_t begun = now_ms();
    bool fresh = module->listed_ms != 0 && begun - module->listed_ms < module->settings.refresh_ms;
    fresh = fresh && !p11_service_was_surprised(module->service);
    p11_unlock();
    if (fresh) {
        return CKR_OK;
    }
    pthread_mutex_lock(&module->listing);
    (void)p11_lock();
    for (uint32_t i = 0; i < module->key_count; i++) {
        if (module->keys[i] != NULL) {
            module->keys[i]->is_seen = false;
        }
    }
    p11_unlock();
    struct listing listing = {.service = module->service};
    CK_RV rv = p11_service_list(module->service, take, &listing);
    (void)p11_lock();
    if (rv == CKR_OK) {
        sweep(module, begun);
    }
    p11_unlock();
    pthread_mutex_unlock(&module->listing);
    return rv;
}
