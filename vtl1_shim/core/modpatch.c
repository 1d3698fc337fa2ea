// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The patch sites of a module.
 *
 * Which places of a module may be patched, and to what, is read from its signed file. The list that
 * VTL0 sends must say the same; it is never the source.
 *
 * Locks: those of the patch table.
 */
#include "validate.h"

static int bad_list(struct call *c, uint64_t pa, const char *why)
{
	text_clear(c);
	text_str(c, why);
	return refuse(c, HEKI_E_PATCH_LIST, pa);
}

/*
 * The section whose LOCK prefixes will change, 0: none. The kernel that found one CPU takes them out
 * of .text and of no other section, and puts them back there.
 */
static uint32_t locks_section(const struct validation *v)
{
	bool change;

	core_lock(v->c->core);
	change = v->c->core->smp_locks;
	core_unlock(v->c->core);
	return change ? elf_find(&v->elf, ".text") : 0;
}

static bool patchable(const struct site *s, uint32_t locks)
{
	switch (s->kind) {
	case SITE_JUMP_LABEL:
	case SITE_STATIC_CALL:
	case SITE_MCOUNT:
	case SITE_TRAMPOLINE:
		return true;
	case SITE_SMP_LOCK:
		return s->section == locks;
	default:
		return false;
	}
}

static bool in_init(const struct validation *v, const struct site *s)
{
	return v->elf.sections[s->section].memory >= HEKI_MOD_INIT_TEXT;
}

/* Sites of init memory have a chain of their own: they go when that memory goes. */
static int enter(struct validation *v, const struct patch_site *patch, bool init)
{
	struct module *m = v->module;
	int ret;

	call_work(v->c, WORK_LOOKUP);
	ret = patches_add(v->c->core, init ? &m->init_patches : &m->patches, patch);
	return ret ? refuse(v->c, -ret, patch->pa.v) : 0;
}

static int enter_site(struct validation *v, const struct site *s)
{
	struct patch_site patch;
	uint8_t first;

	if (!site_patch(&v->expect, s, &patch))
		return 0;
	first = patch.code[0];
	/* Of these the code is what stands there; it is judged with the rest of the text. */
	if (patch.type != HEKI_PATCH_JUMP_LABEL && patch_read(v->c->core, &patch, patch.code))
		return refuse(v->c, HEKI_E_COPY_FROM_VTL0, patch.pa.v);
	/* In the middle of a patch: whether it calls or jumps is in the file. */
	if (patch.type == HEKI_PATCH_STATIC_CALL && patch.code[0] == PATCH_INT3)
		patch.code[0] = first;
	/* An alternative of other code lies over it, which the kernel leaves alone. */
	if (patch.type == HEKI_PATCH_SMP_LOCK && !patch_is_lock(patch.code[0]))
		return 0;
	return enter(v, &patch, in_init(v, s));
}

int module_patches_enter(struct validation *v)
{
	const struct site_list *sites = &v->expect.sites;
	uint32_t locks = locks_section(v);
	int ret = 0;
	uint32_t i;

	for (i = 0; i < sites->n && !ret; i++) {
		call_work(v->c, WORK_ITEM);
		if (patchable(&sites->s[i], locks))
			ret = enter_site(v, &sites->s[i]);
	}
	return ret;
}

/* The jump labels that the list must name, by address; va: 1 once it was named. */
static int jump_labels(struct validation *v, struct range_list *out)
{
	const struct site_list *sites = &v->expect.sites;
	const struct site *s = sites->s + sites->first[SITE_JUMP_LABEL];
	uint32_t n = sites->count[SITE_JUMP_LABEL];
	struct patch_site patch;
	uint32_t i;

	out->n = 0;
	if (!n)
		return 0;
	out->r = arena_array(&v->c->arena, n, sizeof(*out->r));
	if (!out->r)
		return -HEKI_E_NO_MEMORY;
	for (i = 0; i < n; i++) {
		if (in_init(v, &s[i]) || !site_patch(&v->expect, &s[i], &patch))
			continue;
		out->r[out->n++].pa = patch.pa.v;
	}
	ranges_sort_pa(v->c, out);
	return 0;
}

