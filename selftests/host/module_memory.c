// SPDX-License-Identifier: GPL-2.0-only
/* VALIDATE_MODULE: what is in memory, where it is, and what changes meanwhile. */
#include "place.h"

static struct kernel kernel;

static struct guest *booted(enum heki_grade grade)
{
	struct guest *g = vtl0_start(grade);

	kernel_boot(g, &kernel);
	return g;
}

static void end(struct guest *g)
{
	kernel_drop(&kernel);
	vtl0_end(g);
}

/* --- contents --- */

/* Types whose bytes are compared before init has run. */
static const uint32_t compared[] = { HEKI_MOD_TEXT, HEKI_MOD_RODATA, HEKI_MOD_INIT_TEXT };

/* Any changed byte of text, read-only data, init text, relocated or not, padding included. */
static void every_byte_of_memory(void)
{
	struct guest *g = booted(HEKI_GRADE_AUDIT);
	struct placed m;
	struct snapshot *s;

	place(g, &m, "tiny-rsa2048.ko");
	s = snapshot_take(g);
	for (size_t t = 0; t < HEKI_ARRAY_SIZE(compared); t++) {
		for (uint64_t i = 0; i < m.l.pages[compared[t]] * HEKI_PAGE_SIZE;
		     i += i < 0x200 ? 1 : 509) {
			uint8_t *byte = placed_at(&m, compared[t], i);
			uint64_t next = g->next_page;
			int result;

			*byte ^= 0x41;
			result = validate(&m);
			if (result != -HEKI_E_MODULE_DIFFERS)
				test_fail(__FILE__, __LINE__, "type %u byte %#llx: %s", compared[t],
					  (unsigned long long)i,
					  result < 0 ? heki_error_name((uint32_t)-result) : "accepted");
			CHECK_EQUAL(last_log(g)->address, m.l.va[compared[t]] + i);
			*byte ^= 0x41;
			g->next_page = next;
		}
	}
	snapshot_check(g, s);
	CHECK(validate(&m) > 0);
	unplace(&m);
	end(g);
}

/* The record of a difference says section, offset and both byte strings. */
static void difference_is_told(void)
{
	struct guest *g = booted(HEKI_GRADE_AUDIT);
	struct placed m;
	uint64_t va;
	uint8_t *byte;
	size_t size;
	char hex[8];

	place(g, &m, "tiny-rsa2048.ko");
	va = loader_section(&m.l, ".init.text", &size);
	CHECK(va);
	byte = guest_at(g, placed_va_pa(&m, va + 3));
	*byte ^= 0xff;
	CHECK_REFUSED(MODULE_DIFFERS, validate_refused(&m));
	CHECK(!strcmp(last_log(g)->name, "tiny"));
	CHECK(strstr(last_log(g)->text, ".init.text"));
	CHECK(strstr(last_log(g)->text, "3"));
	snprintf(hex, sizeof(hex), "%02x", *byte);
	CHECK(strstr(last_log(g)->text, hex));
	snprintf(hex, sizeof(hex), "%02x", (uint8_t)~*byte);
	CHECK(strstr(last_log(g)->text, hex));
	unplace(&m);
	end(g);
}

/* A relocation that leads to another symbol of the kernel than the file says. */
static void relocation_to_another_symbol(void)
{
	struct guest *g = booted(HEKI_GRADE_AUDIT);
	struct placed m;
	struct symbol from, to;
	bool found = false;

	place(g, &m, "tiny-rsa2048.ko");
	CHECK(symbols_find(g->core, "printk", 6, &from) && symbols_find(g->core, "kfree", 5, &to));
	for (uint64_t i = 0; i + 5 < 0x100 && !found; i++) {
		uint8_t *call = placed_at(&m, HEKI_MOD_TEXT, i);
		uint64_t next = m.l.va[HEKI_MOD_TEXT] + i + 5;

		if ((call[0] != 0xe8 && call[0] != 0xe9) ||
		    next + (uint64_t)(int64_t)(int32_t)get_le32(call + 1) != from.value)
			continue;
		put_le32(call + 1, (uint32_t)(to.value - next));
		found = true;
	}
	CHECK(found);
	CHECK_REFUSED(MODULE_DIFFERS, validate_refused(&m));
	unplace(&m);
	end(g);
}

