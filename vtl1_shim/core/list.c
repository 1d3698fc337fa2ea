// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * LIST: the tables, a page of entries at a time.
 *
 * A cursor is the place in the table to go on at, so a walk ends whatever changes meanwhile, and a
 * forged cursor leads to other entries or to the end, nowhere else. Locks: takes HEKI_LOCK_TABLES
 * for each page.
 */
#include "call.h"

#define ENTRY_BYTES (HEKI_PAGE_SIZE - sizeof(struct heki_list_reply))

/* A page being filled: places of the table from @at on, @count entries so far. */
struct page {
	uint8_t *entries;
	uint32_t room;
	uint32_t count;
	uint64_t at;
};

static void *entry(struct page *page, size_t size)
{
	return page->entries + size * page->count++;
}

static void count_kinds(struct heki_core *core, const struct chain *chain, uint32_t *pages)
{
	const struct frame *f;
	uint32_t index;

	for (index = chain->head; index; index = f->node.onext) {
		f = slab_node(&core->frames, index);
		if (f->kind < HEKI_MOD_MEM_TYPES)
			pages[f->kind]++;
	}
}

static uint64_t list_modules(struct heki_core *core, struct page *page)
{
	struct heki_list_module *out;
	const struct module *m;

	for (; page->at < core->limits.modules && page->count < page->room; page->at++) {
		m = &core->modules[page->at];
		if (!m->token)
			continue;
		out = entry(page, sizeof(*out));
		memcpy(out->name, m->name, sizeof(out->name));
		out->token = m->token;
		out->state = m->state;
		out->flags = m->flags;
		count_kinds(core, &m->frames, out->pages);
		out->relocations = m->relocations;
		out->sites = m->sites;
		out->patches = m->patches.count;
		out->exports = m->symbols.count;
		out->users = m->users;
		out->text_bytes = m->text_bytes;
		memcpy(out->sha256, m->sha256, sizeof(out->sha256));
		out->signer = m->signer;
	}
	return page->at < core->limits.modules ? page->at : 0;
}

static uint64_t list_accounts(struct heki_core *core, struct page *page)
{
	struct heki_list_account *out;
	const struct module *m;

	for (; page->at < core->limits.modules && page->count < page->room; page->at++) {
		m = &core->modules[page->at];
		if (!m->token)
			continue;
		out = entry(page, sizeof(*out));
		memcpy(out->name, m->name, sizeof(out->name));
		out->token = m->token;
		out->flags = m->flags;
		memcpy(out->memory, m->compared, sizeof(m->compared));
		memcpy(out->bytes, m->account, sizeof(m->account));
	}
	return page->at < core->limits.modules ? page->at : 0;
}

static uint64_t list_frames(struct heki_core *core, struct page *page)
{
	struct heki_list_frame *out;
	const struct frame *f;

	if (!page->at)
		page->at = 1;
	for (; page->at <= core->frames.fresh && page->count < page->room; page->at++) {
		f = slab_node(&core->frames, (uint32_t)page->at);
		if (!f->owner)
			continue;
		out = entry(page, sizeof(*out));
		out->pa = f->pfn << HEKI_PAGE_SHIFT;
		out->owner = f->owner;
		out->attributes = f->attributes;
		out->kind = f->kind;
		out->hashed = f->hashed != 0;
	}
	return page->at <= core->frames.fresh ? page->at : 0;
}

static uint64_t list_patches(struct heki_core *core, struct page *page)
{
	struct heki_list_patch *out;
	struct patch_site site;
	uint32_t index = page->at > core->patches.fresh ? 0 : (uint32_t)page->at;

	if (!page->at)
		index = 1;
	for (; page->count < page->room && patches_next(core, &index, &site); index++) {
		out = entry(page, sizeof(*out));
		out->patch.pa[0] = site.pa.v;
		out->patch.pa[1] = site.next.v;
		out->patch.size = site.size;
		memcpy(out->patch.code, site.code, sizeof(out->patch.code));
		out->type = site.type;
		out->owner = site.owner;
		/* Bytes that cannot be read any more are shown as zeros. */
		if (patch_read(core, &site, out->there))
			memset(out->there, 0, sizeof(out->there));
	}
	return index && index <= core->patches.fresh ? index : 0;
}

static void copy_name(char *to, size_t size, struct span name)
{
	if (name.n)
		memcpy(to, name.p, name.n < size ? name.n : size - 1);
}

static uint64_t list_certs(struct heki_core *core, struct page *page)
{
	struct heki_list_cert *out;
	const struct cert *cert;

	for (; page->at < core->certs_count && page->count < page->room; page->at++) {
		cert = &core->certs[page->at];
		out = entry(page, sizeof(*out));
		out->set = cert->set;
		out->der_size = cert->size;
		memcpy(out->sha256, cert->sha256, sizeof(out->sha256));
		copy_name(out->subject, sizeof(out->subject), cert->x509.common_name);
	}
	return page->at < core->certs_count ? page->at : 0;
}

static uint64_t list_vps(struct heki_core *core, struct page *page)
{
	struct heki_list_vp *out;
	const struct vp_state *vp;

	for (; page->at < core->limits.vps && page->count < page->room; page->at++) {
		vp = &core->vps[page->at];
		if (!vp->starts)
			continue;
		out = entry(page, sizeof(*out));
		out->vp = (uint32_t)page->at;
		out->starts = vp->starts;
		out->regs = vp->regs;
	}
	return page->at < core->limits.vps ? page->at : 0;
}

static uint64_t list_log(struct heki_core *core, struct page *page)
{
	return log_read(core, page->at, (struct heki_log_record *)page->entries, page->room,
			&page->count);
}

struct list_kind {
	uint64_t (*fill)(struct heki_core *core, struct page *page);
	uint32_t entry_size;
};

static const struct list_kind kinds[] = {
	[HEKI_LIST_MODULES] = { list_modules, sizeof(struct heki_list_module) },
	[HEKI_LIST_FRAMES] = { list_frames, sizeof(struct heki_list_frame) },
	[HEKI_LIST_PATCHES] = { list_patches, sizeof(struct heki_list_patch) },
	[HEKI_LIST_CERTS] = { list_certs, sizeof(struct heki_list_cert) },
	[HEKI_LIST_VPS] = { list_vps, sizeof(struct heki_list_vp) },
	[HEKI_LIST_LOG] = { list_log, sizeof(struct heki_log_record) },
	[HEKI_LIST_ACCOUNTS] = { list_accounts, sizeof(struct heki_list_account) },
};

int call_list(struct call *c)
{
	struct heki_core *core = c->core;
	struct heki_list_reply *head;
	struct page page = { .at = c->p[2] };
	const struct list_kind *kind;

	if (!c->p[1] || c->p[1] >= HEKI_ARRAY_SIZE(kinds))
		return refuse(c, HEKI_E_PARAMETER, c->p[1]);
	kind = &kinds[c->p[1]];
	head = arena_alloc(&c->arena, HEKI_PAGE_SIZE);
	if (!head)
		return -HEKI_E_NO_MEMORY;
	page.entries = (uint8_t *)(head + 1);
	page.room = (uint32_t)(ENTRY_BYTES / kind->entry_size);
	core_lock(core);
	head->next_cursor = kind->fill(core, &page);
	core_unlock(core);
	head->count = page.count;
	head->entry_size = kind->entry_size;
	return reply(c, c->p[0], head, HEKI_PAGE_SIZE);
}
