/* SPDX-License-Identifier: Apache-2.0 */
/* children.c: see children.h. Not every kernel lists children, so all processes are asked. */
#include "children.h"
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The parent of a process, or 0. */
static int parent_of(const char *entry)
{
    char path[300];
    char text[512] = "";
    int parent = 0;
    snprintf(path, sizeof path, "/proc/%s/stat", entry);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        size_t size = fread(text, 1, sizeof text - 1, file);
        text[size] = 0;
        fclose(file);
        const char *name_end = strrchr(text, ')');
        if (name_end == NULL || sscanf(name_end, ") %*c %d", &parent) != 1) {
            parent = 0;
        }
    }
    return parent;
}

bool children_signal(int number)
{
    bool sent = false;
    DIR *folder = opendir("/proc");
    struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        int child = atoi(entry->d_name);
        if (child > 0 && parent_of(entry->d_name) == (int)getpid()) {
            sent = kill(child, number) == 0 || sent;
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return sent;
}
