/* _driver: runs a fuzz target without libFuzzer. SPDX-License-Identifier: MIT
 * Each good input as it is, then inputs made from them by chance of a seed: bits and bytes changed,
 * numbers at their bounds, pieces cut out, doubled or brought in from another input. The same seed
 * gives the same inputs everywhere. CH_FUZZ_ROUNDS: how many, divided by the target's weight (a
 * canary has all of them); CH_TEST_SEED: the seed. */
#include "tests/fuzz/_fuzz.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEEDS_MOST = 4096, ROUNDS = 20000, CHANGES_MOST = 6, GROWTH = 256 };

static const char usage[] =
    "Runs good inputs of this target, then changed ones: CH_FUZZ_ROUNDS (20000), divided by the\n"
    "target's weight.\n"
    "  --seeds DIR   writes the good inputs into DIR, for libFuzzer's program to begin with\n"
    "  --one FILE    runs one input, as libFuzzer leaves it when it found something\n"
    "  --trace       prints the number of every round before it: the last one is at fault\n"
    "  --only N      runs round N alone\n"
    "  --must-find   succeeds only where the target stops the process: a canary\n"
    "  --help        this text\n";

struct run {
    struct ch_buf seeds[SEEDS_MOST];
    size_t seed_count;
    uint64_t chance;
    struct ch_buf input;
    bool trace;
    uint64_t only; /* a round; 0: every */
};

static void on_found(int number)
{
    static const char text[] = "found\n";
    (void)number;
    _exit(write(STDOUT_FILENO, text, sizeof text - 1) > 0 ? 0 : 1);
}

/* splitmix64. source: prng.di.unimi.it/splitmix64.c */
static uint64_t next(struct run *run)
{
    uint64_t z = run->chance += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static size_t below(struct run *run, size_t bound)
{
    return bound == 0 ? 0 : (size_t)(next(run) % bound);
}

/* A number of `bytes` bytes at a bound, in either order of bytes. */
static void put_number(struct run *run, uint8_t *at, size_t bytes)
{
    static const uint64_t bounds[] = {0,
                                      1,
                                      0x7f,
                                      0x80,
                                      0xff,
                                      0x7fff,
                                      0x8000,
                                      0xffff,
                                      0x7fffffff,
                                      0x80000000,
                                      0xffffffff,
                                      UINT64_C(0x7fffffffffffffff),
                                      UINT64_C(0x8000000000000000),
                                      UINT64_C(0xffffffffffffffff)};
    const uint64_t value = bounds[below(run, sizeof bounds / sizeof bounds[0])];
    const bool big = next(run) % 2 == 0;
    for (size_t i = 0; i < bytes; i++) {
        at[big ? bytes - 1 - i : i] = (uint8_t)(value >> (8 * i));
    }
}

/* Takes `len` bytes out at `at`, and puts `with` there. */
static void replace(struct run *run, size_t at, size_t len, struct ch_bytes with)
{
    struct ch_buf made = {0};
    ch_buf_put(&made, run->input.ptr, at);
    ch_buf_put(&made, with.ptr, with.len);
    ch_buf_put(&made, run->input.ptr + at + len, run->input.len - at - len);
    CH_CHECK(!made.failed);
    ch_buf_deinit(&run->input);
    run->input = made;
}

static void change(struct run *run)
{
    static const size_t widths[] = {1, 2, 4, 8};
    const size_t len = run->input.len;
    const size_t at = below(run, len);
    const size_t left = len - at;
    const size_t width = widths[below(run, 4)];
    const size_t piece = 1 + below(run, left < GROWTH ? left : GROWTH);
    const struct ch_buf *other = &run->seeds[below(run, run->seed_count)];
    const size_t from = below(run, other->len);
    const size_t rest = other->len - from;
    switch (len == 0 ? 5 : below(run, 7)) {
    case 0: run->input.ptr[at] ^= (uint8_t)(1u << below(run, 8)); return;
    case 1: run->input.ptr[at] = (uint8_t)next(run); return;
    case 2: put_number(run, run->input.ptr + at, width < left ? width : left); return;
    case 3: replace(run, at, piece, (struct ch_bytes){0}); return;
    case 4: /* once more what stands there */
        replace(run, at, 0, (struct ch_bytes){run->input.ptr + at, piece});
        return;
    case 5:
        if (len < (1 << 20) && rest > 0) {
            const size_t most = rest < GROWTH ? rest : GROWTH;
            replace(run, at, 0, (struct ch_bytes){other->ptr + from, 1 + below(run, most)});
        }
        return;
    default: run->input.len = at; return; /* cut short */
    }
}

static void run_round(struct run *run, uint64_t round)
{
    const struct ch_buf *seed = &run->seeds[below(run, run->seed_count)];
    ch_buf_reset(&run->input);
    ch_buf_put(&run->input, seed->ptr, seed->len);
    CH_CHECK(!run->input.failed);
    for (size_t left = 1 + below(run, CHANGES_MOST); left > 0; left--) {
        change(run);
    }
    if (run->only != 0 && run->only != round) return;
    if (run->trace) (void)fprintf(stderr, "round %llu\n", (unsigned long long)round);
    (void)LLVMFuzzerTestOneInput(run->input.ptr, run->input.len);
}

static void take_seeds(struct run *run)
{
    while (run->seed_count < SEEDS_MOST &&
           ch_fuzz_seed(run->seed_count, &run->seeds[run->seed_count])) {
        CH_CHECK(!run->seeds[run->seed_count].failed);
        run->seed_count++;
    }
    CH_CHECK(run->seed_count > 0);
}

static int write_seeds(const struct run *run, const char *dir)
{
    (void)mkdir(dir, 0777);
    for (size_t i = 0; i < run->seed_count; i++) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/seed-%04zu", dir, i);
        FILE *file = fopen(path, "wb");
        const bool good = file != NULL && fwrite(run->seeds[i].ptr, 1, run->seeds[i].len, file) ==
                                              run->seeds[i].len;
        if (file != NULL) (void)fclose(file);
        if (good) continue;
        (void)fprintf(stderr, "%s: cannot be written\n", path);
        return 1;
    }
    (void)printf("%zu inputs in %s\n", run->seed_count, dir);
    return 0;
}

