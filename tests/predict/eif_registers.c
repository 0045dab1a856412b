/* SPDX-License-Identifier: Apache-2.0 */
/* eif_registers.c: prints the registers predicted for the EIF on stdin, or why there are none. */
#include "predict/nitro.h"
#include <stdio.h>
#include <stdlib.h>

static void print(const char *name, const uint8_t pcr[48])
{
    printf("%s ", name);
    for (size_t i = 0; i < 48; i++) {
        printf("%02x", pcr[i]);
    }
    putchar('\n');
}

int main(void)
{
    static uint8_t room[1 << 20];
    size_t size = fread(room, 1, sizeof room, stdin);
    /* A copy that ends where the file does, so that a sanitizer sees a read beyond. */
    uint8_t *bytes = malloc(size + 1);
    struct csv_eif eif;
    const char *why;
    if (bytes == NULL) {
        return 2;
    }
    for (size_t i = 0; i < size; i++) {
        bytes[i + 1] = room[i];
    }
    bool good = csv_eif_predict((struct csv_bytes){bytes + 1, size}, &eif, &why);
    if (good) {
        print("pcr0", eif.pcr0);
        print("pcr1", eif.pcr1);
        print("pcr2", eif.pcr2);
        print("pcr8", eif.pcr8);
        printf("signed %d\ngood %d\n", eif.is_signed, eif.signature_good);
    } else {
        printf("refused %s\n", why);
    }
    free(bytes);
    return good ? 0 : 3;
}
