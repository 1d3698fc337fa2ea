// SPDX-License-Identifier: GPL-2.0-only
/*
 * LOCK prefixes of a kernel that found one CPU: which sites LOAD_KDATA and VALIDATE_MODULE take, and
 * what may be done to them.
 */
#include "place.h"

#define LOCK 0xf0
#define DS 0x3e
#define SITE 0x200u

static const uint8_t lock[5] = { LOCK };
static const uint8_t ds[5] = { DS };

static struct kernel kernel;

static void end(struct guest *g)
{
	kernel_drop(&kernel);
	vtl0_end(g);
}

/* A kernel without sites that is not loaded yet. */
static struct guest *made(enum heki_grade grade)
{
	struct guest *g = vtl0_start(grade);

	kernel_make(g, &kernel, NULL, 0);
	kernel.sites.n = 0;
	return g;
}

/* List a LOCK prefix at this offset of the text, where @there stands. */
static void add_lock(struct guest *g, uint32_t offset, uint8_t there)
{
	*(uint8_t *)guest_at(g, kernel.text + offset) = there;
	add_patch_header(&kernel.sites, HEKI_PATCH_SMP_LOCK);
	add_patch(&kernel.sites, kernel.text + offset, 0, ds, 1);
}

static void add_jump(struct guest *g, uint32_t offset)
{
	add_patch_header(&kernel.sites, HEKI_PATCH_JUMP_LABEL);
	kernel_site(g, &kernel, offset, 5);
}

static int load_sites(struct guest *g)
{
	return call_bytes(g, HEKI_CALL_LOAD_KDATA, kernel.sites.bytes, kernel.sites.n,
			  HEKI_KDATA_PATCH_INFO);
}

static int load_sites_refused(struct guest *g)
{
	struct snapshot *s = snapshot_take(g);
	int result = load_sites(g);

	snapshot_check(g, s);
	CHECK(!g->core->smp_locks);
	return result;
}

/* A kernel after boot, with one LOCK prefix taken out or none. */
static struct guest *booted(enum heki_grade grade, bool with_site)
{
	struct guest *g = made(grade);

	add_jump(g, 0x100);
	if (with_site)
		add_lock(g, SITE, DS);
	kernel_load(g, &kernel, "system.der");
	CHECK_OK(vtlcall(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0));
	return g;
}

/* --- the kernel's list --- */

/* Whatever stands there, only a prefix makes a site. */
static void listed_where_a_prefix_is(void)
{
	for (unsigned int there = 0; there < 256; there++) {
		struct guest *g = made(HEKI_GRADE_ENFORCE);

		add_lock(g, SITE, (uint8_t)there);
		if (there == LOCK || there == DS) {
			CHECK_OK(load_sites(g));
			CHECK_EQUAL(g->core->kernel_patches.count, 1);
			CHECK(g->core->smp_locks);
		} else {
			CHECK_REFUSED(PATCH_LIST, load_sites_refused(g));
		}
		end(g);
	}
}

/* One byte, which is one of the two prefixes. */
static void malformed(void)
{
	for (unsigned int code = 0; code < 256; code++) {
		for (uint8_t size = 1; size <= HEKI_POKE_MAX; size++) {
			uint8_t bytes[5] = { (uint8_t)code };
			struct guest *g;

			if (size == 1 && (code == LOCK || code == DS))
				continue;
			g = made(HEKI_GRADE_AUDIT);
			*(uint8_t *)guest_at(g, kernel.text + SITE) = DS;
			add_patch_header(&kernel.sites, HEKI_PATCH_SMP_LOCK);
			add_patch(&kernel.sites, kernel.text + SITE, 0, bytes, size);
			CHECK_REFUSED(PATCH_FORMAT, load_sites_refused(g));
			end(g);
		}
	}
}

static void listed_twice(void)
{
	struct guest *g = made(HEKI_GRADE_AUDIT);

	add_lock(g, SITE, DS);
	add_lock(g, SITE, DS);
	CHECK_REFUSED(PATCH_LIST, load_sites_refused(g));
	end(g);
}

