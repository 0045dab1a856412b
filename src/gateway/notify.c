/* SPDX-License-Identifier: Apache-2.0 */
/* notify.c: see notify.h. */
#include "notify.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_US UINT64_C(1000)

static int dial(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = path != NULL ? strlen(path) : 0;
    if (size < 2 || size > sizeof address.sun_path - 1 || (path[0] != '/' && path[0] != '@')) {
        return -1;
    }
    memcpy(address.sun_path, path, size);
    if (path[0] == '@') { /* an abstract name begins with a zero */
        address.sun_path[0] = 0;
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, length) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

void csn_notify_init(struct csn_notify *notify)
{
    const char *wanted = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");
    notify->fd = dial(getenv("NOTIFY_SOCKET"));
    notify->watchdog_ns = 0;
    if (notify->fd >= 0 && wanted != NULL && (pid == NULL || atol(pid) == getpid())) {
        notify->watchdog_ns = strtoull(wanted, NULL, 10) * NS_PER_US;
    }
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

void csn_notify_end(struct csn_notify *notify)
{
    if (notify->fd >= 0) {
        close(notify->fd);
    }
    notify->fd = -1;
}

void csn_notify_tell(const struct csn_notify *notify, const char *state)
{
    if (notify->fd >= 0) {
        (void)send(notify->fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
}

void csn_notify_reloading(const struct csn_notify *notify)
{
    char text[64];
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%llu",
             (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
    csn_notify_tell(notify, text);
}