/* --- ranges --- */

/* @change the ranges of a good module: refused with @error. */
/*
 * Branches of lengths that compilers do not emit: rewritten where the rewriting fits, and where it
 * does not, nothing is written behind the site.
 */
static void odd_branches(void)
{
	static const struct export exports[] = {
		{ "__x86_indirect_thunk_rax", 0x400, false },
		{ "__x86_indirect_thunk_r8", 0x500, false },
		{ "secret_gpl", 0x160, true },
	};
	static const struct {
		uint8_t offset;
		uint8_t n;
		uint8_t code[7];
		bool legal;
	} forms[] = {
		/* call through r8: with LFENCE it would be a byte longer */
		{ 0x00, 5, { 0x41, 0xff, 0xd0, 0x66, 0x90 }, true },
		{ 0x00, 5, { 0x41, 0xff, 0xd1, 0x66, 0x90 }, false },
		{ 0x00, 5, { 0x0f, 0xae, 0xe8, 0x41, 0xff }, false },
		/* jne through rax */
		{ 0x05, 6, { 0x74, 0x04, 0xff, 0xe0, 0xcc, 0x90 }, true },
		{ 0x05, 6, { 0x75, 0x04, 0xff, 0xe0, 0xcc, 0x90 }, false },
		{ 0x05, 6, { 0x74, 0x04, 0x0f, 0xae, 0xe8, 0xff }, false },
		/* jne through r8, with a prefix */
		{ 0x0b, 7, { 0x74, 0x05, 0x41, 0xff, 0xe0, 0xcc, 0x90 }, true },
		{ 0x0b, 7, { 0x74, 0x05, 0x0f, 0xae, 0xe8, 0x41, 0xff }, false },
		/* jump through r8, with a prefix: all of it is used, or an INT3 comes behind */
		{ 0x1d, 6, { 0x0f, 0xae, 0xe8, 0x41, 0xff, 0xe0 }, true },
		{ 0x1d, 6, { 0x41, 0xff, 0xe0, 0xcc, 0x66, 0x90 }, true },
		{ 0x1d, 6, { 0x41, 0xff, 0xe0, 0x90, 0x66, 0x90 }, false },
		/* a static call by jne, which keeps its condition */
		{ 0x12, 6, { 0x0f, 0x85, 0, 0, 0, 0 }, true },
		{ 0x12, 6, { 0x0f, 0x84, 0, 0, 0, 0 }, false },
		{ 0x12, 6, { 0x0f, 0x1f, 0x44, 0x00, 0x00, 0x90 }, false },
	};
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct placed m;
	uint64_t next;

	kernel_make(g, &kernel, exports, HEKI_ARRAY_SIZE(exports));
	kernel_start(g, &kernel);
	CHECK_OK(vtlcall(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0));
	place(g, &m, "branches-signed.ko");
	next = g->next_page;
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(forms); i++) {
		uint8_t *there = placed_at(&m, HEKI_MOD_TEXT, forms[i].offset), before[7];
		uint64_t end = m.l.va[HEKI_MOD_TEXT] + forms[i].offset + forms[i].n;
		int token;

		memcpy(before, there, sizeof(before));
		memcpy(there, forms[i].code, forms[i].n);
		if (there[0] == 0x0f && !get_le32(there + 2))
			put_le32(there + 2, (uint32_t)(A_FUNCTION - end));
		token = validate(&m);
		if (forms[i].legal) {
			CHECK_OK(token);
			CHECK_OK(unload(g, token));
		} else {
			CHECK_REFUSED(MODULE_DIFFERS, token);
		}
		memcpy(there, before, sizeof(before));
		g->next_page = next;
	}
	CHECK_OK(validate(&m));
	unplace(&m);
	end(g);
}

