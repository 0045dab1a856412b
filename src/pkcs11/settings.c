/* SPDX-License-Identifier: Apache-2.0 */
/* settings.c: see settings.h. */
#include "settings.h"
#include <caisson/wire/transit.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (UINT64_C(1) << 20)

static _Thread_local char mistake[512];

char *p11_file_read(const char *path, size_t size_max, size_t *size)
{
    struct stat status;
    size_t got = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return NULL;
    }
    char *text = NULL;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
        (uint64_t)status.st_size <= size_max) {
        text = malloc((size_t)status.st_size + 1);
    } else {
        errno = EFBIG;
    }
    for (ssize_t part = 1; text != NULL && part > 0 && got < (size_t)status.st_size;) {
        part = read(fd, text + got, (size_t)status.st_size - got);
        got += part > 0 ? (size_t)part : 0;
    }
    close(fd);
    if (text != NULL) {
        text[got] = 0;
        *size = got;
    }
    return text;
}

/* ---- one line ---- */

enum field_kind {
    FIELD_TEXT,
    FIELD_PATH, /* a text; relative: beside the file of the settings */
    FIELD_NUMBER,
    FIELD_FLAG,
};

static const struct {
    const char *name;
    enum field_kind kind;
    size_t offset;
    size_t size; /* of texts, with their end; of numbers: the largest */
} fields[] = {
    {"gateway", FIELD_TEXT, offsetof(struct p11_settings, gateway), P11_PATH_MAX},
    {"rings", FIELD_PATH, offsetof(struct p11_settings, rings), P11_PATH_MAX},
    {"policy", FIELD_PATH, offsetof(struct p11_settings, policy), P11_PATH_MAX},
    {"credential", FIELD_PATH, offsetof(struct p11_settings, credential), P11_PATH_MAX},
    {"service", FIELD_TEXT, offsetof(struct p11_settings, service), 65},
    {"label", FIELD_TEXT, offsetof(struct p11_settings, label), 33},
    {"purpose", FIELD_NUMBER, offsetof(struct p11_settings, purpose), 63},
    {"timeout_ms", FIELD_NUMBER, offsetof(struct p11_settings, timeout_ms), 600000},
    {"refresh_ms", FIELD_NUMBER, offsetof(struct p11_settings, refresh_ms), 86400000},
    {"lanes", FIELD_NUMBER, offsetof(struct p11_settings, lanes), P11_LANE_MAX},
    {"spin_us", FIELD_NUMBER, offsetof(struct p11_settings, spin_us), 1000000},
    {"login", FIELD_FLAG, offsetof(struct p11_settings, login), 0},
    {"once", FIELD_FLAG, offsetof(struct p11_settings, once), 0},
    {"debug", FIELD_FLAG, offsetof(struct p11_settings, debug), 0},
};
#define FIELD_COUNT (sizeof fields / sizeof fields[0])

struct line {
    const char *file;
    unsigned number;
    const char *name, *value; /* terminated */
};

static bool wrong(const struct line *line, const char *what)
{
    snprintf(mistake, sizeof mistake, "%s:%u: %s: %s", line->file, line->number, line->name, what);
    return false;
}

static bool set_path(const struct line *line, char *target, size_t size)
{
    const char *slash = strrchr(line->file, '/');
    int folder = line->value[0] != '/' && slash != NULL ? (int)(slash - line->file) + 1 : 0;
    int length = snprintf(target, size, "%.*s%s", folder, line->file, line->value);
    return (length > 0 && (size_t)length < size) || wrong(line, "too long");
}

static bool set_number(const struct line *line, uint32_t *target, size_t maximum)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(line->value, &end, 10);
    if (line->value[0] < '0' || line->value[0] > '9' || *end != 0 || errno != 0 ||
        value > maximum) {
        return wrong(line, "not a number, or too large");
    }
    *target = (uint32_t)value;
    return true;
}

static bool set_field(struct p11_settings *settings, const struct line *line, size_t i)
{
    char *target = (char *)settings + fields[i].offset;
    size_t length = strlen(line->value);
    switch (fields[i].kind) {
    case FIELD_PATH:
        return set_path(line, target, fields[i].size);
    case FIELD_NUMBER:
        return set_number(line, (uint32_t *)(void *)target, fields[i].size);
    case FIELD_FLAG:
        *(bool *)target = strcmp(line->value, "true") == 0;
        return *(bool *)target || strcmp(line->value, "false") == 0 || wrong(line, "true or false");
    case FIELD_TEXT:
        break;
    }
    if (length >= fields[i].size) {
        return wrong(line, "too long");
    }
    memcpy(target, line->value, length + 1);
    return true;
}

/* "hide = ed25519 x25519" */
static bool set_hidden(struct p11_settings *settings, const struct line *line)
{
    static const struct {
        const char *name;
        uint32_t type;
    } types[] = {{"aes-256", CSN_WIRE_TRANSIT_AES_256}, {"hmac", CSN_WIRE_TRANSIT_HMAC},
                 {"ed25519", CSN_WIRE_TRANSIT_ED25519}, {"p-256", CSN_WIRE_TRANSIT_P256},
                 {"p-384", CSN_WIRE_TRANSIT_P384},      {"x25519", CSN_WIRE_TRANSIT_X25519}};
    const char *at = line->value + strspn(line->value, " \t");
    while (at[0] != 0) {
        size_t size = strcspn(at, " \t");
        size_t i = 0;
        while (i < sizeof types / sizeof types[0] &&
               (strlen(types[i].name) != size || memcmp(types[i].name, at, size) != 0)) {
            i++;
        }
        if (i == sizeof types / sizeof types[0]) {
            return wrong(line, "not a type of key");
        }
        settings->hidden |= 1u << types[i].type;
        at += size + strspn(at + size, " \t");
    }
    return true;
}

