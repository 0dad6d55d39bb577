/* machine: see machine.h. SPDX-License-Identifier: MIT */
#include "tools/bench/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tools/bench/interrupt.h"

static double ticks_to_seconds(uint64_t ticks)
{
    return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

/* All time that is not idle, by the first line of /proc/stat (proc(5)). */
static double busy_seconds(void)
{
    uint64_t user = 0;
    uint64_t nice = 0;
    uint64_t system = 0;
    uint64_t irq = 0;
    uint64_t softirq = 0;
    FILE *file = fopen("/proc/stat", "re");
    if (file == NULL) return 0;
    /* NOLINTNEXTLINE(cert-err34-c): numbers of the kernel fit */
    int found = fscanf(file, "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %*u %*u %" SCNu64 " %" SCNu64,
                       &user, &nice, &system, &irq, &softirq);
    (void)fclose(file);
    return found == 5 ? ticks_to_seconds(user + nice + system + irq + softirq) : 0;
}

static double usage_seconds(int who)
{
    struct rusage usage;
    if (getrusage(who, &usage) != 0) return 0;
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* utime and stime of a running process: fields 14 and 15; its name may hold spaces and brackets. */
static double process_seconds(long pid)
{
    char path[64];
    char line[1024];
    (void)snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) return 0;
    const char *rest = fgets(line, sizeof line, file) == NULL ? NULL : strrchr(line, ')');
    (void)fclose(file);
    uint64_t user = 0;
    uint64_t system = 0;
    if (rest == NULL) return 0;
    static const char format[] =
        " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64;
    /* NOLINTNEXTLINE(cert-err34-c): numbers of the kernel fit */
    if (sscanf(rest + 1, format, &user, &system) != 2) return 0;
    return ticks_to_seconds(user + system);
}

/* Children that still run; all are started by the main thread (child.h). */
static double children_seconds(void)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/task/%ld/children", (long)getpid());
    FILE *file = fopen(path, "re");
    if (file == NULL) return 0;
    double sum = 0;
    long pid;
    /* NOLINTNEXTLINE(cert-err34-c): numbers of the kernel fit */
    while (fscanf(file, "%ld", &pid) == 1) {
        sum += process_seconds(pid);
    }
    (void)fclose(file);
    return sum;
}

void ch_machine_look(struct ch_machine *ret)
{
    ret->at_ns = ch_interrupt_now_ns();
    ret->busy_seconds = busy_seconds();
    ret->own_seconds =
        usage_seconds(RUSAGE_SELF) + usage_seconds(RUSAGE_CHILDREN) + children_seconds();
}

double ch_machine_foreign_cores(const struct ch_machine *from, const struct ch_machine *to)
{
    double seconds = (double)(to->at_ns - from->at_ns) / 1e9;
    if (seconds <= 0) return 0;
    double foreign =
        (to->busy_seconds - from->busy_seconds) - (to->own_seconds - from->own_seconds);
    return foreign > 0 ? foreign / seconds : 0;
}