/* A prefix inside of a jump label would let one of its bytes be chosen. */
static void inside_another_site(void)
{
	for (uint32_t at = 0; at < 5; at++) {
		struct guest *g = made(HEKI_GRADE_AUDIT);

		add_jump(g, SITE);
		add_lock(g, SITE + at, DS);
		CHECK_REFUSED(PATCH_LIST, load_sites_refused(g));
		end(g);
	}
}

static void unreadable(void)
{
	struct guest *g = made(HEKI_GRADE_AUDIT);

	add_lock(g, SITE, DS);
	add_patch(&kernel.sites, HOLE_PA, 0, ds, 1);
	CHECK_REFUSED(PHYS_ADDRESS, load_sites_refused(g));
	end(g);
}

/* The host fails to read what stands there. */
static void not_read(void)
{
	unsigned int failed = 0;
	int result;

	for (unsigned int nth = 1; nth < 16; nth++) {
		struct guest *g = made(HEKI_GRADE_AUDIT);

		add_lock(g, SITE, DS);
		guest_clear(g);
		g->fail[GUEST_READ] = nth;
		result = load_sites(g);
		failed += result == -HEKI_E_COPY_FROM_VTL0 &&
			  last_log(g)->address == kernel.text + SITE;
		guest_clear(g);
		end(g);
	}
	CHECK_EQUAL(failed, 1);
}

/* One that no protected text holds is gone at end of boot. */
static void outside_of_text(void)
{
	struct guest *g = made(HEKI_GRADE_ENFORCE);
	uint64_t pa = guest_pages(g, 1);

	*(uint8_t *)guest_at(g, pa) = DS;
	add_lock(g, SITE, DS);
	add_patch(&kernel.sites, pa, 0, ds, 1);
	kernel_load(g, &kernel, "system.der");
	CHECK_EQUAL(g->core->kernel_patches.count, 2);
	CHECK_OK(vtlcall(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0));
	CHECK_EQUAL(g->core->kernel_patches.count, 1);
	CHECK_REFUSED(NO_PATCH, patch_text(g, pa, 0, lock, 1));
	CHECK_EQUAL(*(uint8_t *)guest_at(g, pa), DS);
	end(g);
}

/* --- steps --- */

/* Put back, taken out, put back: each in one step. */
static void both_ways(void)
{
	struct guest *g = booted(HEKI_GRADE_ENFORCE, true);
	const uint8_t *there = guest_at(g, kernel.text + SITE);

	CHECK_OK(patch_text(g, kernel.text + SITE, 0, lock, 1));
	CHECK_EQUAL(*there, LOCK);
	CHECK_OK(patch_text(g, kernel.text + SITE, 0, ds, 1));
	CHECK_EQUAL(*there, DS);
	CHECK_OK(patch_text(g, kernel.text + SITE, 0, lock, 1));
	CHECK_EQUAL(*there, LOCK);
	end(g);
}

/* Every other byte, INT3 among them, and every longer patch. */
static void other_bytes(void)
{
	struct guest *g = booted(HEKI_GRADE_ENFORCE, true);
	const uint8_t *there = guest_at(g, kernel.text + SITE);

	for (unsigned int value = 0; value < 256; value++) {
		uint8_t code[5] = { (uint8_t)value, 0x90, 0x90, 0x90, 0x90 };

		for (uint8_t size = 1; size <= HEKI_POKE_MAX; size++) {
			if (size == 1 && (value == LOCK || value == DS))
				continue;
			CHECK_REFUSED(PATCH_SUSPICIOUS,
				      patch_text(g, kernel.text + SITE, 0, code, size));
			CHECK_EQUAL(*there, DS);
		}
	}
	end(g);
}

/* In the middle, at the end of a line, at the end of a page. */
static const uint32_t places[] = { SITE, SITE + 0x3f, HEKI_PAGE_SIZE - 1 };

