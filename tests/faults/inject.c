/* Makes one system call of a process fail, or kills the process around it: a library for LD_PRELOAD.
 *
 * Only calls on files below a folder count. `arm` sets what happens in this process and starts the count from 0; before it, and in
 * children that were forked before it, nothing happens. `count` returns how many calls of each kind there were.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum kind { WRITE, FSYNC, RENAME, LINK, OPEN_WRITE, OPEN_READ, MKDIR, UNLINK, MMAP, KINDS };
enum fault { NOTHING, FAIL_ONCE, FAIL_ON, KILL_BEFORE, KILL_AFTER };

static char root[PATH_MAX];
static int armed, kind_of_fault, fault, error_number;
static long at, counts[KINDS];

void arm(const char *folder, int kind, long number, int what, int error) {
    strncpy(root, folder, sizeof root - 1);
    kind_of_fault = kind, at = number, fault = what, error_number = error;
    memset(counts, 0, sizeof counts);
    armed = 1;
}

void disarm(void) { armed = 0; }

long count(int kind) { return counts[kind]; }

static int below(const char *path) {
    char whole[PATH_MAX];
    if (!armed || !path) return 0;
    if (path[0] != '/') {
        if (!getcwd(whole, sizeof whole)) return 0;
        strncat(whole, "/", sizeof whole - strlen(whole) - 1);
        strncat(whole, path, sizeof whole - strlen(whole) - 1);
        path = whole;
    }
    return strncmp(path, root, strlen(root)) == 0;
}

static int of_descriptor(int descriptor) {
    char name[64], path[PATH_MAX];
    if (!armed) return 0;
    snprintf(name, sizeof name, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return below(path);
}

/* Returns whether this call has to fail; sets errno. */
static int met(int counts_here, enum kind kind) {
    if (!counts_here) return 0;
    long number = __atomic_add_fetch(&counts[kind], 1, __ATOMIC_SEQ_CST);
    if ((int)kind != kind_of_fault) return 0;
    if (fault == KILL_BEFORE && number == at) kill(getpid(), SIGKILL);
    if ((fault == FAIL_ONCE && number == at) || (fault == FAIL_ON && number >= at)) {
        errno = error_number;
        return 1;
    }
    return 0;
}

static void done(int counts_here, enum kind kind) {
    if (counts_here && fault == KILL_AFTER && (int)kind == kind_of_fault && counts[kind] == at) kill(getpid(), SIGKILL);
}

#define REAL(name) static __typeof__(name) *real; if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
#define CALL(type, name, here, kind, failed, ...) \
    REAL(name); int counted = (here); if (met(counted, kind)) return failed; \
    type result = real(__VA_ARGS__); int kept = errno; done(counted, kind); errno = kept; return result

ssize_t write(int fd, const void *data, size_t size) { CALL(ssize_t, write, of_descriptor(fd), WRITE, -1, fd, data, size); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t place) {
    CALL(ssize_t, pwrite64, of_descriptor(fd), WRITE, -1, fd, data, size, place);
}
int fsync(int fd) { CALL(int, fsync, of_descriptor(fd), FSYNC, -1, fd); }
int rename(const char *from, const char *to) { CALL(int, rename, below(to), RENAME, -1, from, to); }
int link(const char *from, const char *to) { CALL(int, link, below(to), LINK, -1, from, to); }
int linkat(int a, const char *from, int b, const char *to, int flags) { CALL(int, linkat, below(to), LINK, -1, a, from, b, to, flags); }
int mkdir(const char *path, mode_t mode) { CALL(int, mkdir, below(path), MKDIR, -1, path, mode); }
int unlink(const char *path) { CALL(int, unlink, below(path), UNLINK, -1, path); }
void *mmap64(void *address, size_t size, int protection, int flags, int fd, off64_t place) {
    CALL(void *, mmap64, fd >= 0 && of_descriptor(fd), MMAP, MAP_FAILED, address, size, protection, flags, fd, place);
}
void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t place) {
    CALL(void *, mmap, fd >= 0 && of_descriptor(fd), MMAP, MAP_FAILED, address, size, protection, flags, fd, place);
}
int open64(const char *path, int flags, ...) {
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }
    CALL(int, open64, below(path), (flags & O_ACCMODE) == O_RDONLY ? OPEN_READ : OPEN_WRITE, -1, path, flags, mode);
}
int open(const char *path, int flags, ...) {
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }
    CALL(int, open, below(path), (flags & O_ACCMODE) == O_RDONLY ? OPEN_READ : OPEN_WRITE, -1, path, flags, mode);
}
