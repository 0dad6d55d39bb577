/* limits: every bound as a constant, LIMIT_<NAME>. SPDX-License-Identifier: MIT */
#ifndef CH_SCHEMA_LIMITS_H
#define CH_SCHEMA_LIMITS_H
#include <stdint.h>

#define LIMIT(name, value, unit, text) static const uint64_t LIMIT_##name = (value);
#define LIMIT_LOGGED(name, value, unit, text) static const uint64_t LIMIT_##name = (value);
#include "schema/limits.def"
#endif
