/* fuzz_bundle: any bytes as a backup. SPDX-License-Identifier: MIT
 * It is read to its end, or refused with a reason; what was read goes into a bundle of the same
 * bytes. */
#include "daemon/log/bundle.h"
#include "tests/fuzz/_fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

const unsigned ch_fuzz_weight = 40;

static void put(struct ch_bundle_writer *writer, enum ch_bundle_kind kind, const char *content)
{
    const struct ch_bytes none = {0};
    ch_bundle_put(writer, kind, (struct ch_bytes){(const uint8_t *)content, strlen(content)}, none);
}

bool ch_fuzz_seed(size_t at, struct ch_buf *out)
{
    struct ch_bundle_writer writer = {0};
    struct ch_buf text = {0};
    const size_t records = at * 3;
    if (at > 2) return false;
    ch_bundle_begin(out);
    ch_bundle_text_head(&text, records);
    ch_bundle_put(&writer, CH_BUNDLE_HEAD, ch_buf_view(&text), (struct ch_bytes){0});
    put(&writer, CH_BUNDLE_KEY, "example.com/log+00000000+key");
    if (at > 0) put(&writer, CH_BUNDLE_CHECKPOINT, "12345678note");
    for (size_t i = 0; i < records; i++) {
        put(&writer, CH_BUNDLE_RECORD, i % 2 == 0 ? "a record" : "another");
    }
    ch_buf_reset(&text);
    const struct ch_bundle_end end = {.size = records, .checkpoints = at > 0 ? 1 : 0};
    ch_bundle_text_end(&text, &end);
    ch_bundle_put(&writer, CH_BUNDLE_END, ch_buf_view(&text), (struct ch_bytes){0});
    ch_bundle_pass(&writer, out);
    ch_bundle_writer_deinit(&writer);
    ch_buf_deinit(&text);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1; /* a file in memory, used again */
    struct ch_bundle_reader *reader = NULL;
    struct ch_bundle_writer writer = {0};
    struct ch_bundle_item item;
    struct ch_buf again = {0};
    struct ch_why why = {0};
    if (fd < 0) fd = memfd_create("bundle", MFD_CLOEXEC);
    CH_CHECK(fd >= 0 && ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    CH_CHECK(write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
    (void)ch_bundle_is((struct ch_bytes){data, size});
    enum ch_err err = ch_bundle_open(fd, &reader, &why);
    if (err == CH_OK) ch_bundle_begin(&again);
    while (err == CH_OK) {
        err = ch_bundle_next(reader, &item, &why);
        if (err != CH_OK || item.kind == CH_BUNDLE_NONE) break;
        ch_bundle_put(&writer, item.kind, item.content, (struct ch_bytes){0});
    }
    CH_CHECK(err == CH_OK || (why.err == err && why.text[0] != '\0'));
    ch_bundle_pass(&writer, &again);
    ch_bundle_writer_deinit(&writer);
    if (err == CH_OK) {
        CH_CHECK(!again.failed && again.len == size && memcmp(again.ptr, data, size) == 0);
    }
    ch_bundle_close(reader);
    ch_buf_deinit(&again);
    return 0;
}
