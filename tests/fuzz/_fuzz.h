/* _fuzz: what every fuzz target gives. SPDX-License-Identifier: MIT
 * A target looks at any bytes, and stops the process where something that must hold does not. It
 * runs under libFuzzer (preset fuzz), and in every build as the test fuzz.X, under _driver.c. */
#ifndef CH_TESTS_FUZZ_H
#define CH_TESTS_FUZZ_H
#include "schema/base/buf.h"
#include "schema/base/check.h"

/* Looks at the bytes, as libFuzzer calls it. returns: 0 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Puts one good input. `at` counts from 0; false: there is none any more. */
bool ch_fuzz_seed(size_t at, struct ch_buf *out);

/* How much work one input is, as compared with reading a record. */
extern const unsigned ch_fuzz_weight;
#endif
