/* SPDX-License-Identifier: Apache-2.0 */
/* swtpm.c: see swtpm.h. */
#include "swtpm.h"
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Is this port of the loopback free (bind), or served (connect)? */
static bool port_is(uint16_t port, int (*how)(int, const struct sockaddr *, socklen_t))
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = fd >= 0 && how(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return good;
}

/* Two ports side by side, as tss2 wants them, in this process's own corner; 0: none. */
static uint16_t find_ports(void)
{
    static unsigned turn; /* one that was found may not be taken yet */
    for (unsigned tries = 0; tries < 100; tries++) {
        const unsigned i = turn++;
        uint16_t port = (uint16_t)(20000 + ((unsigned)getpid() * 2 + i * 254) % 12000);
        if (port_is(port, bind) && port_is((uint16_t)(port + 1), bind)) {
            return port;
        }
    }
    return 0;
}

static bool run(struct swtpm *swtpm)
{
    char state[96];
    char server[96];
    char control[96];
    pid_t parent = getpid();
    uint16_t port = find_ports();
    snprintf(state, sizeof state, "dir=%s", swtpm->folder);
    snprintf(server, sizeof server, "type=tcp,bindaddr=127.0.0.1,port=%u", port);
    snprintf(control, sizeof control, "type=tcp,bindaddr=127.0.0.1,port=%u", port + 1u);
    snprintf(swtpm->tcti, sizeof swtpm->tcti, "swtpm:host=127.0.0.1,port=%u", port);
    pid_t child = port != 0 ? fork() : -1;
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() == parent) {
            execlp("swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state, "--server", server,
                   "--ctrl", control, "--flags", "not-need-init,startup-clear", (char *)NULL);
        }
        _exit(127);
    }
    for (int i = 0; child > 0 && i < 500; i++) {
        if (waitpid(child, NULL, WNOHANG) != 0) {
            return false;
        }
        if (port_is((uint16_t)(port + 1), connect)) {
            break;
        }
        usleep(10000);
    }
    swtpm->process = child;
    return child > 0;
}

static void end(struct swtpm *swtpm)
{
    kill(swtpm->process, SIGTERM);
    waitpid(swtpm->process, NULL, 0);
}

static void clean(const struct swtpm *swtpm)
{
    static const char *const names[] = {"tpm2-00.permall", "tpm2-00.volatilestate", ".lock"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[96];
        snprintf(path, sizeof path, "%s/%s", swtpm->folder, names[i]);
        remove(path);
    }
    rmdir(swtpm->folder);
}

bool swtpm_start(struct swtpm *swtpm)
{
    snprintf(swtpm->folder, sizeof swtpm->folder, "/tmp/caisson-tpm-XXXXXX");
    if (mkdtemp(swtpm->folder) == NULL) {
        return false;
    }
    bool runs = run(swtpm);
    if (!runs) {
        clean(swtpm);
    }
    return runs;
}

bool swtpm_restart(struct swtpm *swtpm)
{
    end(swtpm);
    return run(swtpm);
}

void swtpm_stop(struct swtpm *swtpm)
{
    end(swtpm);
    clean(swtpm);
}
