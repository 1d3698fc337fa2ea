// SPDX-License-Identifier: GPL-2.0-only
/* A module in a guest's memory: each page apart from the others, as vmalloc has it. */
#include "place.h"

/* Functions of the kernel that are not exported: places of its text. */
static uint64_t not_exported(const char *name)
{
	static const char *const names[] = { "a_function", "ftrace_caller", "srso_return_thunk" };

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return KERNEL_VA + 0x40 * (i + 1);
	return 0;
}

static uint64_t symbol(void *context, const char *name)
{
	struct guest *g = context;
	struct symbol s;

	return symbols_find(g->core, name, strlen(name), &s) ? s.value : not_exported(name);
}

static void place_type(struct placed *m, uint32_t type)
{
	size_t pages = m->l.pages[type];

	if (!pages)
		return;
	m->pa[type] = calloc(pages, sizeof(*m->pa[type]));
	CHECK(m->pa[type]);
	for (size_t i = 0; i < pages; i++) {
		uint64_t pa = guest_pages(m->g, i & 1 ? 2 : 1); /* some neighbours, some gaps */

		CHECK(pa);
		m->pa[type][i] = pa;
		memcpy(guest_at(m->g, pa), m->l.bytes[type] + i * HEKI_PAGE_SIZE, HEKI_PAGE_SIZE);
		add_range(&m->ranges, m->l.va[type] + i * HEKI_PAGE_SIZE, pa, HEKI_PAGE_SIZE, type);
	}
}

static void place_patches(struct placed *m)
{
	uint64_t pa;

	if (!m->l.jumps_count)
		return;
	add_patch_header(&m->list, HEKI_PATCH_JUMP_LABEL);
	for (size_t i = 0; i < m->l.jumps_count; i++) {
		const struct loader_jump *j = &m->l.jumps[i];
		uint64_t last = j->va + j->size - 1;

		add_patch(&m->list, placed_va_pa(m, j->va),
			  page_down(last) != page_down(j->va) ? placed_va_pa(m, page_down(last)) : 0,
			  j->code, j->size);
	}
	pa = put_bytes(m->g, m->list.bytes, m->list.n);
	m->patch = m->ranges.n;
	add_range(&m->ranges, DIRECT_MAP + pa, pa, m->list.n, HEKI_MOD_PATCH);
}

static void place_by(struct guest *g, struct placed *m, const struct file *f, unsigned int profile,
		     uint64_t base)
{
	m->g = g;
	m->file = *f;
	m->l.file = f->p;
	m->l.size = f->n;
	m->l.base = base;
	m->l.percpu = 0x12000;
	m->l.profile = profile;
	m->l.seed = 1;
	m->l.symbol = symbol;
	m->l.context = g;
	CHECK(!loader_load(&m->l));
	for (uint32_t type = 0; type < LOADER_TYPES; type++)
		place_type(m, type);
	m->elf = m->ranges.n;
	m->elf_pa = put_bytes(g, f->p, f->n);
	add_range(&m->ranges, 0xffffc90000000000, m->elf_pa, f->n, HEKI_MOD_ELF_BUFFER);
	place_patches(m);
}

void place_file(struct guest *g, struct placed *m, const struct file *f, unsigned int profile,
		uint64_t base)
{
	memset(m, 0, sizeof(*m));
	place_by(g, m, f, profile, base);
}

void place_exact(struct guest *g, struct placed *m, const struct file *f, unsigned int profile,
		 const struct heki_snapshot *exact, const uint64_t *pv_ops)
{
	memset(m, 0, sizeof(*m));
	m->l.exact = exact;
	m->l.pv_ops = pv_ops;
	place_by(g, m, f, profile, MODULES_VA);
}

void place(struct guest *g, struct placed *m, const char *name)
{
	static uint64_t next = MODULES_VA;
	struct file f = load_file(name);

	place_file(g, m, &f, 0, next);
	next += 1 << 20;
}

