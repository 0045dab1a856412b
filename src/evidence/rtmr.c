/* SPDX-License-Identifier: Apache-2.0 */
/* rtmr.c: extend a TDX runtime measurement register through Linux's measurements/ folder. */
#include <caisson/evidence.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

csn_err csn_evidence_extend_rtmr(const char *path, const uint8_t measurement[48], char detail[200])
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool there = fd >= 0 || errno != ENOENT;
    /* One write is one extension: never a second one for what is left of the first. */
    ssize_t put = fd >= 0 ? write(fd, measurement, 48) : -1;
    int saved = errno;
    if (fd >= 0 && close(fd) != 0 && put == 48) {
        saved = errno;
        put = -1;
    }
    if (put != 48) {
        snprintf(detail, 200, "%.100s: %.90s", path, put < 0 ? strerror(saved) : "a partial write");
        return there ? CSN_ERR_SYSTEM : CSN_ERR_MISSING;
    }
    return CSN_OK;
}
