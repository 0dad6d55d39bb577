/* socket_file: the file of a unix socket: whose it is, and who may open it.
 * SPDX-License-Identifier: MIT */
#include "daemon/edge/socket_file.h"
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    SOCKET_MODE_DEFAULT = 0660,
    GROUP_BYTES = 16384,
    GROUP_BYTES_MOST = 16 << 20,
    GREETING_WAIT_MS = 1000,
};

/* A listener of nng 1.5.2 whose greeting cannot be sent never accepts again, so whoever only looks
 * whether it is there must not go before the greeting came. */
static void await_greeting(int fd)
{
    uint8_t greeting[8];
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    if (poll(&ready, 1, GREETING_WAIT_MS) != 1) return;
    ssize_t got = read(fd, greeting, sizeof greeting);
    (void)got; /* what it says does not matter */
}

/* Removes the socket file of a process that is gone. Two daemons that start in the same instant
 * could both find it stale; the lock of the data directory keeps them apart. */
static enum ch_err remove_stale(const char *path, struct ch_why *why)
{
    struct stat found;
    if (lstat(path, &found) != 0) {
        if (errno == ENOENT) return CH_OK;
        return ch_fail(why, CH_ERR_FILE_IO, errno, "%s: %s", path, strerror(errno));
    }
    if (!S_ISSOCK(found.st_mode)) {
        return ch_fail(why, CH_ERR_FILE_IO, EEXIST, "%s exists and is not a socket", path);
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return ch_fail(why, CH_ERR_NET_IO, errno, "socket: %s", strerror(errno));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path) + 1); /* length was checked */
    int rc = connect(fd, (const struct sockaddr *)&address, sizeof address);
    int code = errno;
    if (rc == 0) await_greeting(fd);
    close(fd);
    if (rc == 0 || code == EAGAIN || code == EINPROGRESS) {
        return ch_fail(why, CH_ERR_NET_IO, EADDRINUSE, "another process listens at %s", path);
    }
    if (code != ECONNREFUSED) {
        return ch_fail(why, CH_ERR_FILE_IO, code, "%s: %s", path, strerror(code));
    }
    if (unlink(path) != 0 && errno != ENOENT) {
        return ch_fail(why, CH_ERR_FILE_IO, errno, "the stale socket %s cannot be removed: %s",
                       path, strerror(errno));
    }
    return CH_OK;
}

enum ch_err ch_socket_file_claim(const char *path, struct ch_why *why)
{
    if (path[0] == '\0') return ch_fail(why, CH_ERR_CONFIG, 0, "ipc:// needs the path of a socket");
    if (strlen(path) >= sizeof((struct sockaddr_un *)NULL)->sun_path) {
        return ch_fail(why, CH_ERR_CONFIG, ENAMETOOLONG,
                       "the path of a socket may have at most %zu bytes: %s",
                       sizeof((struct sockaddr_un *)NULL)->sun_path - 1, path);
    }
    return remove_stale(path, why);
}

/* A group's entry may be long: it names its members. Returns 0, or what is wrong; ENOENT: it is not
 * there. */
static int find_group(const char *name, gid_t *ret)
{
    struct group entry;
    struct group *found = NULL;
    int rc = ERANGE;
    for (size_t bytes = GROUP_BYTES; rc == ERANGE && bytes <= GROUP_BYTES_MOST; bytes *= 4) {
        char *memory = malloc(bytes);
        if (memory == NULL) return ENOMEM;
        rc = getgrnam_r(name, &entry, memory, bytes, &found);
        if (rc == 0 && found != NULL) *ret = found->gr_gid;
        free(memory);
    }
    return rc == 0 && found == NULL ? ENOENT : rc;
}

enum ch_err ch_socket_file_open(const char *path, const struct ch_listen_options *options,
                                struct ch_why *why)
{
    if (options->socket_group != NULL) {
        gid_t group = 0;
        const int rc = find_group(options->socket_group, &group);
        if (rc == ENOENT) {
            return ch_fail(why, CH_ERR_CONFIG, rc, "there is no group %s", options->socket_group);
        }
        if (rc != 0) {
            return ch_fail(why, CH_ERR_CONFIG, rc, "the group %s cannot be looked up: %s",
                           options->socket_group, strerror(rc));
        }
        if (chown(path, (uid_t)-1, group) != 0) {
            return ch_fail(why, CH_ERR_FILE_IO, errno, "%s cannot be given to group %s: %s", path,
                           options->socket_group, strerror(errno));
        }
    }
    uint32_t mode = options->socket_mode == 0 ? SOCKET_MODE_DEFAULT : options->socket_mode;
    if (chmod(path, (mode_t)mode) != 0) {
        return ch_fail(why, CH_ERR_FILE_IO, errno, "%s: mode %03" PRIo32 ": %s", path, mode,
                       strerror(errno));
    }
    return CH_OK;
}
