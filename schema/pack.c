/* pack: see pack.h. SPDX-License-Identifier: MIT */
#include "schema/pack.h"

#include <msgpack/pack.h>

static int write_to_buf(void *data, const char *ptr, size_t len)
{
    ch_buf_put(data, ptr, len);
    return 0;
}

static msgpack_packer packer(struct ch_buf *buf)
{
    return (msgpack_packer){.data = buf, .callback = write_to_buf};
}

void ch_pack_nil(struct ch_buf *buf)
{
    msgpack_packer p = packer(buf);
    (void)msgpack_pack_nil(&p);
}

void ch_pack_bool(struct ch_buf *buf, bool value)
{
    msgpack_packer p = packer(buf);
    (void)(value ? msgpack_pack_true(&p) : msgpack_pack_false(&p));
}

void ch_pack_uint(struct ch_buf *buf, uint64_t value)
{
    msgpack_packer p = packer(buf);
    (void)msgpack_pack_uint64(&p, value);
}

void ch_pack_text(struct ch_buf *buf, struct ch_text text)
{
    msgpack_packer p = packer(buf);
    (void)msgpack_pack_str(&p, text.len);
    (void)msgpack_pack_str_body(&p, text.ptr, text.len);
}

void ch_pack_chars(struct ch_buf *buf, const char *chars)
{
    ch_pack_text(buf, ch_text_of(chars));
}

void ch_pack_bytes(struct ch_buf *buf, struct ch_bytes bytes)
{
    msgpack_packer p = packer(buf);
    (void)msgpack_pack_bin(&p, bytes.len);
    (void)msgpack_pack_bin_body(&p, bytes.ptr, bytes.len);
}

void ch_pack_array(struct ch_buf *buf, size_t items)
{
    msgpack_packer p = packer(buf);
    (void)msgpack_pack_array(&p, items);
}

void ch_pack_map(struct ch_buf *buf, size_t pairs)
{
    msgpack_packer p = packer(buf);
    (void)msgpack_pack_map(&p, pairs);
}
