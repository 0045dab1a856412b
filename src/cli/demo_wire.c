/* SPDX-License-Identifier: Apache-2.0 */
/* demo_wire.c: framed messages between the processes of the demo, each wait with a limit. */
#define _GNU_SOURCE
#include "demo.h"
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAIR_BUFFER_SIZE (1 << 20)

bool demo_send(int fd, uint32_t type, const void *bytes, size_t size)
{
    const uint32_t head[2] = {type, (uint32_t)size};
    return size <= DEMO_MESSAGE_SIZE_MAX && cli_write_exactly(fd, head, sizeof head) &&
           (size == 0 || cli_write_exactly(fd, bytes, size));
}

bool demo_receive(int fd, struct demo_message *message)
{
    uint32_t head[2];
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    if (poll(&poller, 1, DEMO_STALL_MS) != 1 || !cli_read_exactly(fd, head, sizeof head) ||
        head[1] > DEMO_MESSAGE_SIZE_MAX) {
        return false;
    }
    message->type = head[0];
    message->size = head[1];
    return cli_read_exactly(fd, message->bytes, head[1]);
}

bool demo_expect(int fd, const char *who, uint32_t type, size_t size, struct demo_message *message)
{
    if (!demo_receive(fd, message)) {
        cli_fail(0, "the %s is gone or silent", who);
        return false;
    }
    if (message->type == DEMO_FAILED) {
        cli_fail(0, "the %s: %.*s", who, (int)message->size, (const char *)message->bytes);
        return false;
    }
    if (message->type != type || (size != 0 && message->size != size)) {
        cli_fail(0, "the %s said something unexpected (%u, not %u)", who, message->type, type);
        return false;
    }
    return true;
}

void demo_die(int fd, const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (size > 0) {
        size_t used = (size_t)size < sizeof text ? (size_t)size : sizeof text - 1;
        (void)demo_send(fd, DEMO_FAILED, text, used);
    }
    _exit(1);
}

bool demo_pair(int fds[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        const int size = PAIR_BUFFER_SIZE; /* best effort: the kernel may give less */
        (void)setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        (void)setsockopt(fds[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
    return true;
}

void demo_die_with_parent(void)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == 1) {
        _exit(1); /* it was gone before the line above */
    }
}
