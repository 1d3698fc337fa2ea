// SPDX-License-Identifier: GPL-2.0-only
/* Whether what a core has accepted is another encoding that is legal at that very place. */
#include <string.h>

#include "judge.h"
#include "replay.h"

static bool in_kernel_text(const struct guest *g, uint64_t va)
{
	for (uint32_t i = 0; i < g->core->kernel_texts_count; i++)
		if (va - g->core->kernel_texts[i].va.v < g->core->kernel_texts[i].size)
			return true;
	return false;
}

static bool in_module_text(const struct guest *g, uint64_t va)
{
	for (uint32_t i = 0; i < g->core->limits.modules; i++)
		if (g->core->modules[i].token &&
		    va - g->core->modules[i].text.v < g->core->modules[i].text_size)
			return true;
	return false;
}

/* Only the displacement of a branch has changed, and it leads to code. */
static bool other_target(const struct change *c, const struct spot_site *s)
{
	const uint8_t *before = c->before + s->start, *after = c->after + s->start;
	uint64_t target = c->va + s->start + s->length +
			  (uint64_t)(int64_t)(int32_t)get_le32(after + s->length - 4);

	if (s->length < 5 || memcmp(before, after, s->length - 4))
		return false;
	if (after[s->length - 5] != 0xe8 && after[s->length - 5] != 0xe9 &&
	    (after[s->length - 5] & 0xf0) != 0x80)
		return false;
	return in_kernel_text(c->g, target) || in_module_text(c->g, target) ||
	       target - c->va < c->size;
}

static const char *judge_site(const struct change *c, const struct spot_site *s)
{
	const uint8_t *before = c->before + s->start, *after = c->after + s->start;

	switch (s->kind) {
	case HEKI_ACCOUNT_SMP_LOCK:
		if ((*before == 0xf0 && *after == 0x3e) || (*before == 0x3e && *after == 0xf0))
			return "lock prefix for one CPU or several";
		return NULL;
	case HEKI_ACCOUNT_STATIC_CALL:
		return other_target(c, s) ? "static call to other code" : NULL;
	default:
		return NULL;
	}
}

const char *judge(const struct change *c)
{
	const char *why = NULL;

	for (size_t i = 0; i < c->r->sites_count && !why; i++) {
		const struct spot_site *s = &c->r->sites[i];

		if (s->type == c->type && c->offset - s->start < s->length)
			why = judge_site(c, s);
	}
	return why;
}