static void with_ranges(int error, void (*change)(struct placed *m))
{
	struct guest *g = booted(HEKI_GRADE_AUDIT);
	struct placed m;

	place(g, &m, "tiny-rsa2048.ko");
	change(&m);
	check_result(__FILE__, __LINE__, "changed ranges", validate_refused(&m), -error);
	unplace(&m);
	end(g);
}

static void no_text(struct placed *m)
{
	drop_range(m, first_of(m, HEKI_MOD_TEXT));
}

static void no_rodata(struct placed *m)
{
	drop_range(m, first_of(m, HEKI_MOD_RODATA));
}

static void no_init_text(struct placed *m)
{
	drop_range(m, first_of(m, HEKI_MOD_INIT_TEXT));
}

static void no_data(struct placed *m)
{
	drop_range(m, first_of(m, HEKI_MOD_DATA));
}

static void no_file(struct placed *m)
{
	drop_range(m, first_of(m, HEKI_MOD_ELF_BUFFER));
}

/* A page of init text more than the sections need, moved to where there is room for it. */
static void a_page_more(struct placed *m)
{
	struct heki_range *r = first_of(m, HEKI_MOD_INIT_TEXT);

	r->va += 1 << 24;
	add_range(&m->ranges, r->va + HEKI_PAGE_SIZE, guest_pages(m->g, 1), HEKI_PAGE_SIZE,
		  HEKI_MOD_INIT_TEXT);
}

static void unaligned(struct placed *m)
{
	first_of(m, HEKI_MOD_TEXT)->pa += 16;
}

static void unaligned_va(struct placed *m)
{
	first_of(m, HEKI_MOD_TEXT)->va += 16;
}

static void empty_range(struct placed *m)
{
	struct heki_range *r = first_of(m, HEKI_MOD_TEXT);

	r->epa = r->pa;
}

static void unknown_type(struct placed *m)
{
	first_of(m, HEKI_MOD_DATA)->attributes = 9;
}

static void unknown_type_64(struct placed *m)
{
	first_of(m, HEKI_MOD_DATA)->attributes |= 1ull << 32;
}

static void direct_map(struct placed *m)
{
	first_of(m, HEKI_MOD_TEXT)->va = DIRECT_MAP;
}

static void text_over_data(struct placed *m)
{
	first_of(m, HEKI_MOD_TEXT)->va = first_of(m, HEKI_MOD_DATA)->va;
}

static void page_twice(struct placed *m)
{
	struct heki_range *r = first_of(m, HEKI_MOD_RODATA), *text = first_of(m, HEKI_MOD_TEXT);

	r->pa = text->pa;
	r->epa = text->epa;
}

static void over_kernel(struct placed *m)
{
	struct heki_range *r = first_of(m, HEKI_MOD_DATA);

	r->pa = kernel.text;
	r->epa = r->pa + HEKI_PAGE_SIZE;
}

static void over_vtl1(struct placed *m)
{
	struct heki_range *r = first_of(m, HEKI_MOD_DATA);

	r->pa = VTL1_PA;
	r->epa = r->pa + HEKI_PAGE_SIZE;
}

static void file_in_vtl1(struct placed *m)
{
	struct heki_range *r = first_of(m, HEKI_MOD_ELF_BUFFER);

	r->pa = VTL1_PA;
	r->epa = r->pa + m->file.n;
}

static void gap(struct placed *m)
{
	struct heki_range *r = first_of(m, HEKI_MOD_RO_AFTER_INIT);

	CHECK(r[1].attributes == HEKI_MOD_RO_AFTER_INIT);
	for (r++; r->attributes == HEKI_MOD_RO_AFTER_INIT; r++)
		r->va += 1 << 24;
}

static void huge_file(struct placed *m)
{
	struct heki_range *r = first_of(m, HEKI_MOD_ELF_BUFFER);

	r->pa = 1 << 20;
	r->epa = r->pa + HEKI_ELF_MAX + 1;
}

static void file_with_hole(struct placed *m)
{
	struct heki_range *r = first_of(m, HEKI_MOD_ELF_BUFFER);
	uint64_t half = page_down(m->file.n / 2), pa = r->pa, va = r->va, end_pa = r->epa;

	if (!half)
		half = 512;
	r->epa = pa + half;
	add_range(&m->ranges, va + half + 1, pa + half, end_pa - pa - half, HEKI_MOD_ELF_BUFFER);
}

