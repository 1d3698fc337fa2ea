// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes of DER that keep it DER: an item is made longer or shorter, left out, doubled, or becomes
 * another one of the same input; the lengths of all items around it follow. Plain changes of bytes
 * almost never get past the lengths. One thread.
 */
#include <stdbool.h>
#include <string.h>

#include "mutate_der.h"

#define DEPTH_MOST 24
#define HEADER_MOST 6
#define BYTES_MOST (96u << 10)

struct item {
	size_t start; /* of the tag */
	size_t value;
	size_t end;
};

static unsigned int next_random(unsigned int *seed)
{
	*seed = *seed * 1103515245u + 12345;
	return *seed >> 8 & 0xffffff;
}

/* The item at @at; false when there is none that ends by @end. */
static bool read_item(const uint8_t *p, size_t at, size_t end, struct item *item)
{
	size_t n, octets;

	if (end - at < 2)
		return false;
	item->start = at++;
	n = p[at++];
	if (n & 0x80) {
		octets = n & 0x7f;
		if (!octets || octets > 3 || octets > end - at)
			return false;
		for (n = 0; octets; octets--)
			n = n << 8 | p[at++];
	}
	if (n > end - at)
		return false;
	item->value = at;
	item->end = at + n;
	return true;
}

/* One of the items between @at and @end. */
static bool choose(const uint8_t *p, size_t at, size_t end, unsigned int *seed, struct item *chosen)
{
	unsigned int count = 0;
	struct item item;

	while (at < end && read_item(p, at, end, &item)) {
		if (next_random(seed) % ++count == 0)
			*chosen = item;
		at = item.end;
	}
	return count;
}

/* An item at any depth; around[] gets those that it lies in, the outermost first. */
static bool choose_deep(const uint8_t *p, size_t size, unsigned int *seed, struct item *around,
			unsigned int *depth, struct item *item)
{
	size_t at = 0, end = size;

	*depth = 0;
	while (choose(p, at, end, seed, item)) {
		/* Constructed; or an octet or bit string, in which there may be more. */
		bool inside = p[item->start] & 0x20 || p[item->start] == 4 || p[item->start] == 3;
		size_t skip = p[item->start] == 3;
		struct item first;

		if (!inside || *depth == DEPTH_MOST || item->end - item->value <= skip ||
		    !read_item(p, item->value + skip, item->end, &first) ||
		    next_random(seed) % 6 == 0)
			return true;
		around[(*depth)++] = *item;
		at = item->value + skip;
		end = item->end;
	}
	return false;
}

static size_t put_header(uint8_t *to, uint8_t tag, size_t n)
{
	size_t octets = n < 0x80 ? 0 : n < 0x100 ? 1 : n < 0x10000 ? 2 : 3, at = 0;

	to[at++] = tag;
	to[at++] = (uint8_t)(octets ? 0x80 | octets : n);
	while (octets--)
		to[at++] = (uint8_t)(n >> 8 * octets);
	return at;
}

/* Put @n bytes of @from in the place of [@start, @end); false when they do not fit. */
static bool replace(uint8_t *p, size_t *size, size_t max, size_t start, size_t end,
		    const uint8_t *from, size_t n)
{
	if (*size - (end - start) + n > max)
		return false;
	memmove(p + start + n, p + end, *size - end);
	memcpy(p + start, from, n);
	*size = *size - (end - start) + n;
	return true;
}

/* What an item becomes, into @to; its length. */
static size_t make(const uint8_t *p, size_t size, const struct item *item, unsigned int *seed,
		   uint8_t *to)
{
	size_t n = item->end - item->value, header, more = next_random(seed) % 40;
	struct item around[DEPTH_MOST], other;
	unsigned int depth;

	switch (next_random(seed) % 7) {
	case 0: /* left out */
		return 0;
	case 1: /* twice */
		memcpy(to, p + item->start, item->end - item->start);
		memcpy(to + (item->end - item->start), p + item->start, item->end - item->start);
		return 2 * (item->end - item->start);
	case 2: /* longer */
		header = put_header(to, p[item->start], n + more);
		memcpy(to + header, p + item->value, n);
		memset(to + header + n, (int)next_random(seed) & 0xff, more);
		return header + n + more;
	case 3: /* shorter */
		n = n ? next_random(seed) % n : 0;
		header = put_header(to, p[item->start], n);
		memcpy(to + header, p + item->value, n);
		return header + n;
	case 4: /* another tag */
		memcpy(to, p + item->start, item->end - item->start);
		to[0] = (uint8_t)(next_random(seed) & 1 ? to[0] ^ 0x20 : next_random(seed));
		return item->end - item->start;
	case 5: /* another byte of the value */
		memcpy(to, p + item->start, item->end - item->start);
		if (n)
			to[item->value - item->start + next_random(seed) % n] ^=
				(uint8_t)(1u << next_random(seed) % 8);
		return item->end - item->start;
	default: /* another item of the input */
		if (!choose_deep(p, size, seed, around, &depth, &other))
			return 0;
		memcpy(to, p + other.start, other.end - other.start);
		return other.end - other.start;
	}
}

size_t mutate_der(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	static uint8_t copy[2 * BYTES_MOST], bytes[2 * BYTES_MOST + 64];
	struct item around[DEPTH_MOST], item;
	size_t now = size, n, header;
	unsigned int depth;
	uint8_t front[HEADER_MOST];
	ptrdiff_t grown;

	if (size > BYTES_MOST || !choose_deep(data, size, &seed, around, &depth, &item))
		return size;
	memcpy(copy, data, size);
	n = make(copy, size, &item, &seed, bytes);
	if (!replace(copy, &now, sizeof(copy) - HEADER_MOST * DEPTH_MOST, item.start, item.end,
		     bytes, n))
		return size;
	grown = (ptrdiff_t)n - (ptrdiff_t)(item.end - item.start);
	while (depth--) {
		const struct item *a = &around[depth];
		size_t length = (size_t)((ptrdiff_t)(a->end - a->value) + grown);

		header = put_header(front, copy[a->start], length);
		grown += (ptrdiff_t)header - (ptrdiff_t)(a->value - a->start);
		replace(copy, &now, sizeof(copy), a->start, a->value, front, header);
	}
	if (now > max)
		return size;
	memcpy(data, copy, now);
	return now;
}
