/* SPDX-License-Identifier: Apache-2.0 */
/* children.c: see children.h. */
#define _GNU_SOURCE
#include "children.h"
#include "measure.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILDREN_MAX 16u
#define PATHS_MAX    64u
#define TEXT_MAX     65536u
#define AWAIT_NS     UINT64_C(10000000000)
#define END_NS       UINT64_C(5000000000)
#define NAP_NS       2000000L

static struct {
    char folder[PATH_MAX];
    pid_t owner;
    pid_t list[CHILDREN_MAX];
    size_t count;
} children;

/* ---- the folder ---- */

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    (void)about;
    (void)kind;
    (void)place;
    return remove(path);
}

static void clean(void)
{
    if (getpid() != children.owner) {
        return;
    }
    while (children.count != 0) {
        children_end(children.list[children.count - 1]);
    }
    (void)nftw(children.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void begin(void)
{
    const char *where = getenv("TMPDIR");
    if (children.owner != 0) {
        return;
    }
    snprintf(children.folder, sizeof children.folder, "%s/caisson-servers-XXXXXX",
             where == NULL ? "/tmp" : where);
    bench_require(mkdtemp(children.folder) != NULL, "no temporary folder");
    children.owner = getpid();
    bench_require(atexit(clean) == 0, "atexit");
}

const char *children_path(const char *name)
{
    static char *paths[PATHS_MAX];
    static size_t count;
    char *path = NULL;
    begin();
    bench_require(asprintf(&path, "%s/%s", children.folder, name) > 0, "no memory");
    for (size_t i = 0; i < count; i++) {
        if (strcmp(paths[i], path) == 0) {
            free(path);
            return paths[i];
        }
    }
    bench_require(count < PATHS_MAX, "that many files");
    paths[count++] = path;
    return path;
}

void children_write(const char *name, const void *bytes, size_t size)
{
    int fd = open(children_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bench_require(fd >= 0 && write(fd, bytes, size) == (ssize_t)size && close(fd) == 0, name);
}

const char *children_read(const char *name)
{
    static char text[TEXT_MAX];
    int fd = open(children_path(name), O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0) {
        close(fd);
    }
    text[size < 0 ? 0 : size] = 0;
    return text;
}

const char *children_find(const char *program)
{
    char path[PATH_MAX];
    char folders[TEXT_MAX];
    const char *list = getenv("PATH");
    /* Servers lie where only root's search path leads. */
    snprintf(folders, sizeof folders, "%s:/usr/sbin:/sbin", list == NULL ? "/usr/bin:/bin" : list);
    char *rest = NULL;
    for (char *at = strtok_r(folders, ":", &rest); at != NULL; at = strtok_r(NULL, ":", &rest)) {
        snprintf(path, sizeof path, "%s/%s", at, program);
        if (access(path, X_OK) == 0) {
            return strdup(path);
        }
    }
    return NULL;
}

/* ---- processes ---- */

static pid_t keep(pid_t child)
{
    bench_require(child > 0 && children.count < CHILDREN_MAX, "no process");
    children.list[children.count++] = child;
    return child;
}

/* In the child: it does not outlive this program. */
static void become(void)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != children.owner) {
        _exit(1);
    }
}

pid_t children_start(const char *name, const char *const argv[])
{
    char log[NAME_MAX];
    snprintf(log, sizeof log, "%s.log", name);
    const char *path = children_path(log);
    pid_t child = fork();
    if (child == 0) {
        become();
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        int none = open("/dev/null", O_RDONLY);
        if (fd >= 0 && none >= 0 && dup2(none, 0) == 0 && dup2(fd, 1) == 1 && dup2(fd, 2) == 2) {
            execv(argv[0], (char *const *)argv);
        }
        _exit(127);
    }
    return keep(child);
}

pid_t children_fork(void (*serve)(void *state), void *state)
{
    begin();
    pid_t child = fork();
    if (child == 0) {
        become();
        serve(state);
        _exit(1);
    }
    return keep(child);
}

static void nap(void)
{
    const struct timespec time = {.tv_nsec = NAP_NS};
    nanosleep(&time, NULL);
}

static void forget(pid_t child)
{
    for (size_t i = 0; i < children.count; i++) {
        if (children.list[i] == child) {
            children.list[i] = children.list[--children.count];
            return;
        }
    }
}

bool children_wait(pid_t child, uint64_t timeout_ns)
{
    int status = -1;
    uint64_t until = bench_wall_ns() + timeout_ns;
    pid_t got;
    while ((got = waitpid(child, &status, WNOHANG)) == 0 && bench_wall_ns() < until) {
        nap();
    }
    if (got != child) {
        return false;
    }
    forget(child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void children_end(pid_t child)
{
    kill(child, SIGTERM);
    (void)children_wait(child, END_NS);
    for (size_t i = 0; i < children.count; i++) {
        if (children.list[i] == child) { /* still there */
            kill(child, SIGKILL);
            (void)waitpid(child, NULL, 0);
            forget(child);
        }
    }
}

/* ---- ports ---- */

static int bound(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bench_require(fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0 &&
                      getsockname(fd, (struct sockaddr *)&address, &size) == 0,
                  "no port");
    *port = ntohs(address.sin_port);
    return fd;
}

uint16_t children_port(void)
{
    uint16_t port;
    close(bound(&port));
    return port;
}

static bool accepts(uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool done = fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return done;
}

void children_await(pid_t child, uint16_t port, const char *name)
{
    char log[NAME_MAX];
    uint64_t until = bench_wall_ns() + AWAIT_NS;
    while (!accepts(port)) {
        if (waitpid(child, NULL, WNOHANG) == child || bench_wall_ns() > until) {
            snprintf(log, sizeof log, "%s.log", name);
            fprintf(stderr, "%s does not serve: %s\n", name, children_read(log));
            exit(1);
        }
        nap();
    }
}
