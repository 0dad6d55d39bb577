/* text: see text.h. SPDX-License-Identifier: MIT */
#include "schema/text.h"

#include <stdio.h>

/* The next code point, or 0xffffffff if the bytes are not well-formed; moves past it. */
static uint32_t next_code(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *p = *at;
    uint32_t first = *p++;
    if (first < 0x80) {
        *at = p;
        return first;
    }
    size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    if (first < 0xc2 || first > 0xf4 || (size_t)(end - p) < more) return UINT32_MAX;
    uint32_t code = first & (0x3fu >> more);
    for (size_t i = 0; i < more; i++) {
        if ((p[i] & 0xc0) != 0x80) return UINT32_MAX;
        code = code << 6 | (p[i] & 0x3fu);
    }
    static const uint32_t least[4] = {0, 0x80, 0x800, 0x10000};
    if (code < least[more] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
        return UINT32_MAX;
    }
    *at = p + more;
    return code;
}

static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

/* White space or an invisible mark that is not the plain space: what makes two names look alike.
 * source: Unicode 15 White_Space and Default_Ignorable_Code_Point; and the empty Braille cell */
static bool is_odd_space(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0xa0, 0xa0},       {0xad, 0xad},     {0x34f, 0x34f},     {0x61c, 0x61c},
        {0x115f, 0x1160},   {0x1680, 0x1680}, {0x17b4, 0x17b5},   {0x180b, 0x180f},
        {0x2000, 0x200f},   {0x2028, 0x202f}, {0x205f, 0x206f},   {0x2800, 0x2800},
        {0x3000, 0x3000},   {0x3164, 0x3164}, {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},
        {0xffa0, 0xffa0},   {0xfff0, 0xfff8}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
        {0xe0000, 0xe0fff},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (code <= ranges[i].last) return code >= ranges[i].first;
    }
    return false;
}

static bool is_text(struct ch_text text, bool lines)
{
    if (text.len == 0) return true;
    const uint8_t *at = (const uint8_t *)text.ptr;
    const uint8_t *end = at + text.len;
    while (at < end) {
        const bool plain = *at >= 0x20 && *at < 0x7f; /* most of nearly every text */
        if (plain || (lines && (*at == '\n' || *at == '\t'))) {
            at++;
            continue;
        }
        uint32_t code = next_code(&at, end);
        if (code == UINT32_MAX || is_control(code)) return false;
    }
    return true;
}

bool ch_text_is_clean(struct ch_text text)
{
    return is_text(text, /* lines= */ false);
}

bool ch_text_is_passage(struct ch_text text)
{
    return is_text(text, /* lines= */ true);
}

bool ch_text_is_name(struct ch_text text)
{
    if (text.len == 0 || text.ptr[0] == ' ' || text.ptr[text.len - 1] == ' ') return false;
    const uint8_t *at = (const uint8_t *)text.ptr;
    const uint8_t *end = at + text.len;
    while (at < end) {
        if (*at >= 0x20 && *at < 0x7f) { /* nearly every name is plain ASCII */
            at++;
            continue;
        }
        uint32_t code = next_code(&at, end);
        if (code == UINT32_MAX || is_control(code) || is_odd_space(code)) return false;
    }
    return true;
}

static void fold_ascii(char *chars, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (chars[i] >= 'A' && chars[i] <= 'Z') chars[i] = (char)(chars[i] - 'A' + 'a');
    }
}