/* A prefix that is not listed, and the bytes beside one that is. */
static void not_listed(void)
{
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(places); i++) {
		struct guest *g = made(HEKI_GRADE_ENFORCE);
		uint8_t *there = guest_at(g, kernel.text + places[i]);

		add_lock(g, places[i], DS);
		there[8] = DS;
		kernel_load(g, &kernel, "system.der");
		CHECK_OK(vtlcall(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0));
		for (int at = -8; at <= 8; at++) {
			uint64_t pa = kernel.text + places[i] + (uint64_t)at;
			uint8_t before = there[at];

			if (!at)
				continue;
			CHECK_REFUSED(NO_PATCH, patch_text(g, pa, 0, lock, 1));
			CHECK_REFUSED(NO_PATCH, patch_text(g, pa, 0, ds, 1));
			CHECK_EQUAL(there[at], before);
		}
		end(g);
	}
}

/* Sites of one byte side by side, over the ends of lines and of pages: each is found for itself. */
static void neighbours(void)
{
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(places); i++) {
		struct guest *g = made(HEKI_GRADE_ENFORCE);
		const uint8_t *there = guest_at(g, kernel.text + places[i]);

		add_lock(g, places[i], DS);
		add_lock(g, places[i] + 1, DS);
		add_jump(g, places[i] + 2);
		kernel_load(g, &kernel, "system.der");
		CHECK_OK(vtlcall(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0));
		CHECK_OK(patch_text(g, kernel.text + places[i] + 1, 0, lock, 1));
		CHECK(there[0] == DS && there[1] == LOCK);
		CHECK_OK(patch_text(g, kernel.text + places[i], 0, lock, 1));
		CHECK(there[0] == LOCK && there[1] == LOCK && !memcmp(there + 2, nop5, 5));
		CHECK_OK(patch_text(g, kernel.text + places[i] + 2, 0, (uint8_t[]){ 0xcc }, 1));
		CHECK_OK(patch_text(g, kernel.text + places[i] + 3, 0, nop5 + 1, 4));
		CHECK_OK(patch_text(g, kernel.text + places[i] + 2, 0, nop5, 1));
		end(g);
	}
}

/* --- AUDIT --- */

static uint64_t audit(struct guest *g)
{
	uint64_t page = guest_pages(g, 1), cursor = 0, violations = 0;
	const struct heki_audit_reply *reply = guest_at(g, page);

	do {
		CHECK_OK(vtlcall(g, HEKI_CALL_AUDIT, page, cursor, 0));
		violations += reply->violations;
		cursor = reply->next_cursor;
	} while (cursor);
	return violations;
}

/* Either prefix is as recorded; nothing else is, not even the first step of a longer patch. */
static void audited(void)
{
	struct guest *g = booted(HEKI_GRADE_AUDIT, true);
	uint8_t *there = guest_at(g, kernel.text + SITE);

	for (unsigned int value = 0; value < 256; value++) {
		*there = (uint8_t)value;
		CHECK_EQUAL(audit(g), value != LOCK && value != DS);
	}
	end(g);
}

/* --- modules --- */

#define LOCKS_MAX 8

/* Addresses of a placed module's prefixes: those of .text, then those that never change. */
static size_t module_locks(struct placed *m, uint64_t pa[LOCKS_MAX], size_t *of_text)
{
	size_t table_size, text_size, n = 0;
	uint64_t table = loader_section(&m->l, ".smp_locks", &table_size);
	uint64_t text = loader_section(&m->l, ".text", &text_size);

	*of_text = 0;
	CHECK(table && table_size / 4 <= LOCKS_MAX);
	for (uint64_t at = table; at < table + table_size; at += 4) {
		uint64_t va = at + (uint64_t)(int64_t)(int32_t)get_le32(loader_at(&m->l, at));
		bool changes = va - text < text_size;

		if (changes)
			pa[n] = pa[*of_text];
		pa[changes ? (*of_text)++ : n] = placed_va_pa(m, va);
		n++;
	}
	return n;
}