/* "certificate = NAME PATH" */
static bool set_certificate(struct p11_settings *settings, const struct line *line)
{
    size_t size = strcspn(line->value, " \t");
    const char *path = line->value + size + strspn(line->value + size, " \t");
    if (settings->certificate_count == P11_CERTIFICATE_MAX) {
        return wrong(line, "too many");
    }
    char *key = settings->certificates[settings->certificate_count].key;
    if (size == 0 || size >= sizeof settings->certificates[0].key || path[0] == 0) {
        return wrong(line, "wants the name of a key and a path");
    }
    memcpy(key, line->value, size);
    key[size] = 0;
    struct line rest = *line;
    rest.value = path;
    return set_path(&rest, settings->certificates[settings->certificate_count++].path,
                    P11_PATH_MAX);
}

static bool set(struct p11_settings *settings, const struct line *line)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (strcmp(line->name, fields[i].name) == 0) {
            return set_field(settings, line, i);
        }
    }
    return strcmp(line->name, "certificate") == 0 ? set_certificate(settings, line)
           : strcmp(line->name, "hide") == 0      ? set_hidden(settings, line)
                                                  : wrong(line, "no such setting");
}

/* ---- the file ---- */

/* Blanks at both ends away, in place. */
static char *trim(char *text)
{
    size_t size = strlen(text);
    while (size != 0 && strchr(" \t\r", text[size - 1]) != NULL) {
        text[--size] = 0;
    }
    return text + strspn(text, " \t");
}

static bool parse_line(struct p11_settings *settings, char *text, struct line *line)
{
    char *begin = trim(text);
    char *equals = strchr(begin, '=');
    if (begin[0] == 0 || begin[0] == '#') {
        return true;
    }
    line->name = begin;
    if (equals == NULL) {
        return wrong(line, "wants NAME = VALUE");
    }
    *equals = 0;
    line->name = trim(begin);
    line->value = trim(equals + 1);
    return set(settings, line);
}

/* What there must be. */
static bool is_complete(const struct p11_settings *settings, const char *name)
{
    const char *missing = settings->gateway[0] == 0      ? "gateway"
                          : settings->policy[0] == 0     ? "policy"
                          : settings->credential[0] == 0 ? "credential"
                                                         : NULL;
    if (missing != NULL) {
        snprintf(mistake, sizeof mistake, "%s: no %s", name, missing);
    } else if (strncmp(settings->gateway, "http://", 7) != 0 &&
               strncmp(settings->gateway, "unix:", 5) != 0) {
        missing = settings->gateway;
        snprintf(mistake, sizeof mistake, "%s: gateway: http://HOST:PORT or unix:PATH", name);
    } else if (settings->lanes == 0 || settings->timeout_ms == 0) {
        missing = "lanes";
        snprintf(mistake, sizeof mistake, "%s: lanes and timeout_ms are above 0", name);
    }
    return missing == NULL;
}

bool p11_settings_parse(struct p11_settings *settings, const char *text, size_t size,
                        const char *name, const char **why)
{
    struct line line = {.file = name};
    char *copy = malloc(size + 1);
    *why = "out of memory";
    if (copy == NULL) {
        return false;
    }
    *why = mistake;
    memcpy(copy, text, size);
    copy[size] = 0;
    memset(settings, 0, sizeof *settings);
    memcpy(settings->label, "caisson", sizeof "caisson");
    settings->timeout_ms = 30000;
    settings->refresh_ms = 1000;
    settings->lanes = 4;
    settings->spin_us = 50;
    bool good = memchr(text, 0, size) == NULL;
    if (!good) {
        snprintf(mistake, sizeof mistake, "%s: not a text", name);
    }
    for (char *at = copy; good && at != NULL;) {
        char *end = strchr(at, '\n');
        if (end != NULL) {
            *end++ = 0;
        }
        line.number++;
        good = parse_line(settings, at, &line);
        at = end;
    }
    good = good && is_complete(settings, name);
    free(copy);
    return good;
}

static const char *find_file(char path[P11_PATH_MAX])
{
    /* A program with another user's rights than its caller's takes no word of the environment. */
    const char *named = secure_getenv("CAISSON_PKCS11_CONF");
    const char *home = secure_getenv("HOME");
    if (named != NULL) {
        return named;
    }
    if (home != NULL) {
        int length = snprintf(path, P11_PATH_MAX, "%s/.config/caisson/pkcs11.conf", home);
        if (length > 0 && length < (int)P11_PATH_MAX && access(path, R_OK) == 0) {
            return path;
        }
    }
    return "/etc/caisson/pkcs11.conf";
}

bool p11_settings_read(struct p11_settings *settings, const char **why)
{
    char place[P11_PATH_MAX];
    size_t size = 0;
    const char *path = find_file(place);
    char *text = p11_file_read(path, FILE_MAX, &size);
    if (text == NULL) {
        snprintf(mistake, sizeof mistake, "%s: %s", path, strerror(errno));
        *why = mistake;
        return false;
    }
    bool good = p11_settings_parse(settings, text, size, path, why);
    free(text);
    return good;
}