static struct heki_range *find(struct range_list *list, uint64_t pa)
{
	uint32_t low = 0;
	uint32_t high = list->n;
	uint32_t middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (list->r[middle].pa < pa)
			low = middle + 1;
		else
			high = middle;
	}
	return low < list->n && list->r[low].pa == pa ? &list->r[low] : NULL;
}

struct check {
	struct validation *v;
	struct range_list jumps;
};

static int check_patch(struct call *c, uint32_t type, const struct heki_patch *patch, void *context)
{
	struct check *check = context;
	struct patch_site site;
	struct heki_range *jump;

	call_work(c, 2 * WORK_LOOKUP);
	if (!patches_find(c->core, gpa(patch->pa[0]), &site) || site.owner != check->v->token ||
	    site.type != type || site.size != patch->size || site.next.v != patch->pa[1])
		return bad_list(c, patch->pa[0], "no such patch site in the module");
	if (type != HEKI_PATCH_JUMP_LABEL)
		return 0;
	if (memcmp(site.code, patch->code, site.size))
		return bad_list(c, patch->pa[0], "other code than the jump table's");
	jump = find(&check->jumps, patch->pa[0]);
	if (!jump)
		return 0; /* of init memory: may be named or not */
	if (jump->va)
		return bad_list(c, patch->pa[0], "named twice");
	jump->va = 1;
	return 0;
}

static int read_list(struct validation *v, struct span *bytes)
{
	return ranges_bytes(v->c, &v->ranges, HEKI_MOD_PATCH, HEKI_ELF_MAX, HEKI_E_PATCH_LIST,
			    bytes);
}

int module_patches_check(struct validation *v)
{
	struct check check = { .v = v };
	struct span bytes;
	uint32_t i;
	int ret;

	ret = read_list(v, &bytes);
	if (!ret)
		ret = jump_labels(v, &check.jumps);
	if (!ret)
		ret = patches_parse(v->c, bytes, check_patch, &check);
	for (i = 0; i < check.jumps.n && !ret; i++)
		if (!check.jumps.r[i].va)
			ret = bad_list(v->c, check.jumps.r[i].pa, "a jump label is not named");
	return ret;
}

/* Offset of a page in the module's text; false when it is not there. */
static bool in_text(const struct validation *v, uint64_t pa, uint64_t *offset)
{
	uint64_t i;

	for (i = 0; i < v->map.pages[HEKI_MOD_TEXT]; i++) {
		if (v->map.pa[HEKI_MOD_TEXT][i] != page_down(pa))
			continue;
		*offset = (i << HEKI_PAGE_SHIFT) + (pa & HEKI_PAGE_MASK);
		return true;
	}
	return false;
}

static int take_patch(struct call *c, uint32_t type, const struct heki_patch *patch, void *context)
{
	struct validation *v = context;
	struct patch_site site = {
		.pa = gpa(patch->pa[0]),
		.next = gpa(patch->pa[1]),
		.owner = v->token,
		.type = type,
		.size = patch->size,
	};
	uint64_t offset;
	uint64_t next;
	int ret;

	if (!in_text(v, patch->pa[0], &offset) ||
	    (patch->pa[1] && (!in_text(v, patch->pa[1], &next) || next != page_up(offset))))
		return bad_list(c, patch->pa[0], "not in the module's text");
	site.va = gva(v->map.va[HEKI_MOD_TEXT] + offset);
	memcpy(site.code, patch->code, sizeof(site.code));
	ret = patch_check_lock(c->core, &site);
	return ret ? refuse(c, (enum heki_error)-ret, patch->pa[0]) : enter(v, &site, false);
}

int module_patches_take(struct validation *v)
{
	struct span bytes;
	int ret;

	ret = read_list(v, &bytes);
	if (!ret)
		ret = patches_parse(v->c, bytes, take_patch, v);
	return ret;
}