static void place_by_profile(struct guest *g, struct placed *m, const char *name,
			     unsigned int profile)
{
	struct file f = load_file(name);

	place_file(g, m, &f, profile, MODULES_VA);
}

/* Of a module, from its file: those of .text, and as long as it lives. */
static void module_sites(void)
{
	struct guest *g = booted(HEKI_GRADE_ENFORCE, true);
	struct snapshot *before;
	uint64_t pa[LOCKS_MAX];
	size_t n, of_text;
	struct placed m;
	int token;

	place_by_profile(g, &m, "tiny-rsa2048.ko", LOADER_UP);
	before = snapshot_take(g);
	n = module_locks(&m, pa, &of_text);
	CHECK(of_text && n > of_text);
	token = validate(&m);
	CHECK_OK(token);
	for (size_t i = 0; i < n; i++) {
		uint8_t *there = guest_at(g, pa[i]);

		if (i >= of_text) {
			CHECK_REFUSED(NO_PATCH, patch_text(g, pa[i], 0, ds, 1));
			CHECK_EQUAL(*there, LOCK);
			continue;
		}
		CHECK_EQUAL(*there, DS);
		CHECK_REFUSED(PATCH_SUSPICIOUS, patch_text(g, pa[i], 0, (uint8_t[]){ 0xcc }, 1));
		CHECK_OK(patch_text(g, pa[i], 0, lock, 1));
		CHECK_EQUAL(*there, LOCK);
		CHECK_OK(patch_text(g, pa[i], 0, ds, 1));
	}
	CHECK_OK(unload(g, token));
	for (size_t i = 0; i < n; i++)
		CHECK_REFUSED(NO_PATCH, patch_text(g, pa[i], 0, lock, 1));
	snapshot_check(g, before);
	unplace(&m);
	end(g);
}

/* One that comes when the prefixes are back is accepted too. */
static void module_with_prefixes(void)
{
	struct guest *g = booted(HEKI_GRADE_ENFORCE, true);
	uint64_t pa[LOCKS_MAX];
	struct placed m;
	size_t of_text;

	place_by_profile(g, &m, "tiny-rsa2048.ko", 0);
	module_locks(&m, pa, &of_text);
	CHECK_OK(validate(&m));
	CHECK_OK(patch_text(g, pa[0], 0, lock, 1));
	CHECK_EQUAL(*(uint8_t *)guest_at(g, pa[0]), LOCK);
	unplace(&m);
	end(g);
}

/* A kernel that lists none of its own never changes those of modules: they take no memory. */
static void module_of_many_cpus(void)
{
	struct guest *g = booted(HEKI_GRADE_ENFORCE, false);
	uint64_t pa[LOCKS_MAX];
	struct placed m;
	uint32_t used;
	size_t of_text;

	used = g->core->patches.budget.used;
	place_by_profile(g, &m, "tiny-rsa2048.ko", 0);
	module_locks(&m, pa, &of_text);
	CHECK_OK(validate(&m));
	CHECK_EQUAL(g->core->patches.budget.used, used + m.l.jumps_count + m.l.init_jumps);
	CHECK_REFUSED(NO_PATCH, patch_text(g, pa[0], 0, ds, 1));
	CHECK_EQUAL(*(uint8_t *)guest_at(g, pa[0]), LOCK);
	unplace(&m);
	end(g);
}