static void short_info(struct placed *m)
{
	uint64_t pa = guest_pages(m->g, 1);

	add_range(&m->ranges, DIRECT_MAP + pa, pa, sizeof(struct heki_module_info) - 1, HEKI_MOD_INFO);
}

static void bad_ranges(void)
{
	with_ranges(HEKI_E_MODULE_LAYOUT, no_text);
	with_ranges(HEKI_E_MODULE_LAYOUT, no_rodata);
	with_ranges(HEKI_E_MODULE_LAYOUT, no_init_text);
	with_ranges(HEKI_E_MODULE_LAYOUT, no_data);
	with_ranges(HEKI_E_ELF_FORMAT, no_file);
	with_ranges(HEKI_E_MODULE_LAYOUT, a_page_more);
	with_ranges(HEKI_E_NOT_ALIGNED, unaligned);
	with_ranges(HEKI_E_NOT_ALIGNED, unaligned_va);
	with_ranges(HEKI_E_RANGE, empty_range);
	with_ranges(HEKI_E_MODULE_MEMORY_TYPE, unknown_type);
	with_ranges(HEKI_E_MODULE_MEMORY_TYPE, unknown_type_64);
	with_ranges(HEKI_E_VIRT_ADDRESS, direct_map);
	with_ranges(HEKI_E_OVERLAP, text_over_data);
	with_ranges(HEKI_E_OVERLAP, page_twice);
	with_ranges(HEKI_E_OVERLAP, over_kernel);
	with_ranges(HEKI_E_PHYS_ADDRESS, over_vtl1);
	with_ranges(HEKI_E_PHYS_ADDRESS, file_in_vtl1);
	with_ranges(HEKI_E_ELF_TOO_BIG, huge_file);
	with_ranges(HEKI_E_DISCONTIGUOUS, gap);
	with_ranges(HEKI_E_DISCONTIGUOUS, file_with_hole);
	with_ranges(HEKI_E_PARAMETER, short_info);
}

/* Pages of a module that is loaded are not another's, whatever the other wants to do with them. */
static void over_another_module(void)
{
	struct guest *g = booted(HEKI_GRADE_ENFORCE);
	struct placed a, b;

	place(g, &a, "tiny-rsa2048.ko");
	CHECK(validate(&a) > 0);
	place(g, &b, "tiny-p256.ko");
	for (uint32_t type = 0; type < LOADER_TYPES; type++) {
		struct heki_range *r, old;

		if (!a.l.pages[type])
			continue;
		r = first_of(&b, HEKI_MOD_DATA);
		old = *r;
		r->pa = a.pa[type][0];
		r->epa = r->pa + HEKI_PAGE_SIZE;
		CHECK_REFUSED(OVERLAP, validate_refused(&b));
		*r = old;
	}
	CHECK(validate(&b) > 0);
	unplace(&a);
	unplace(&b);
	end(g);
}

/* --- bytes that change meanwhile --- */

struct tamper {
	uint64_t pa;
	uint8_t byte;
	bool written;
};

static void tamper(struct guest *g, void *context)
{
	struct tamper *t = context;

	t->written |= !guest_store(g, t->pa, &t->byte, 1);
}

/*
 * Another VP writes one byte at the n-th use of an operation, before or after it, for every n.
 * Whatever happens, a module that is accepted has the right bytes in the end: enforce respects
 * permissions, so this shows that pages are frozen before they are looked at.
 */
