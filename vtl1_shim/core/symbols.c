// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Exported symbols by a keyed hash of their names.
 *
 * Trust boundary: names come from VTL0 and from module files. The names themselves are not kept;
 * bits of SipHash-2-4 under a key that VTL0 does not know stand for them, so that it can neither
 * make two names collide nor fill one bucket: 32 in the node, and those that chose its bucket, 48 in
 * all with the default budget. Where two of 10,000 names collide, once in five million boots, modules
 * that use the later one are refused. Locks: takes HEKI_LOCK_TABLES.
 *
 * What is taken out must be found in its bucket without its name: the last node of each bucket
 * says which one it is.
 */
#include "call.h"
#include "siphash.h"

struct symbol_node {
	struct node node;
	uint32_t hash; /* its upper half; the lower one chose the bucket */
	int32_t value;
	uint32_t owner; /* SYMBOL_GPL is its top bit */
};

HEKI_ASSERT_SIZE(struct symbol_node, SYMBOL_NODE_SIZE);

#define SYMBOL_GPL 0x80000000u

static uint64_t name_hash(struct heki_core *core, const char *name, size_t length)
{
	return siphash(core->seed, (const uint8_t *)name, length);
}

static struct symbol_node *symbol_node(struct heki_core *core, uint32_t index)
{
	return slab_node(&core->symbols, index);
}

/* The node behind this one in its bucket, 0 at the end. */
static uint32_t symbol_next(const struct symbol_node *node)
{
	return node->node.hnext & SYMBOL_LAST ? 0 : node->node.hnext;
}

static void symbol_enter(struct heki_core *core, uint32_t index, uint64_t hash)
{
	uint32_t number = slab_bucket_number(&core->symbols, (uint32_t)hash);
	uint32_t *bucket = &core->symbols.buckets[number];

	symbol_node(core, index)->hash = (uint32_t)(hash >> 32);
	symbol_node(core, index)->node.hnext = *bucket ? *bucket : SYMBOL_LAST | number;
	*bucket = index;
}

static void symbol_take_out(struct heki_core *core, uint32_t index)
{
	uint32_t after = symbol_node(core, index)->node.hnext;
	uint32_t last = after, at, *bucket;

	while (!(last & SYMBOL_LAST))
		last = symbol_node(core, last)->node.hnext;
	bucket = &core->symbols.buckets[last & ~SYMBOL_LAST];
	if (*bucket == index) {
		*bucket = after & SYMBOL_LAST ? 0 : after;
		return;
	}
	for (at = *bucket; symbol_node(core, at)->node.hnext != index;)
		at = symbol_node(core, at)->node.hnext;
	symbol_node(core, at)->node.hnext = after;
}

int symbols_add(struct heki_core *core, struct chain *chain, const char *name, size_t length,
		const struct symbol *symbol)
{
	uint64_t hash = name_hash(core, name, length);
	struct symbol_node *node;
	uint32_t index;

	if (!symbol_value_valid(symbol->value))
		return -HEKI_E_SYMBOL;
	core_lock(core);
	index = slab_get(&core->symbols);
	if (index) {
		node = symbol_node(core, index);
		node->value = (int32_t)symbol->value;
		node->owner = symbol->owner | (symbol->gpl ? SYMBOL_GPL : 0);
		symbol_enter(core, index, hash);
		slab_chain(&core->symbols, index, chain);
	}
	core_unlock(core);
	return index ? 0 : -HEKI_E_NO_MEMORY;
}

bool symbols_find(struct heki_core *core, const char *name, size_t length, struct symbol *out)
{
	uint64_t hash = name_hash(core, name, length);
	const struct symbol_node *node;
	bool found = false;
	uint32_t index;

	core_lock(core);
	/*
	 * New nodes stand in front, so the last match is the first that was entered: a module
	 * cannot take over a name of the kernel's.
	 */
	for (index = slab_bucket(&core->symbols, (uint32_t)hash); index; index = symbol_next(node)) {
		node = symbol_node(core, index);
		if (node->hash != (uint32_t)(hash >> 32))
			continue;
		out->value = (uint64_t)(int64_t)node->value;
		out->owner = node->owner & ~SYMBOL_GPL;
		out->gpl = node->owner & SYMBOL_GPL;
		found = true;
	}
	core_unlock(core);
	return found;
}

/* Nodes freed in one go with interrupts off. */
#define REMOVE_BATCH 256

static bool remove_some(struct heki_core *core, struct chain *chain)
{
	uint32_t index = 1;
	unsigned int i;

	core_lock(core);
	for (i = 0; i < REMOVE_BATCH && index; i++) {
		index = slab_pop(&core->symbols, chain);
		if (!index)
			break;
		symbol_take_out(core, index);
		slab_put(&core->symbols, index);
	}
	core_unlock(core);
	return index;
}

void symbols_remove(struct call *c, struct chain *chain)
{
	do
		call_work(c, REMOVE_BATCH * WORK_LOOKUP);
	while (remove_some(c->core, chain));
}

/* Bytes that follow a first byte of well-formed UTF-8; 4 when it is none. */
static unsigned int utf8_more(uint8_t first)
{
	if (first >= 0x01 && first <= 0x7f)
		return 0;
	if (first >= 0xc2 && first <= 0xdf)
		return 1;
	if (first >= 0xe0 && first <= 0xef)
		return 2;
	if (first >= 0xf0 && first <= 0xf4)
		return 3;
	return 4;
}

/* No overlong form, no surrogate, nothing over U+10FFFF. */
static bool utf8_second(uint8_t first, uint8_t second)
{
	uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

	return second >= low && second <= high;
}

bool utf8_valid(const uint8_t *p, size_t n)
{
	unsigned int more;
	unsigned int k;
	size_t i;

	for (i = 0; i < n; i += more + 1) {
		more = utf8_more(p[i]);
		if (more > 3 || n - i <= more)
			return false;
		if (more && !utf8_second(p[i], p[i + 1]))
			return false;
		for (k = 2; k <= more; k++)
			if ((p[i + k] & 0xc0) != 0x80)
				return false;
	}
	return true;
}
