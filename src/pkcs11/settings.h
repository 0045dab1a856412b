/* SPDX-License-Identifier: Apache-2.0 */
/* settings.h: the module's configuration: a file of "name = value" lines (docs/PKCS11.md). */
#ifndef CSV_PKCS11_SETTINGS_H
#define CSV_PKCS11_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define P11_PATH_MAX        256u
#define P11_CERTIFICATE_MAX 16u
#define P11_LANE_MAX        16u

struct p11_settings {
    char gateway[P11_PATH_MAX];    /* http://HOST:PORT, or unix:PATH */
    char rings[P11_PATH_MAX];      /* path of a socket that hands out rings; "": none */
    char policy[P11_PATH_MAX];     /* whom to believe (docs/POLICY.md) */
    char credential[P11_PATH_MAX]; /* caisson keygen producer */
    char service[65];              /* of the gateway's configuration; "": its first */
    char label[33];                /* of the token */
    uint32_t purpose;
    uint32_t timeout_ms; /* of one exchange */
    uint32_t refresh_ms; /* how old a list of keys may be */
    uint32_t lanes;      /* calls under way at a time */
    uint32_t spin_us;    /* how long to look at a ring before sleeping */
    uint32_t hidden;     /* mask of 1 << enum csn_wire_transit_type that are not shown */
    bool login;          /* keys are shown, and used, after C_Login() alone */
    bool once;           /* each request is served once at most */
    bool debug;          /* says on stderr what goes wrong */
    uint32_t certificate_count;
    struct {
        char key[64];
        char path[P11_PATH_MAX];
    } certificates[P11_CERTIFICATE_MAX];
};

/*
 * From $CAISSON_PKCS11_CONF, ~/.config/caisson/pkcs11.conf or /etc/caisson/pkcs11.conf (the first
 * that is there). text NULL: reads it from there. False: *why (static, or of this thread) says what
 * is wrong.
 */
bool p11_settings_read(struct p11_settings *settings, const char **why);
/* The same of a text that is there already. name stands in messages. */
bool p11_settings_parse(struct p11_settings *settings, const char *text, size_t size,
                        const char *name, const char **why);
/* All of a file of at most size_max bytes, malloc'd and terminated; NULL: errno says why. */
char *p11_file_read(const char *path, size_t size_max, size_t *size);

#endif