void unplace(struct placed *m)
{
	for (uint32_t type = 0; type < LOADER_TYPES; type++)
		free(m->pa[type]);
	loader_drop(&m->l);
	drop_ranges(&m->ranges);
	drop_patches(&m->list);
	drop_file(&m->file);
}

int validate(struct placed *m)
{
	return call_ranges(m->g, HEKI_CALL_VALIDATE_MODULE, &m->ranges, 0);
}

int validate_refused(struct placed *m)
{
	uint64_t next = m->g->next_page;
	struct snapshot *s = snapshot_take(m->g);
	int result = validate(m);

	snapshot_check(m->g, s);
	m->g->next_page = next; /* the page of ranges */
	return result;
}

uint64_t placed_pa(const struct placed *m, uint32_t type, uint64_t offset)
{
	CHECK(offset >> HEKI_PAGE_SHIFT < m->l.pages[type]);
	return m->pa[type][offset >> HEKI_PAGE_SHIFT] + (offset & HEKI_PAGE_MASK);
}

uint8_t *placed_at(struct placed *m, uint32_t type, uint64_t offset)
{
	return guest_at(m->g, placed_pa(m, type, offset));
}

uint64_t placed_va_pa(const struct placed *m, uint64_t va)
{
	for (uint32_t type = 0; type < LOADER_TYPES; type++)
		if (m->l.pages[type] && va >= m->l.va[type] &&
		    va - m->l.va[type] < m->l.pages[type] * HEKI_PAGE_SIZE)
			return placed_pa(m, type, va - m->l.va[type]);
	test_fail(__FILE__, __LINE__, "%#llx is not the module's", (unsigned long long)va);
}

bool placed_intact(struct placed *m, uint32_t type)
{
	for (size_t i = 0; i < m->l.pages[type]; i++)
		if (memcmp(placed_at(m, type, i * HEKI_PAGE_SIZE),
			   m->l.bytes[type] + i * HEKI_PAGE_SIZE, HEKI_PAGE_SIZE))
			return false;
	return true;
}

int unload(struct guest *g, int token)
{
	return vtlcall(g, HEKI_CALL_UNLOAD_MODULE, (uint64_t)token, 0, 0);
}

int free_init(struct guest *g, int token)
{
	return vtlcall(g, HEKI_CALL_FREE_MODULE_INIT, (uint64_t)token, 0, 0);
}

struct heki_range *first_of(struct placed *m, uint64_t type)
{
	for (size_t i = 0; i < m->ranges.n; i++)
		if (m->ranges.r[i].attributes == type)
			return &m->ranges.r[i];
	test_fail(__FILE__, __LINE__, "no range of type %llu", (unsigned long long)type);
}

void drop_range(struct placed *m, struct heki_range *r)
{
	memmove(r, r + 1, (size_t)(m->ranges.r + m->ranges.n - (r + 1)) * sizeof(*r));
	m->ranges.n--;
}

void drop_init_ranges(struct placed *m)
{
	for (size_t i = m->ranges.n; i-- > 0;)
		if (m->ranges.r[i].attributes >= HEKI_MOD_INIT_TEXT &&
		    m->ranges.r[i].attributes <= HEKI_MOD_INIT_RODATA)
			drop_range(m, &m->ranges.r[i]);
}

void place_info(struct placed *m, const char *name)
{
	struct heki_module_info info = { .num = 0 };
	uint64_t pa;
	size_t size;

	snprintf(info.name, sizeof(info.name), "%s", name);
	info.ksymtab = loader_section(&m->l, "__ksymtab", &size);
	info.num = (uint32_t)size / 12;
	info.ksymtab_gpl = loader_section(&m->l, "__ksymtab_gpl", &size);
	info.num_gpl = (uint32_t)size / 12;
	pa = put_bytes(m->g, &info, sizeof(info));
	add_range(&m->ranges, DIRECT_MAP + pa, pa, sizeof(info), HEKI_MOD_INFO);
}
