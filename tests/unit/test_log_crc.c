/* test_log_crc: the checksum of records. SPDX-License-Identifier: MIT */
#include "daemon/log/crc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* Bit by bit, from the polynomial alone. */
static uint32_t naive_crc(const uint8_t *ptr, size_t len)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < len; i++) {
        crc ^= ptr[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ ((crc & 1) != 0 ? UINT32_C(0x82f63b78) : 0);
        }
    }
    return ~crc;
}

static void it_gives_the_published_values_of_crc32c(void **state)
{
    (void)state;
    const uint8_t digits[] = "123456789"; /* RFC 3720 B.4 and the catalogue of CRCs */
    const uint8_t zeros[32] = {0};
    assert_int_equal(ch_crc((struct ch_bytes){.ptr = digits, .len = 9}), 0xe3069283);
    assert_int_equal(ch_crc((struct ch_bytes){.ptr = zeros, .len = 32}), 0x8a9136aa);
}

static void a_record_is_summed_behind_its_seq_for_every_length(void **state)
{
    (void)state;
    uint8_t joined[8 + 600];
    const uint64_t seq = UINT64_C(0x0001020304050607);
    ch_put_be64(joined, seq);
    for (size_t i = 8; i < sizeof joined; i++) {
        joined[i] = (uint8_t)(i * 131 + 7);
    }
    for (size_t len = 0; len <= 600; len++) {
        struct ch_bytes record = {.ptr = joined + 8, .len = len};
        assert_int_equal(ch_crc_record(seq, record), naive_crc(joined, 8 + len));
        assert_int_not_equal(ch_crc_record(seq + 1, record), naive_crc(joined, 8 + len));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_gives_the_published_values_of_crc32c),
        cmocka_unit_test(a_record_is_summed_behind_its_seq_for_every_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
