/* SPDX-License-Identifier: Apache-2.0 */
/* session.c: sessions, login, and the operation that a session has under way. */
#include "core/bytes.h"
#include "module.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- who is in a session ---- */

/* Handles are place + 1 and a serial number above, so that an old one finds nothing. */
#define PLACE_BITS 12u
_Static_assert(P11_SESSION_MAX == 1u << PLACE_BITS, "handles");

static struct p11_session *session_find(const struct p11_module *module, CK_SESSION_HANDLE handle)
{
    struct p11_session *session = module->sessions[handle & (P11_SESSION_MAX - 1)];
    return session != NULL && session->handle == handle && !session->is_closed ? session : NULL;
}

static void session_free(struct p11_session *session)
{
    for (uint32_t i = 0; i < P11_KIND_COUNT; i++) {
        p11_operation_end(&session->operations[i]);
    }
    free(session->found);
    pthread_mutex_destroy(&session->lock);
    if (session->random != NULL) {
        csn_wipe(session->random, P11_RANDOM_MAX);
    }
    free(session->random);
    free(session);
}

CK_RV p11_enter(CK_SESSION_HANDLE handle, struct p11_session **session)
{
    struct p11_module *module = p11_lock();
    if (module == NULL) {
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    }
    struct p11_session *found = session_find(module, handle);
    if (found != NULL) {
        found->users++;
        module->users++;
    }
    p11_unlock();
    if (found == NULL) {
        return CKR_SESSION_HANDLE_INVALID;
    }
    pthread_mutex_lock(&found->lock);
    if (found->is_closed) { /* while we waited */
        p11_leave(found);
        return CKR_SESSION_CLOSED;
    }
    *session = found;
    return CKR_OK;
}

static void drop(struct p11_module *module, struct p11_session *session)
{
    module->users--;
    session->users--;
    if (session->users == 0 && session->is_closed) {
        session_free(session);
    }
    if (module->users == 0 && module->gone != NULL) {
        p11_keys_bury(module);
    }
}

void p11_leave(struct p11_session *session)
{
    pthread_mutex_unlock(&session->lock);
    struct p11_module *module = p11_lock(); /* there: C_Finalize() waits for module->users */
    drop(module, session);
    p11_unlock();
}

/* Out of the table, with its keys; called with it held and the table's lock. */
static void session_end(struct p11_module *module, struct p11_session *session)
{
    session->is_closed = true;
    module->sessions[session->handle & (P11_SESSION_MAX - 1)] = NULL;
    module->session_count--;
    module->rw_session_count -= (session->flags & CKF_RW_SESSION) != 0 ? 1 : 0;
    if (module->session_count == 0) {
        module->is_logged_in = false;
    }
}

/* With the table's lock, which is let go meanwhile: nobody is in the session afterwards. */
static void session_close(struct p11_module *module, struct p11_session *session)
{
    CK_SESSION_HANDLE handle = session->handle;
    session->users++;
    module->users++;
    p11_unlock();
    pthread_mutex_lock(&session->lock);
    (void)p11_lock();
    if (!session->is_closed) {
        if (session->has_keys) {
            p11_keys_end(module, handle);
        }
        session_end(module, session);
    }
    pthread_mutex_unlock(&session->lock);
    drop(module, session);
}

void p11_close_sessions(struct p11_module *module)
{
    static const struct timespec moment = {.tv_nsec = 100000};
    for (uint32_t i = 0; i < module->session_high; i++) {
        while (module->sessions[i] != NULL) {
            session_close(module, module->sessions[i]);
        }
    }
    while (module->is_ending && module->users != 0) { /* on their way out of a closed session */
        p11_unlock();
        nanosleep(&moment, NULL);
        (void)p11_lock();
    }
}

/* ---- sessions ---- */

static CK_RV session_open(struct p11_module *module, CK_FLAGS flags, CK_SESSION_HANDLE *handle)
{
    uint32_t place = 0;
    while (place < P11_SESSION_MAX && module->sessions[place] != NULL) {
        place++;
    }
    if (place == P11_SESSION_MAX) {
        return CKR_SESSION_COUNT;
    }
    struct p11_session *session = calloc(1, sizeof *session);
    if (session == NULL) {
        return CKR_HOST_MEMORY;
    }
    pthread_mutex_init(&session->lock, NULL);
    session->flags = flags;
    session->handle = ++module->serial << PLACE_BITS | place;
    module->sessions[place] = session;
    module->session_high = place >= module->session_high ? place + 1 : module->session_high;
    module->session_count++;
    module->rw_session_count += (flags & CKF_RW_SESSION) != 0 ? 1 : 0;
    *handle = session->handle;
    return CKR_OK;
}

