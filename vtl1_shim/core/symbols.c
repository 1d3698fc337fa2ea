// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Exported symbols by a keyed hash of their names.
 *
 * Trust boundary: names come from VTL0 and from module files. The names themselves are not kept;
 * 64 bits of SipHash-2-4 under a key that VTL0 does not know stand for them, so that it can
 * neither make two names collide nor fill one bucket. Locks: takes HEKI_LOCK_TABLES.
 */
#include "call.h"
#include "siphash.h"

struct symbol_node {
	struct node node;
	uint64_t hash;
	int32_t value;
	uint32_t owner; /* SYMBOL_GPL is its top bit */
};

HEKI_ASSERT_SIZE(struct symbol_node, SYMBOL_NODE_SIZE);

#define SYMBOL_GPL 0x80000000u

static uint64_t name_hash(struct heki_core *core, const char *name, size_t length)
{
	return siphash(core->seed, (const uint8_t *)name, length);
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
		node = slab_node(&core->symbols, index);
		node->hash = hash;
		node->value = (int32_t)symbol->value;
		node->owner = symbol->owner | (symbol->gpl ? SYMBOL_GPL : 0);
		slab_link(&core->symbols, index, (uint32_t)hash, chain);
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
	for (index = slab_bucket(&core->symbols, (uint32_t)hash); index; index = node->node.hnext) {
		node = slab_node(&core->symbols, index);
		if (node->hash != hash)
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
	const struct symbol_node *node;
	uint32_t index = 1;
	unsigned int i;

	core_lock(core);
	for (i = 0; i < REMOVE_BATCH && index; i++) {
		index = slab_pop(&core->symbols, chain);
		if (!index)
			break;
		node = slab_node(&core->symbols, index);
		slab_unhash(&core->symbols, index, (uint32_t)node->hash);
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
