// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Strict DER.  All input is an attacker's; nothing is read outside the span, nothing is kept, no
 * locks.
 */
#include "der.h"

#define TAG_NUMBER_MASK 0x1f
#define LENGTH_LONG 0x80
/* Lengths of up to 32 bits: what is parsed here is far smaller. */
#define LENGTH_OCTETS_MAX 4

static void advance(struct span *in, size_t n)
{
	in->p += n;
	in->n -= n;
}

/* The length octets at the front of @in; false when they are not DER's one way to write it. */
static bool take_length(struct span *in, size_t *length)
{
	unsigned int octets, i;

	if (!in->n)
		return false;
	*length = in->p[0];
	advance(in, 1);
	if (*length < LENGTH_LONG)
		return true;
	octets = *length & ~(unsigned int)LENGTH_LONG;
	if (!octets || octets > LENGTH_OCTETS_MAX || octets > in->n || !in->p[0])
		return false;
	*length = 0;
	for (i = 0; i < octets; i++)
		*length = *length << 8 | in->p[i];
	advance(in, octets);
	return *length >= LENGTH_LONG;
}

bool der_any(struct span *in, struct der_item *item)
{
	const uint8_t *start = in->p;
	size_t length;

	if (!in->n || (in->p[0] & TAG_NUMBER_MASK) == TAG_NUMBER_MASK)
		return false;
	item->tag = in->p[0];
	advance(in, 1);
	if (!take_length(in, &length) || length > in->n)
		return false;
	item->value = (struct span){ in->p, length };
	item->whole = (struct span){ start, (size_t)(in->p - start) + length };
	advance(in, length);
	return true;
}

bool der_take(struct span *in, uint8_t tag, struct span *value)
{
	struct der_item item;

	if (!der_any(in, &item) || item.tag != tag)
		return false;
	*value = item.value;
	return true;
}

bool der_optional(struct span *in, uint8_t tag, struct span *value)
{
	*value = (struct span){ NULL, 0 };
	return !der_is(in, tag) || der_take(in, tag, value);
}

bool der_integer(struct span *in, struct span *value)
{
	if (!der_take(in, DER_INTEGER, value) || !value->n)
		return false;
	if (value->n == 1)
		return true;
	/* Nine equal leading bits could have been written in one octet less. */
	return !(value->p[0] == 0x00 && !(value->p[1] & 0x80)) &&
	       !(value->p[0] == 0xff && (value->p[1] & 0x80));
}

bool der_small(struct span *in, uint32_t *value)
{
	struct span octets;

	if (!der_integer(in, &octets) || octets.n != 1 || octets.p[0] & 0x80)
		return false;
	*value = octets.p[0];
	return true;
}

bool der_bits(struct span *in, struct span *value)
{
	if (!der_take(in, DER_BIT_STRING, value) || !value->n || value->p[0])
		return false;
	advance(value, 1);
	return true;
}

bool der_boolean(struct span *in, bool *value)
{
	struct span octet;

	*value = false;
	if (!der_is(in, DER_BOOLEAN))
		return true;
	if (!der_take(in, DER_BOOLEAN, &octet) || octet.n != 1)
		return false;
	/* DER omits a FALSE that is the default, but certificates that write it out are in use. */
	*value = octet.p[0] == 0xff;
	return octet.p[0] == 0xff || octet.p[0] == 0x00;
}

bool der_list_valid(struct span in)
{
	struct der_item item;

	while (in.n)
		if (!der_any(&in, &item))
			return false;
	return true;
}
