/* SPDX-License-Identifier: Apache-2.0 */
/* lines.c: see lines.h. */
#include "lines.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 4u

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

csn_err lines_hex(const char *text, uint8_t *bytes, uint32_t *size)
{
    size_t length = text == NULL ? 1 : strlen(text);
    if (length % 2 != 0 || length / 2 > LINES_BYTES_MAX) {
        return CSN_ERR_ARGUMENT;
    }
    for (size_t i = 0; i < length; i += 2) {
        if (digit(text[i]) < 0 || digit(text[i + 1]) < 0) {
            return CSN_ERR_ARGUMENT;
        }
        bytes[i / 2] = (uint8_t)(digit(text[i]) << 4 | digit(text[i + 1]));
    }
    *size = (uint32_t)(length / 2);
    return CSN_OK;
}

static void say(csn_err result, const uint8_t *bytes, uint32_t size)
{
    if (result != CSN_OK) {
        printf("no %s", csn_err_name(result));
        size = 0;
    } else {
        printf("ok ");
    }
    for (uint32_t i = 0; i < size; i++) {
        printf("%02x", bytes[i]);
    }
    printf("\n");
    (void)fflush(stdout);
}

int lines_serve(lines_run run)
{
    static char line[2 * LINES_BYTES_MAX + 512];
    static uint8_t out[LINES_BYTES_MAX];
    while (fgets(line, sizeof line, stdin) != NULL) {
        const char *words[WORDS_MAX + 1] = {NULL};
        char *rest = line;
        uint32_t size = 0;
        for (uint32_t i = 0; i < WORDS_MAX && rest != NULL; i++) {
            words[i] = strtok_r(rest, " \n", &rest);
        }
        csn_err result = words[0] != NULL ? run(words, out, &size) : CSN_ERR_ARGUMENT;
        say(result, out, size);
    }
    return EXIT_SUCCESS;
}