CK_RV C_OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, void *application, ck_notify notify,
                    CK_SESSION_HANDLE *session)
{
    (void)application; /* nothing is ever notified: there are no surrenders */
    (void)notify;
    if (session == NULL) {
        return CKR_ARGUMENTS_BAD;
    }
    struct p11_module *module = p11_lock();
    if (module == NULL) {
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    }
    CK_RV rv = module->is_ending                   ? CKR_CRYPTOKI_NOT_INITIALIZED
               : slot != P11_SLOT                  ? CKR_SLOT_ID_INVALID
               : (flags & CKF_SERIAL_SESSION) == 0 ? CKR_SESSION_PARALLEL_NOT_SUPPORTED
                                                   : session_open(module, flags, session);
    p11_unlock();
    return rv;
}

CK_RV C_CloseSession(CK_SESSION_HANDLE session)
{
    struct p11_module *module = p11_lock();
    if (module == NULL) {
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    }
    struct p11_session *found = session_find(module, session);
    if (found != NULL) {
        session_close(module, found);
    }
    p11_unlock();
    return found != NULL ? CKR_OK : CKR_SESSION_HANDLE_INVALID;
}

CK_RV C_CloseAllSessions(CK_SLOT_ID slot)
{
    struct p11_module *module = p11_lock();
    if (module == NULL) {
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    }
    if (slot == P11_SLOT) {
        p11_close_sessions(module);
    }
    p11_unlock();
    return slot == P11_SLOT ? CKR_OK : CKR_SLOT_ID_INVALID;
}

CK_RV C_GetSessionInfo(CK_SESSION_HANDLE session, struct ck_session_info *info)
{
    if (info == NULL) {
        return CKR_ARGUMENTS_BAD;
    }
    struct p11_module *module = p11_lock();
    if (module == NULL) {
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    }
    const struct p11_session *found = session_find(module, session);
    if (found != NULL) {
        bool rw = (found->flags & CKF_RW_SESSION) != 0;
        memset(info, 0, sizeof *info);
        info->slot = P11_SLOT;
        info->flags = found->flags;
        info->state = module->is_logged_in ? (rw ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS)
                                           : (rw ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION);
    }
    p11_unlock();
    return found != NULL ? CKR_OK : CKR_SESSION_HANDLE_INVALID;
}

/* ---- login: the credential's file is what lets in; a PIN is taken, and says nothing ---- */

CK_RV C_Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_BYTE *pin, CK_ULONG pin_size)
{
    if (pin == NULL && pin_size != 0) {
        return CKR_ARGUMENTS_BAD;
    }
    struct p11_module *module = p11_lock();
    if (module == NULL) {
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    }
    CK_RV rv = session_find(module, session) == NULL ? CKR_SESSION_HANDLE_INVALID
               : user == CKU_CONTEXT_SPECIFIC        ? CKR_OPERATION_NOT_INITIALIZED
               : user != CKU_USER                    ? CKR_USER_TYPE_INVALID
               : module->is_logged_in                ? CKR_USER_ALREADY_LOGGED_IN
                                                     : CKR_OK;
    if (rv == CKR_OK) {
        module->is_logged_in = true;
    }
    p11_unlock();
    return rv;
}

CK_RV C_LoginUser(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_BYTE *pin, CK_ULONG pin_size,
                  CK_BYTE *name, CK_ULONG name_size)
{
    if (name == NULL && name_size != 0) {
        return CKR_ARGUMENTS_BAD;
    }
    return C_Login(session, user, pin, pin_size);
}

CK_RV C_Logout(CK_SESSION_HANDLE session)
{
    struct p11_module *module = p11_lock();
    if (module == NULL) {
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    }
    CK_RV rv = session_find(module, session) == NULL ? CKR_SESSION_HANDLE_INVALID
               : !module->is_logged_in               ? CKR_USER_NOT_LOGGED_IN
                                                     : CKR_OK;
    if (rv == CKR_OK) {
        module->is_logged_in = false;
    }
    p11_unlock();
    return rv;
}

