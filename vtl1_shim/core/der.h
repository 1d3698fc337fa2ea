/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A strict DER reader over bytes in VTL1's memory.
 *
 * A span is the cursor: what is read is taken off its front.  Lengths are definite, minimal and in
 * bounds, tags are of one octet; anything else is an error, and the cursor is then of no use.
 */
#ifndef HEKI_CORE_DER_H
#define HEKI_CORE_DER_H

#include "base.h"

#define DER_BOOLEAN 0x01
#define DER_INTEGER 0x02
#define DER_BIT_STRING 0x03
#define DER_OCTET_STRING 0x04
#define DER_NULL 0x05
#define DER_OID 0x06
#define DER_UTC_TIME 0x17
#define DER_GENERALIZED_TIME 0x18
#define DER_SEQUENCE 0x30
#define DER_SET 0x31
/* Context tags: constructed and primitive. */
#define DER_CONTEXT(n) (0xa0 | (n))
#define DER_CONTEXT_PRIMITIVE(n) (0x80 | (n))

/**
 * struct der_item - one element
 * @tag:   its identifier octet
 * @whole: with its header
 * @value: contents
 */
struct der_item {
	uint8_t tag;
	struct span whole;
	struct span value;
};

/* Take one element of any tag off @in. */
bool der_any(struct span *in, struct der_item *item);

/* Take one element that must have @tag; *@value gets its contents. */
bool der_take(struct span *in, uint8_t tag, struct span *value);

/* The same when one with @tag is there; else *@value becomes empty and that is no error. */
bool der_optional(struct span *in, uint8_t tag, struct span *value);

/* Whether an element with @tag is next. */
static inline bool der_is(const struct span *in, uint8_t tag)
{
	return in->n && in->p[0] == tag;
}

/* Take an INTEGER in its shortest form; *@value gets its contents octets. */
bool der_integer(struct span *in, struct span *value);

/* Take a non-negative INTEGER below 128. */
bool der_small(struct span *in, uint32_t *value);

/* Take a BIT STRING of whole octets. */
bool der_bits(struct span *in, struct span *value);

/* Take a BOOLEAN when there is one; *@value is false otherwise. */
bool der_boolean(struct span *in, bool *value);

/* Whether all of @in is well-formed elements, down to their tags and lengths only. */
bool der_list_valid(struct span in);

static inline bool span_equal(struct span a, struct span b)
{
	return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n));
}

#endif /* HEKI_CORE_DER_H */