bool ch_username_fold(char *chars, size_t len)
{
    fold_ascii(chars, len);
    for (size_t i = 0; i < len; i++) {
        const char ch = chars[i];
        bool good = (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '.' ||
                    ch == '_' || ch == '-';
        if (!good) return false;
    }
    return len > 0;
}

bool ch_email_fold(char *chars, size_t len)
{
    fold_ascii(chars, len);
    if (!ch_text_is_name((struct ch_text){chars, len})) return false;
    size_t at_signs = 0;
    size_t place = 0;
    for (size_t i = 0; i < len; i++) {
        if (chars[i] == ' ') return false;
        if (chars[i] != '@') continue;
        at_signs++;
        place = i;
    }
    return at_signs == 1 && place > 0 && place + 1 < len;
}

/* Whether what follows xn-- is Punycode of something that is not ASCII alone. A place is at most
 * 64 times the largest code point, so larger numbers are refused. source: RFC 3492 section 6.2 */
static bool is_punycode(const char *chars, size_t len)
{
    enum { BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700 };
    enum { PLACE_MOST = 0x7ffffff };
    uint64_t points = 0;
    for (size_t i = 0; i < len; i++) {
        if (chars[i] == '-') points = i;
    }
    size_t at = points == 0 ? 0 : points + 1;
    uint64_t code = 128;
    uint64_t place = 0;
    uint64_t bias = 72;
    if (at == len) return false;
    while (at < len) {
        const uint64_t before = place;
        uint64_t weight = 1;
        for (uint64_t k = BASE;; k += BASE) {
            if (at == len || chars[at] == '-') return false;
            const char ch = chars[at++];
            const uint64_t digit = (uint64_t)(ch >= 'a' ? ch - 'a' : ch - '0' + 26);
            const uint64_t t = k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;
            place += digit * weight;
            if (place > PLACE_MOST || weight > PLACE_MOST) return false;
            if (digit < t) break;
            weight *= BASE - t;
        }
        points++;
        uint64_t delta = (place - before) / (before == 0 ? DAMP : 2);
        delta += delta / points;
        for (bias = 0; delta > (BASE - T_MIN) * T_MAX / 2; bias += BASE) {
            delta /= BASE - T_MIN;
        }
        bias += (BASE - T_MIN + 1) * delta / (delta + SKEW);
        code += place / points;
        if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return false;
        place = place % points + 1;
    }
    return true;
}

static bool is_label(const char *chars, size_t len)
{
    if (len == 0 || len > 63 || chars[0] == '-' || chars[len - 1] == '-') return false;
    for (size_t i = 0; i < len; i++) {
        const char ch = chars[i];
        bool good = (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '-';
        if (!good) return false;
    }
    if (len < 4 || chars[2] != '-' || chars[3] != '-') return true;
    return chars[0] == 'x' && chars[1] == 'n' && is_punycode(chars + 4, len - 4);
}

bool ch_domain_fold(char *chars, size_t len)
{
    fold_ascii(chars, len);
    size_t labels = 0;
    size_t start = 0;
    bool letters = false; /* in the last label: an address in digits is no name */
    for (size_t i = 0; i <= len; i++) {
        if (i < len && chars[i] != '.') {
            letters = letters || chars[i] < '0' || chars[i] > '9';
            continue;
        }
        if (!is_label(chars + start, i - start)) return false;
        labels++;
        start = i + 1;
        if (i < len) letters = false;
    }
    return labels > 1 && letters && len <= 253;
}

static bool digits(struct ch_text text, size_t at, size_t count, uint32_t *ret)
{
    if (at + count > text.len) return false;
    uint32_t value = 0;
    for (size_t i = at; i < at + count; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') return false;
        value = value * 10 + (uint32_t)(text.ptr[i] - '0');
    }
    *ret = value;
    return true;
}

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar.
 * source: howardhinnant.github.io/date_algorithms.html, days_from_civil */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    const int64_t era = (year >= 0 ? year : year - 399) / 400;
    const int64_t year_of_era = year - era * 400;
    const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    const int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static uint32_t days_in(uint32_t year, uint32_t month)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

bool ch_time_read(struct ch_text text, uint64_t *ret_ns)
{
    uint32_t year, month, day, hour, minute, second;
    if (text.len < 20 || text.len > 40) return false;
    const char *t = text.ptr;
    bool shape = digits(text, 0, 4, &year) && t[4] == '-' && digits(text, 5, 2, &month) &&
                 t[7] == '-' && digits(text, 8, 2, &day) && (t[10] == 'T' || t[10] == 't') &&
                 digits(text, 11, 2, &hour) && t[13] == ':' && digits(text, 14, 2, &minute) &&
                 t[16] == ':' && digits(text, 17, 2, &second);
    if (!shape || year < 1970 || year > 2261 || month < 1 || month > 12 || day < 1 ||
        day > days_in(year, month) || hour > 23 || minute > 59 || second > 60) {
        return false;
    }
    size_t at = 19;
    uint64_t fraction = 0;
    if (t[at] == '.') {
        uint64_t unit = 100000000;
        size_t start = ++at;
        for (; at < text.len && t[at] >= '0' && t[at] <= '9'; at++) {
            fraction += (uint64_t)(t[at] - '0') * unit;
            unit /= 10;
        }
        if (at == start || at - start > 9) return false;
    }
    int64_t offset_s = 0;
    if (at >= text.len) return false;
    if (t[at] == 'Z' || t[at] == 'z') {
        at++;
    } else {
        uint32_t off_hour, off_minute;
        if ((t[at] != '+' && t[at] != '-') || !digits(text, at + 1, 2, &off_hour) ||
            at + 6 > text.len || t[at + 3] != ':' || !digits(text, at + 4, 2, &off_minute) ||
            off_hour > 23 || off_minute > 59) {
            return false;
        }
        offset_s = (int64_t)(off_hour * 3600 + off_minute * 60) * (t[at] == '-' ? -1 : 1);
        at += 6;
    }
    if (at != text.len) return false;
    int64_t seconds = days_of(year, month, day) * 86400 + (int64_t)hour * 3600 +
                      (int64_t)minute * 60 + (int64_t)second - offset_s;
    if (seconds < 0) return false;
    *ret_ns = (uint64_t)seconds * 1000000000u + fraction;
    return true;
}

size_t ch_time_write(uint64_t ns, char out[CH_TIME_TEXT_BYTES])
{
    const uint64_t seconds = ns / 1000000000u;
    const uint64_t fraction = ns % 1000000000u;
    /* source: as days_of, civil_from_days */
    const int64_t z = (int64_t)(seconds / 86400) + 719468;
    const int64_t era = z / 146097;
    const int64_t doe = z - era * 146097;
    const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    const int64_t mp = (5 * doy + 2) / 153;
    const unsigned day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
    const unsigned month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
    const unsigned year = (unsigned)(yoe + era * 400 + (month <= 2 ? 1 : 0));
    const unsigned of_day = (unsigned)(seconds % 86400);
    int len = snprintf(out, CH_TIME_TEXT_BYTES, "%04u-%02u-%02uT%02u:%02u:%02u", year % 10000,
                       month, day, of_day / 3600, of_day / 60 % 60, of_day % 60);
    size_t at = len > 0 ? (size_t)len : 0;
    if (fraction != 0) {
        len = snprintf(out + at, CH_TIME_TEXT_BYTES - at, ".%09u", (unsigned)fraction);
        at += len > 0 ? (size_t)len : 0;
    }
    out[at++] = 'Z';
    out[at] = '\0';
    return at;
}

static const char id_digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

/* 37 is prime, so the check finds every single wrong character and every swap of neighbours. */
static const char check_digits[] = "0123456789abcdefghjkmnpqrstvwxyz*~$=u";

size_t ch_id_write(const char *prefix, uint64_t id, char out[CH_ID_TEXT_BYTES])
{
    char digits_back[14];
    size_t count = 0;
    uint64_t rest = id;
    do {
        digits_back[count++] = id_digits[rest % 32];
        rest /= 32;
    } while (rest != 0);
    size_t at = 0;
    for (; at < 4 && prefix[at] != '\0'; at++) {
        out[at] = prefix[at];
    }
    out[at++] = '_';
    while (count > 0) {
        out[at++] = digits_back[--count];
    }
    out[at++] = check_digits[id % 37];
    out[at] = '\0';
    return at;
}

bool ch_id_read(const char *prefix, struct ch_text text, uint64_t *ret_id)
{
    size_t skip = strlen(prefix);
    if (text.len < skip + 3 || text.len > skip + 13 || memcmp(text.ptr, prefix, skip) != 0 ||
        text.ptr[skip] != '_') {
        return false;
    }
    uint64_t id = 0;
    for (size_t i = skip + 1; i + 1 < text.len; i++) {
        const char *digit = memchr(id_digits, text.ptr[i], sizeof id_digits - 1);
        if (digit == NULL || id >> 58 != 0) return false;
        id = id * 32 + (uint64_t)(digit - id_digits);
    }
    if (text.ptr[text.len - 1] != check_digits[id % 37]) return false;
    *ret_id = id;
    return true;
}