static int run_file(const char *path)
{
    struct ch_buf bytes = {0};
    uint8_t piece[4096];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        (void)fprintf(stderr, "%s: cannot be read\n", path);
        return 1;
    }
    for (size_t len; (len = fread(piece, 1, sizeof piece, file)) > 0;) {
        ch_buf_put(&bytes, piece, len);
    }
    (void)fclose(file);
    (void)LLVMFuzzerTestOneInput(bytes.ptr, bytes.len);
    ch_buf_deinit(&bytes);
    return 0;
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static void run_all(struct run *run, uint64_t rounds)
{
    for (size_t i = 0; run->only == 0 && i < run->seed_count; i++) {
        if (run->trace) (void)fprintf(stderr, "seed %zu\n", i);
        (void)LLVMFuzzerTestOneInput(run->seeds[i].ptr, run->seeds[i].len);
    }
    for (uint64_t round = 1; round <= rounds; round++) {
        run_round(run, round);
    }
}

int main(int argc, char **argv)
{
    static struct run run;
    const char *seeds_to = NULL;
    const char *one = NULL;
    bool must_find = false;
    const uint64_t seed = number_from("CH_TEST_SEED", 20260702);
    uint64_t rounds = number_from("CH_FUZZ_ROUNDS", ROUNDS) / ch_fuzz_weight;
    for (int i = 1; i < argc; i++) {
        const bool more = i + 1 < argc;
        if (strcmp(argv[i], "--seeds") == 0 && more) {
            seeds_to = argv[++i];
        } else if (strcmp(argv[i], "--one") == 0 && more) {
            one = argv[++i];
        } else if (strcmp(argv[i], "--only") == 0 && more) {
            run.only = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--trace") == 0) {
            run.trace = true;
        } else if (strcmp(argv[i], "--must-find") == 0) {
            must_find = true;
        } else {
            const bool help = strcmp(argv[i], "--help") == 0;
            (void)fputs(usage, help ? stdout : stderr);
            return help ? 0 : 2;
        }
    }
    if (one != NULL) return run_file(one);
    if (must_find) rounds = ROUNDS;
    run.chance = seed;
    take_seeds(&run);
    if (seeds_to != NULL) return write_seeds(&run, seeds_to);
    (void)printf("%zu good inputs, %llu changed ones, seed %llu\n", run.seed_count,
                 (unsigned long long)rounds, (unsigned long long)seed);
    (void)fflush(stdout);
    if (must_find) (void)signal(SIGABRT, on_found);
    run_all(&run, rounds);
    if (must_find) (void)fprintf(stderr, "what was planted was not found\n");
    for (size_t i = 0; i < run.seed_count; i++) {
        ch_buf_deinit(&run.seeds[i]);
    }
    ch_buf_deinit(&run.input);
    return must_find ? 1 : 0;
}