/* The file's table names what is no prefix, as under an alternative: that never changes. */
static void module_stray(void)
{
	struct guest *g = booted(HEKI_GRADE_ENFORCE, true);
	uint64_t pa[LOCKS_MAX];
	unsigned int refused = 0;
	struct placed m;
	size_t of_text;

	place_by_profile(g, &m, "tiny-STRAY_LOCK.ko", LOADER_UP);
	module_locks(&m, pa, &of_text);
	CHECK_OK(validate(&m));
	for (size_t i = 0; i < of_text; i++) {
		uint8_t before = *(uint8_t *)guest_at(g, pa[i]);

		if (before == DS)
			continue;
		refused++;
		CHECK_REFUSED(NO_PATCH, patch_text(g, pa[i], 0, lock, 1));
		CHECK_EQUAL(*(uint8_t *)guest_at(g, pa[i]), before);
	}
	CHECK_EQUAL(refused, 1);
	unplace(&m);
	end(g);
}

/* What stands at a prefix is judged as all text is. */
static void module_differs(void)
{
	struct guest *g = booted(HEKI_GRADE_ENFORCE, true);
	uint64_t pa[LOCKS_MAX];
	struct placed m;
	size_t of_text;

	place_by_profile(g, &m, "tiny-rsa2048.ko", LOADER_UP);
	module_locks(&m, pa, &of_text);
	*(uint8_t *)guest_at(g, pa[0]) = 0x90;
	CHECK_REFUSED(MODULE_DIFFERS, validate_refused(&m));
	unplace(&m);
	end(g);
}

/* A module without a file, and one prefix that VTL0 lists of it. */
static uint64_t unverified(struct guest *g, struct placed *m)
{
	uint64_t pa;
	uint64_t list;

	place_by_profile(g, m, "tiny-untrusted.ko", LOADER_UP);
	drop_init_ranges(m);
	drop_range(m, first_of(m, HEKI_MOD_ELF_BUFFER));
	drop_range(m, first_of(m, HEKI_MOD_PATCH));
	place_info(m, "tiny");
	m->list.n = 0;
	add_patch_header(&m->list, HEKI_PATCH_SMP_LOCK);
	pa = placed_pa(m, HEKI_MOD_TEXT, SITE);
	add_patch(&m->list, pa, 0, ds, 1);
	list = put_bytes(g, m->list.bytes, m->list.n);
	add_range(&m->ranges, DIRECT_MAP + list, list, m->list.n, HEKI_MOD_PATCH);
	return pa;
}

static void module_without_file(void)
{
	for (unsigned int there = 0; there < 256; there++) {
		struct guest *g = made(HEKI_GRADE_ENFORCE);
		struct placed m;
		uint64_t pa;
		int token;

		kernel_load(g, &kernel, "system.der");
		pa = unverified(g, &m);
		*(uint8_t *)guest_at(g, pa) = (uint8_t)there;
		token = call_ranges(g, HEKI_CALL_VALIDATE_MODULE, &m.ranges, HEKI_MODULE_FLAGS);
		if (there == LOCK || there == DS) {
			CHECK_OK(token);
			CHECK_OK(patch_text(g, pa, 0, lock, 1));
			CHECK_REFUSED(PATCH_SUSPICIOUS, patch_text(g, pa, 0, nop5, 1));
		} else {
			CHECK_REFUSED(PATCH_LIST, token);
			CHECK_REFUSED(NO_PATCH, patch_text(g, pa, 0, lock, 1));
		}
		unplace(&m);
		end(g);
	}
}

const struct test smp_locks_tests[] = {
	{ "listed_where_a_prefix_is", listed_where_a_prefix_is },
	{ "malformed", malformed },
	{ "listed_twice", listed_twice },
	{ "inside_another_site", inside_another_site },
	{ "unreadable", unreadable },
	{ "not_read", not_read },
	{ "outside_of_text", outside_of_text },
	{ "both_ways", both_ways },
	{ "other_bytes", other_bytes },
	{ "not_listed", not_listed },
	{ "neighbours", neighbours },
	{ "audited", audited },
	{ "module_sites", module_sites },
	{ "module_with_prefixes", module_with_prefixes },
	{ "module_of_many_cpus", module_of_many_cpus },
	{ "module_stray", module_stray },
	{ "module_differs", module_differs },
	{ "module_without_file", module_without_file },
	{ NULL, NULL },
};
