/* SPDX-License-Identifier: Apache-2.0 */
/* control.c: see control.h. */
#include "control.h"
#include "cli.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>

#define DIAL_TRIES    100u /* five seconds */
#define DIAL_PAUSE_NS 50000000L

int cli_control_connect(const char *path)
{
    struct sockaddr_un address;
    if (!csn_control_address(path, &address)) {
        return cli_fail(-1, "%s: a socket's path has at most %zu bytes", path,
                        sizeof address.sun_path - 1);
    }
    int fd = csn_control_dial(&address);
    /* A run that was started just before has its socket once the enclave serves. */
    for (uint32_t i = 0; fd < 0 && (errno == ENOENT || errno == ECONNREFUSED) && i < DIAL_TRIES;
         i++) {
        nanosleep(&(struct timespec){.tv_nsec = DIAL_PAUSE_NS}, NULL);
        fd = csn_control_dial(&address);
    }
    if (fd < 0) {
        cli_fail(0, "%s: %s; is caisson run or caisson serve there?", path, strerror(errno));
    }
    return fd;
}

uint8_t *cli_control_call(int fd, uint32_t type, const void *bytes, uint32_t size,
                          uint32_t *reply_size)
{
    uint32_t reply_type = 0;
    uint8_t *reply = NULL;
    if (!csn_control_write(fd, type, bytes, size) ||
        !csn_control_read(fd, &reply_type, &reply, reply_size)) {
        cli_fail(0, "the control socket was closed before the answer came");
        return NULL;
    }
    if (reply_type == type) {
        return reply;
    }
    if (reply_type == CSN_CONTROL_ERROR) {
        for (uint32_t i = 0; i < *reply_size; i++) { /* a host's words: no codes for a terminal */
            reply[i] = reply[i] >= 0x20 && reply[i] < 0x7f ? reply[i] : '?';
        }
        cli_fail(0, "the host answers: %s", (const char *)reply);
    } else {
        cli_fail(0, "the control socket answered with type %u, not %u", reply_type, type);
    }
    free(reply);
    return NULL;
}
