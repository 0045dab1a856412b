/* SPDX-License-Identifier: Apache-2.0 */
/* view_show.c: `view_show metrics|page|json|policy PICTURE` writes what a renderer makes of one. */
#include "view_picture.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    static struct csn_view view;
    if (argc != 3 || !view_picture(argv[2], &view)) {
        fputs("usage: view_show metrics|page|json|policy PICTURE\n", stderr);
        return 2;
    }
    if (strcmp(argv[1], "policy") == 0) {
        puts(CSN_VIEW_PAGE_POLICY);
        return 0;
    }
    size_t (*render)(const struct csn_view *, char *, size_t) =
        strcmp(argv[1], "page") == 0   ? csn_view_page
        : strcmp(argv[1], "json") == 0 ? csn_view_json
                                       : csn_view_metrics;
    size_t size = render(&view, NULL, 0);
    char *bytes = malloc(size + 1);
    if (bytes == NULL || render(&view, bytes, size + 1) != size || strlen(bytes) != size) {
        fputs("another size than it said\n", stderr);
        return 1;
    }
    fwrite(bytes, 1, size, stdout);
    free(bytes);
    return 0;
}