static void changed_at(enum guest_op op, bool after, uint32_t type, uint64_t offset, bool *refused)
{
	for (uint64_t nth = 1;; nth++) {
		struct guest *g = booted(HEKI_GRADE_ENFORCE);
		struct tamper t = { 0 };
		struct placed m;
		int result;
		bool reached;

		place(g, &m, "tiny-rsa2048.ko");
		t.pa = placed_pa(&m, type, offset);
		t.byte = (uint8_t)~*placed_at(&m, type, offset);
		guest_clear(g);
		guest_add_hook(g, &(struct guest_hook){ .run = tamper, .context = &t, .op = op,
							.nth = nth, .after = after });
		result = validate(&m);
		reached = g->count[op] >= nth;
		if (result >= 0)
			CHECK(placed_intact(&m, type));
		else
			CHECK_EQUAL(result, -HEKI_E_MODULE_DIFFERS);
		*refused |= result < 0;
		unplace(&m);
		end(g);
		if (!reached)
			break;
	}
}

static void changed_meanwhile(void)
{
	static const enum guest_op ops[] = { GUEST_READ, GUEST_PROTECT, GUEST_VERIFY, GUEST_ALLOC };

	for (size_t t = 0; t < HEKI_ARRAY_SIZE(compared); t++) {
		bool refused = false;

		for (size_t i = 0; i < HEKI_ARRAY_SIZE(ops); i++) {
			changed_at(ops[i], false, compared[t], 0x11, &refused);
			changed_at(ops[i], true, compared[t], 0x11, &refused);
		}
		CHECK(refused); /* the change was in time for some of them */
	}
}

struct swap {
	uint64_t pa;
	const struct file *with;
};

static void swap_file(struct guest *g, void *context)
{
	const struct swap *s = context;

	memcpy(guest_at(g, s->pa), s->with->p, s->with->n);
}

/*
 * The file is exchanged for another at the n-th read: a signature of one never covers the bytes of
 * the other.  Memory holds a module that differs from what is signed.
 */
static void file_exchanged(void)
{
	struct file evil = load_file("tiny-rsa2048.ko");

	for (uint64_t nth = 1; nth < 40; nth++) {
		struct guest *g = booted(HEKI_GRADE_AUDIT);
		struct placed m;
		struct swap swap;

		place(g, &m, "tiny-rsa2048.ko");
		*placed_at(&m, HEKI_MOD_TEXT, 0x11) ^= 1; /* memory is evil, and so is the new file */
		evil.p[0x70 + 0x11] ^= 1;
		swap = (struct swap){ m.elf_pa, &evil };
		guest_clear(g);
		guest_add_hook(g, &(struct guest_hook){ .run = swap_file, .context = &swap,
							.op = GUEST_READ, .nth = nth, .after = true });
		CHECK(validate(&m) < 0);
		evil.p[0x70 + 0x11] ^= 1;
		unplace(&m);
		end(g);
	}
	drop_file(&evil);
}

/* --- patch lists --- */

static int with_list(struct placed *m, struct patches *list)
{
	struct heki_range *r = &m->ranges.r[m->patch];
	struct heki_range old = *r;
	uint64_t next = m->g->next_page;
	int result;

	r->pa = put_bytes(m->g, list->bytes, list->n);
	r->epa = r->pa + list->n;
	result = validate_refused(m);
	*r = old;
	m->g->next_page = next;
	return result;
}

static void add_jump(struct placed *m, struct patches *list, size_t i)
{
	const struct loader_jump *j = &m->l.jumps[i % m->l.jumps_count];

	add_patch(list, placed_va_pa(m, j->va), 0, j->code, j->size);
}