/* ---- what is under way ---- */

void p11_operation_end(struct p11_operation *operation)
{
    if (operation->bytes != NULL) {
        csn_wipe(operation->bytes, operation->room);
    }
    free(operation->bytes);
    free(operation->extra);
    csn_wipe(&operation->hash, sizeof operation->hash);
    p11_key_hold(operation->key, false);
    *operation = (struct p11_operation){.is_active = false};
}

CK_RV p11_operation_begin(struct p11_session *session, enum p11_kind kind,
                          CK_MECHANISM_TYPE mechanism, const struct p11_key *key)
{
    struct p11_operation *operation = &session->operations[kind];
    if (operation->is_active) {
        return CKR_OPERATION_ACTIVE;
    }
    operation->is_active = true;
    operation->mechanism = mechanism;
    operation->key = key;
    p11_key_hold(key, true);
    return CKR_OK;
}

CK_RV p11_operation_get(struct p11_session *session, enum p11_kind kind,
                        struct p11_operation **operation)
{
    *operation = &session->operations[kind];
    return (*operation)->is_active ? CKR_OK : CKR_OPERATION_NOT_INITIALIZED;
}

CK_RV p11_operation_whole(CK_SESSION_HANDLE session, enum p11_kind kind, p11_end end,
                          const CK_BYTE *data, CK_ULONG data_size, CK_BYTE *output,
                          CK_ULONG *output_size)
{
    struct p11_session *found;
    struct p11_operation *operation;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    rv = p11_operation_get(found, kind, &operation);
    if (rv == CKR_OK && operation->is_multiple) {
        rv = CKR_OPERATION_ACTIVE;
    } else if (rv == CKR_OK && ((data == NULL && data_size != 0) || output_size == NULL)) {
        p11_operation_end(operation);
        rv = CKR_ARGUMENTS_BAD;
    } else if (rv == CKR_OK) {
        rv = end(operation, data, data_size, output, output_size);
    }
    p11_leave(found);
    return rv;
}

CK_RV p11_operation_add(struct p11_operation *operation, const void *bytes, size_t size)
{
    if (size > P11_BUFFER_MAX - operation->size) {
        return CKR_DATA_LEN_RANGE;
    }
    if (operation->room - operation->size < size) {
        size_t room = 2 * (operation->size + size) + 256;
        uint8_t *more = malloc(room);
        if (more == NULL) {
            return CKR_HOST_MEMORY;
        }
        if (operation->size != 0) {
            memcpy(more, operation->bytes, operation->size);
            csn_wipe(operation->bytes, operation->room);
        }
        free(operation->bytes);
        operation->bytes = more;
        operation->room = room;
    }
    if (size != 0) {
        memcpy(operation->bytes + operation->size, bytes, size);
    }
    operation->size += size;
    return CKR_OK;
}

CK_RV p11_room(const CK_BYTE *output, CK_ULONG *room, CK_ULONG size)
{
    CK_ULONG had = *room;
    *room = size;
    return output != NULL && had < size ? CKR_BUFFER_TOO_SMALL : CKR_OK;
}

/* 3.0: ends what is under way, of the kinds that flags name. */
CK_RV C_SessionCancel(CK_SESSION_HANDLE session, CK_FLAGS flags)
{
    static const struct {
        CK_FLAGS flag;
        enum p11_kind kind;
    } kinds[] = {{CKF_ENCRYPT, P11_ENCRYPT},
                 {CKF_DECRYPT, P11_DECRYPT},
                 {CKF_DIGEST, P11_DIGEST},
                 {CKF_SIGN, P11_SIGN},
                 {CKF_VERIFY, P11_VERIFY},
                 {CKF_MESSAGE_ENCRYPT, P11_MESSAGE_ENCRYPT},
                 {CKF_MESSAGE_DECRYPT, P11_MESSAGE_DECRYPT}};
    struct p11_session *found;
    CK_RV rv = p11_enter(session, &found);
    if (rv != CKR_OK) {
        return rv;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if ((flags & kinds[i].flag) != 0) {
            p11_operation_end(&found->operations[kinds[i].kind]);
        }
    }
    p11_leave(found);
    return CKR_OK;
}
