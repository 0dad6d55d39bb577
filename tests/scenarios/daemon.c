/* daemon: see daemon.h. SPDX-License-Identifier: MIT */
#include "tests/scenarios/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <nng/protocol/reqrep0/req.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_MS = 30000, ANSWER_MS = 60000, STOP_MS = 30000, RECONNECT_MS = 10 };

static bool tell(const char *what, const char *why)
{
    (void)fprintf(stderr, "scenario: %s: %s\n", what, why);
    return false;
}

/* In the child: what it writes goes to a file, and it dies with the runner. */
static _Noreturn void become_daemon(const struct daemon *daemon, pid_t parent)
{
    char path[96];
    char data[96];
    (void)snprintf(path, sizeof path, "%s/output", daemon->dir);
    (void)snprintf(data, sizeof data, "%s/data", daemon->dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0) _exit(126);
    const char *rate = getenv("CH_SCRUB_RATE"); /* events a second verified in the background */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(126);
    (void)execl(daemon->program, daemon->program, "--data", data, "--listen", daemon->url,
                "--clock", "manual", "--password-kib", "8", "--password-passes", "1",
                "--scrub-rate", rate == NULL ? "20000" : rate, "--mailer-key", daemon->mailer_key,
                (char *)NULL);
    _exit(127);
}

static bool start(struct daemon *daemon)
{
    const pid_t self = getpid();
    const pid_t pid = fork();
    if (pid < 0) return tell("fork", strerror(errno));
    if (pid == 0) become_daemon(daemon, self);
    daemon->pid = pid;
    return true;
}

/* Waits for the process; kills it when it does not end in time. True if it ended with status 0. */
static bool collect(struct daemon *daemon, int signal)
{
    if (daemon->pid == 0) return true;
    int status = 0;
    const pid_t pid = daemon->pid;
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    (void)kill(pid, signal);
    bool slow = fd >= 0 && poll(&wait, 1, STOP_MS) != 1;
    if (fd >= 0) (void)close(fd);
    if (slow) (void)kill(pid, SIGKILL);
    daemon->pid = 0;
    if (waitpid(pid, &status, 0) != pid) return tell("waitpid", strerror(errno));
    if (slow) return tell("charterd", "did not stop when told to");
    if (signal == SIGKILL) return true;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
    return tell("charterd", "did not end with status 0");
}

static bool dial(struct daemon *daemon)
{
    int rc = nng_req0_open(&daemon->socket);
    if (rc != 0) return tell("nng", nng_strerror(rc));
    daemon->has_socket = true;
    if ((rc = nng_socket_set_ms(daemon->socket, NNG_OPT_RECONNMINT, RECONNECT_MS)) != 0 ||
        (rc = nng_socket_set_ms(daemon->socket, NNG_OPT_RECONNMAXT, RECONNECT_MS)) != 0 ||
        (rc = nng_socket_set_ms(daemon->socket, NNG_OPT_RECVTIMEO, ANSWER_MS)) != 0 ||
        (rc = nng_socket_set_ms(daemon->socket, NNG_OPT_SENDTIMEO, START_MS)) != 0 ||
        (rc = nng_dial(daemon->socket, daemon->url, NULL, NNG_FLAG_NONBLOCK)) != 0) {
        return tell(daemon->url, nng_strerror(rc));
    }
    return true;
}

bool daemon_begin(struct daemon *daemon, const char *program)
{
    const char *base = getenv("TMPDIR");
    if (base == NULL || strlen(base) > 32) base = "/tmp"; /* a socket's path is short */
    daemon->program = program;
    char dir[64];
    (void)snprintf(dir, sizeof dir, "%s/scenario-XXXXXX", base);
    if (mkdtemp(dir) == NULL) return tell(dir, strerror(errno));
    memcpy(daemon->dir, dir, sizeof dir);
    (void)snprintf(daemon->url, sizeof daemon->url, "ipc://%s/c.ipc", daemon->dir);
    return start(daemon) && dial(daemon);
}

bool daemon_restart(struct daemon *daemon, bool at_once)
{
    bool good = collect(daemon, at_once ? SIGKILL : SIGTERM);
    /* A fresh socket: nng 1.5.2 sometimes never makes a lost connection again. */
    (void)nng_close(daemon->socket);
    daemon->has_socket = false;
    return good && start(daemon) && dial(daemon);
}

bool daemon_ask(struct daemon *daemon, struct ch_bytes message, struct ch_buf *reply)
{
    nng_msg *msg = NULL;
    int rc = nng_msg_alloc(&msg, 0);
    if (rc == 0) rc = nng_msg_append(msg, message.ptr, message.len);
    if (rc == 0) rc = nng_sendmsg(daemon->socket, msg, 0);
    if (rc != 0) {
        nng_msg_free(msg);
        return tell("sending", nng_strerror(rc));
    }
    rc = nng_recvmsg(daemon->socket, &msg, 0);
    if (rc != 0) return tell("waiting for the answer", nng_strerror(rc));
    ch_buf_reset(reply);
    ch_buf_put(reply, nng_msg_body(msg), nng_msg_len(msg));
    nng_msg_free(msg);
    return !reply->failed || tell("the answer", "out of memory");
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static void show_output(const struct daemon *daemon)
{
    char path[96];
    char line[512];
    (void)snprintf(path, sizeof path, "%s/output", daemon->dir);
    FILE *file = fopen(path, "re");
    if (file == NULL) return;
    (void)fprintf(stderr, "-- what charterd wrote\n");
    while (fgets(line, sizeof line, file) != NULL) {
        (void)fputs(line, stderr);
    }
    (void)fclose(file);
}

bool daemon_end(struct daemon *daemon, bool show)
{
    if (daemon->has_socket) (void)nng_close(daemon->socket);
    daemon->has_socket = false;
    bool good = collect(daemon, SIGTERM);
    if (show || !good) show_output(daemon);
    if (daemon->dir[0] != '\0') (void)nftw(daemon->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    daemon->dir[0] = '\0';
    return good;
}