static void patch_lists(void)
{
	struct guest *g = booted(HEKI_GRADE_AUDIT);
	struct patches list = { 0 };
	struct placed m;
	size_t patch = sizeof(struct heki_patch_info);
	uint8_t code[5];

	place(g, &m, "tiny-rsa2048.ko");
	CHECK(m.l.jumps_count >= 2);
	add_patch_header(&list, HEKI_PATCH_JUMP_LABEL);
	for (size_t i = 0; i + 1 < m.l.jumps_count; i++)
		add_jump(&m, &list, i);
	CHECK_REFUSED(PATCH_LIST, with_list(&m, &list)); /* one is not named */
	add_jump(&m, &list, 0);
	CHECK_REFUSED(PATCH_LIST, with_list(&m, &list)); /* and another one twice */
	add_jump(&m, &list, m.l.jumps_count - 1);
	CHECK_REFUSED(PATCH_LIST, with_list(&m, &list)); /* all are named, and one twice */
	drop_patches(&list);
	add_patch_header(&list, HEKI_PATCH_JUMP_LABEL);
	for (size_t i = 0; i < m.l.jumps_count; i++)
		add_jump(&m, &list, i);
	list.bytes[patch + 18] ^= 1; /* leads elsewhere */
	CHECK_REFUSED(PATCH_LIST, with_list(&m, &list));
	list.bytes[patch + 18] ^= 1;
	list.bytes[patch] ^= 1; /* stands elsewhere */
	CHECK_REFUSED(PATCH_LIST, with_list(&m, &list));
	list.bytes[patch] ^= 1;
	make_jump(KERNEL_VA + 0x200, KERNEL_VA + 0x225, 5, code); /* one of the kernel's */
	add_patch(&list, kernel.text + 0x200, 0, code, 5);
	CHECK_REFUSED(PATCH_LIST, with_list(&m, &list));
	list.n -= 1;
	CHECK_REFUSED(PATCH_FORMAT, with_list(&m, &list));
	drop_patches(&list);
	CHECK(validate(&m) > 0);
	unplace(&m);
	end(g);
}

/* The second of two headers counts as the first does. */
static void patch_lists_of_two_headers(void)
{
	struct guest *g = booted(HEKI_GRADE_AUDIT);
	struct patches list = { 0 };
	struct placed m;
	uint64_t pa;

	place(g, &m, "tiny-rsa2048.ko");
	for (size_t i = 0; i < m.l.jumps_count; i++) {
		add_patch_header(&list, HEKI_PATCH_JUMP_LABEL);
		add_jump(&m, &list, i);
	}
	pa = put_bytes(g, list.bytes, list.n);
	m.ranges.r[m.patch].pa = pa;
	m.ranges.r[m.patch].epa = pa + list.n;
	CHECK(validate(&m) > 0);
	for (size_t i = 0; i < m.l.jumps_count; i++)
		CHECK_OK(patch_text(g, placed_va_pa(&m, m.l.jumps[i].va), 0, (uint8_t[]){ 0xcc }, 1));
	drop_patches(&list);
	unplace(&m);
	end(g);
}

/* Keys of a module flip; once it is gone its sites are, too. */
static void patch_sites_go_with_the_module(void)
{
	struct guest *g = booted(HEKI_GRADE_ENFORCE);
	struct placed m;
	uint64_t pa;
	int token;

	place(g, &m, "tiny-rsa2048.ko");
	token = validate(&m);
	pa = placed_va_pa(&m, m.l.jumps[0].va);
	CHECK_OK(patch_text(g, pa, 0, (uint8_t[]){ 0xcc }, 1));
	CHECK_OK(patch_text(g, pa + 1, 0, m.l.jumps[0].code + 1, m.l.jumps[0].size - 1));
	CHECK_OK(patch_text(g, pa, 0, m.l.jumps[0].code, 1));
	CHECK(!memcmp(guest_at(g, pa), m.l.jumps[0].code, m.l.jumps[0].size));
	CHECK_OK(unload(g, token));
	CHECK_REFUSED(NO_PATCH, patch_text(g, pa, 0, (uint8_t[]){ 0xcc }, 1));
	CHECK(!memcmp(guest_at(g, pa), m.l.jumps[0].code, m.l.jumps[0].size));
	unplace(&m);
	end(g);
}

const struct test module_memory_tests[] = {
	{ "every_byte_of_memory", every_byte_of_memory },
	{ "difference_is_told", difference_is_told },
	{ "odd_branches", odd_branches },
	{ "relocation_to_another_symbol", relocation_to_another_symbol },
	{ "bad_ranges", bad_ranges },
	{ "over_another_module", over_another_module },
	{ "changed_meanwhile", changed_meanwhile },
	{ "file_exchanged", file_exchanged },
	{ "patch_lists", patch_lists },
	{ "patch_lists_of_two_headers", patch_lists_of_two_headers },
	{ "patch_sites_go_with_the_module", patch_sites_go_with_the_module },
	{ NULL, NULL },
};
