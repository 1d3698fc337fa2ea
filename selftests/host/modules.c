// SPDX-License-Identifier: GPL-2.0-only
/* VALIDATE_MODULE, FREE_MODULE_INIT, UNLOAD_MODULE on small modules: each refusal, and none. */
#include "place.h"

#define R HEKI_ATTR_READ
#define W HEKI_ATTR_WRITE
#define X HEKI_ATTR_EXEC

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

static void check_access(struct placed *m, const uint32_t *expected)
{
	for (uint32_t type = 0; type < LOADER_TYPES; type++)
		for (size_t i = 0; i < m->l.pages[type]; i++)
			CHECK_EQUAL(guest_access(m->g, m->pa[type][i]), expected[type]);
}

static const uint32_t access_coming[LOADER_TYPES] = { R | X, R | W, R, R | W, R | X, R | W, R };
static const uint32_t access_ready[LOADER_TYPES] = {
	R | X, R | W, R, R, R | W | X, R | W | X, R | W | X,
};
static const uint32_t access_gone[LOADER_TYPES] = {
	R | W | X, R | W | X, R | W | X, R | W | X, R | W | X, R | W | X, R | W | X,
};

static void life(void)
{
	for (int grade = HEKI_GRADE_AUDIT; grade <= HEKI_GRADE_ENFORCE; grade++) {
		struct guest *g = booted((enum heki_grade)grade);
		struct snapshot *before = snapshot_take(g);
		struct placed m;
		struct symbol s;
		int token;

		place(g, &m, "tiny-signed.ko");
		token = validate(&m);
		CHECK(token > 0);
		CHECK_EQUAL(last_log(g)->event, HEKI_LOG_MODULE);
		CHECK(!strcmp(last_log(g)->name, "tiny") && last_log(g)->address == (uint64_t)token);
		check_access(&m, access_coming);
		CHECK(symbols_find(g->core, "tiny_add", 8, &s) && s.owner == (uint32_t)token && !s.gpl);
		CHECK(symbols_find(g->core, "tiny_gpl", 8, &s) && s.gpl);
		CHECK_EQUAL(free_init(g, token), 0);
		check_access(&m, access_ready);
		CHECK_EQUAL(unload(g, token), 0);
		CHECK_EQUAL(last_log(g)->event, HEKI_LOG_UNLOAD);
		check_access(&m, access_gone);
		CHECK(!symbols_find(g->core, "tiny_add", 8, &s));
		snapshot_check(g, before);
		unplace(&m);
		end(g);
	}
}

static void unload_without_free_init(void)
{
	struct guest *g = booted(HEKI_GRADE_ENFORCE);
	struct snapshot *before = snapshot_take(g);
	struct placed m;
	int token;

	place(g, &m, "tiny-signed.ko");
	token = validate(&m);
	CHECK(token > 0);
	CHECK_EQUAL(unload(g, token), 0);
	snapshot_check(g, before);
	unplace(&m);
	end(g);
}

static void listed(void)
{
	struct guest *g = booted(HEKI_GRADE_AUDIT);
	uint64_t pa = guest_pages(g, 1);
	const struct heki_list_module *e = guest_at(g, pa + sizeof(struct heki_list_reply));
	struct placed m;
	int token;

	place(g, &m, "tiny-signed.ko");
	token = validate(&m);
	CHECK_OK(vtlcall(g, HEKI_CALL_LIST, pa, HEKI_LIST_MODULES, 0));
	CHECK_EQUAL(((struct heki_list_reply *)guest_at(g, pa))->count, 1);
	CHECK(!strcmp(e->name, "tiny"));
	CHECK_EQUAL(e->token, token);
	CHECK_EQUAL(e->state, HEKI_MODULE_STATE_COMING);
	CHECK_EQUAL(e->exports, 2);
	CHECK(e->patches >= 1);
	CHECK(e->relocations > 10);
	CHECK_EQUAL(e->signer, 1); /* rsa4096 is the second of system.der */
	for (uint32_t type = 0; type < LOADER_TYPES; type++)
		CHECK_EQUAL(e->pages[type], m.l.pages[type]);
	CHECK_OK(free_init(g, token));
	CHECK_OK(vtlcall(g, HEKI_CALL_LIST, pa, HEKI_LIST_MODULES, 0));
	CHECK_EQUAL(e->state, HEKI_MODULE_STATE_READY);
	unplace(&m);
	end(g);
}

/* --- signatures --- */

static int validate_name(struct guest *g, const char *name)
{
	struct placed m;
	int result;

	place(g, &m, name);
	result = validate(&m);
	if (result >= 0)
		CHECK_EQUAL(unload(g, result), 0);
	unplace(&m);
	return result;
}

static void signed_by_each_key(void)
{
	static const char *const names[] = {
		"tiny-signed.ko", "tiny-rsa2048.ko", "tiny-p256.ko", "tiny-p384.ko", "tiny-sha384.ko",
		"tiny-sha512.ko", "tiny-p384-sha384.ko",
	};
	struct guest *g = booted(HEKI_GRADE_AUDIT);

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(names); i++)
		CHECK(validate_name(g, names[i]) > 0);
	end(g);
}

static void refused_signatures(void)
{
	struct guest *g = booted(HEKI_GRADE_AUDIT);
	struct file f = load_file("revoked.der");

	CHECK_REFUSED(NO_SIGNATURE, validate_name(g, "tiny.ko"));
	CHECK_REFUSED(NO_KEY, validate_name(g, "tiny-untrusted.ko"));
	CHECK_REFUSED(NO_KEY, validate_name(g, "tiny-secondary.ko"));
	CHECK_REFUSED(NO_KEY, validate_name(g, "tiny-revoked.ko"));
	CHECK_OK(call_bytes(g, HEKI_CALL_REVOKE, f.p, f.n, 0));
	CHECK_REFUSED(REVOKED, validate_name(g, "tiny-revoked.ko"));
	CHECK_REFUSED(SIGNATURE_ALGORITHM, validate_name(g, "tiny-sha1.ko"));
	CHECK_REFUSED(SIGNATURE_ALGORITHM, validate_name(g, "tiny-pss.ko"));
	CHECK_REFUSED(SIGNATURE_FORMAT, validate_name(g, "tiny-attributes.ko"));
	CHECK_EQUAL(g->core->stats.modules_refused, 8);
	CHECK_EQUAL(g->core->stats.modules_validated, 0);
	drop_file(&f);
	end(g);
}

/* The refusal names the module. */
static void refusal_names_the_module(void)
{
	struct guest *g = booted(HEKI_GRADE_AUDIT);

	CHECK_REFUSED(NO_SIGNATURE, validate_name(g, "tiny.ko"));
	CHECK(!strcmp(last_log(g)->name, "tiny"));
	CHECK_REFUSED(NO_KEY, validate_name(g, "tiny-untrusted.ko"));
	CHECK(!strcmp(last_log(g)->name, "tiny"));
	end(g);
}

static void secondary_key(void)
{
	struct guest *g = booted(HEKI_GRADE_AUDIT);
	struct file f = load_file("secondary.der");

	CHECK_REFUSED(NO_KEY, validate_name(g, "tiny-secondary.ko"));
	CHECK_OK(call_bytes(g, HEKI_CALL_COPY_SECONDARY_KEY, f.p, f.n, 0));
	CHECK(validate_name(g, "tiny-secondary.ko") > 0);
	CHECK_OK(call_bytes(g, HEKI_CALL_REVOKE, f.p, f.n, 0));
	CHECK_REFUSED(REVOKED, validate_name(g, "tiny-secondary.ko"));
	drop_file(&f);
	end(g);
}

static void revoked_key(void)
{
	struct guest *g = booted(HEKI_GRADE_AUDIT);
	struct file f = load_file("rsa2048.der");

	CHECK(validate_name(g, "tiny-rsa2048.ko") > 0);
	CHECK_OK(call_bytes(g, HEKI_CALL_REVOKE, f.p, f.n, 0));
	CHECK_REFUSED(REVOKED, validate_name(g, "tiny-rsa2048.ko"));
	CHECK(validate_name(g, "tiny-signed.ko") > 0);
	drop_file(&f);
	end(g);
}

static void no_certificates(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct ranges list = { 0 };

	kernel_make(g, &kernel, NULL, 0);
	kernel_symbol_ranges(g, &kernel, &list);
	CHECK_OK(call_ranges(g, HEKI_CALL_LOAD_KDATA, &list, 0));
	CHECK_REFUSED(CERTS_NOT_LOADED, validate_name(g, "tiny-signed.ko"));
	drop_ranges(&list);
	end(g);
}

/* Any changed bit of what is signed, of the signature and of its description. */
static void every_byte_of_the_file(void)
{
	struct guest *g = booted(HEKI_GRADE_AUDIT);
	struct placed m;
	struct snapshot *s;
	size_t content;

	place(g, &m, "tiny-rsa2048.ko");
	content = m.file.n - 40;
	s = snapshot_take(g);
	for (size_t i = 0; i < m.file.n; i += i < content - 700 ? 23 : 1) {
		uint8_t *byte = guest_at(g, m.elf_pa + i);
		uint64_t next = g->next_page;
		int result;

		*byte ^= 0x10;
		result = validate(&m);
		CHECK(result == -HEKI_E_SIGNATURE || result == -HEKI_E_SIGNATURE_FORMAT ||
		      result == -HEKI_E_NO_SIGNATURE || result == -HEKI_E_NO_KEY ||
		      result == -HEKI_E_SIGNATURE_ALGORITHM);
		*byte ^= 0x10;
		g->next_page = next;
	}
	snapshot_check(g, s);
	CHECK(validate(&m) > 0);
	unplace(&m);
	end(g);
}

static void truncated(void)
{
	struct guest *g = booted(HEKI_GRADE_AUDIT);
	struct placed m;
	struct heki_range *elf;
	size_t whole;

	place(g, &m, "tiny-rsa2048.ko");
	elf = &m.ranges.r[m.elf];
	whole = m.file.n;
	for (size_t n = whole - 1; n > 0; n -= n > whole - 60 || n < 60 ? 1 : 59) {
		elf->epa = elf->pa + n;
		CHECK_REFUSED(NO_SIGNATURE, validate_refused(&m));
	}
	elf->epa = elf->pa;
	CHECK_REFUSED(ELF_FORMAT, validate_refused(&m));
	unplace(&m);
	end(g);
}

/* Only a trailer, lengths that lie, kinds that are none: always SIGNATURE_FORMAT. */
static void trailers(void)
{
	static const struct {
		int offset; /* from the end of the file */
		uint8_t value;
	} wrong[] = {
		{ -40, 1 }, { -39, 1 }, { -38, 0 }, { -38, 1 }, { -38, 3 }, { -37, 1 }, { -36, 1 },
		{ -35, 1 }, { -34, 1 }, { -33, 1 }, { -32, 0xff }, { -31, 0xff }, { -30, 0x7f },
	};
	struct guest *g = booted(HEKI_GRADE_AUDIT);
	struct placed m;
	struct heki_range *elf;

	place(g, &m, "tiny-rsa2048.ko");
	elf = &m.ranges.r[m.elf];
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(wrong); i++) {
		uint8_t *byte = guest_at(g, elf->epa - 0 + (uint64_t)(int64_t)wrong[i].offset);
		uint8_t old = *byte;

		*byte = wrong[i].value;
		CHECK_REFUSED(SIGNATURE_FORMAT, validate_refused(&m));
		*byte = old;
	}
	for (uint64_t n = 28; n < 41; n++) { /* the marker and less than a description */
		struct heki_range old = *elf;

		elf->pa = elf->epa - n;
		CHECK_REFUSED(SIGNATURE_FORMAT, validate_refused(&m));
		*elf = old;
	}
	unplace(&m);
	end(g);
}

static void listed_hash(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct file f = load_file("tiny.ko");
	char record[HEKI_BLOCKLIST_RECORD] = "bin:";
	uint8_t digest[HEKI_HASH_MAX];
	struct span bytes = { f.p, f.n };

	kernel_make(g, &kernel, NULL, 0);
	kernel_load(g, &kernel, "system.der");
	CHECK(validate_name(g, "tiny-signed.ko") > 0);
	CHECK(!g->ops.hash(g, HEKI_SHA256, &bytes, 1, digest));
	for (int i = 0; i < 32; i++)
		sprintf(record + 4 + 2 * i, "%02x", digest[i]);
	CHECK_OK(call_bytes(g, HEKI_CALL_LOAD_KDATA, record, sizeof(record),
			    HEKI_KDATA_BLOCKLIST_HASHES));
	CHECK_REFUSED(REVOKED, validate_name(g, "tiny-signed.ko"));
	drop_file(&f);
	end(g);
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

static struct heki_range *first_of(struct placed *m, uint64_t type)
{
	for (size_t i = 0; i < m->ranges.n; i++)
		if (m->ranges.r[i].attributes == type)
			return &m->ranges.r[i];
	test_fail(__FILE__, __LINE__, "no range of type %llu", (unsigned long long)type);
}

static void drop_range(struct placed *m, struct heki_range *r)
{
	memmove(r, r + 1, (size_t)(m->ranges.r + m->ranges.n - (r + 1)) * sizeof(*r));
	m->ranges.n--;
}

/* @change the ranges of a good module: refused with @error. */
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

/* --- files that are signed but bad --- */

static void damaged_files(void)
{
	static const char *const names[] = {
		"elf-magic.ko", "elf-class.ko", "elf-type.ko", "elf-machine.ko", "elf-shoff.ko",
		"elf-shoff-high.ko", "elf-shentsize.ko", "elf-shnum.ko", "elf-shnum-zero.ko",
		"elf-shstrndx.ko", "elf-short.ko", "elf-text.ko", "tiny-NO_NAME.ko",
	};
	struct guest *g = booted(HEKI_GRADE_AUDIT);
	struct placed m;
	struct heki_range old;

	place(g, &m, "tiny-rsa2048.ko"); /* its memory goes with all of the files */
	old = m.ranges.r[m.elf];
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(names); i++) {
		struct file f = load_file(names[i]);

		m.ranges.r[m.elf].pa = put_bytes(g, f.p, f.n);
		m.ranges.r[m.elf].epa = m.ranges.r[m.elf].pa + f.n;
		check_result(__FILE__, __LINE__, names[i], validate_refused(&m), -HEKI_E_ELF_FORMAT);
		drop_file(&f);
	}
	m.ranges.r[m.elf] = old;
	CHECK(validate(&m) > 0);
	unplace(&m);
	end(g);
}

/* As above; the memory is that of a good module, so only the file can be at fault. */
static int with_file(const char *name)
{
	struct guest *g = booted(HEKI_GRADE_AUDIT);
	struct file f = load_file(name);
	struct placed m;
	int result;

	place(g, &m, "tiny-rsa2048.ko");
	m.ranges.r[m.elf].pa = put_bytes(g, f.p, f.n);
	m.ranges.r[m.elf].epa = m.ranges.r[m.elf].pa + f.n;
	result = validate_refused(&m);
	drop_file(&f);
	unplace(&m);
	end(g);
	return result;
}

static void bad_modules(void)
{
	CHECK_REFUSED(MODULE_LIVEPATCH, with_file("tiny-LIVEPATCH.ko"));
	CHECK_REFUSED(MODULE_RELOCATION, with_file("tiny-BAD_RELOCATION.ko"));
	CHECK_REFUSED(MODULE_SYMBOL, with_file("tiny-UNKNOWN_SYMBOL.ko"));
}

/* Files that are parsed before their signature is judged: changed everywhere, read nowhere else. */
static void mutated_files(void)
{
	struct guest *g = booted(HEKI_GRADE_AUDIT);
	struct placed m;
	uint8_t *file;
	uint32_t random = 1;

	place(g, &m, "tiny-p256.ko");
	file = guest_at(g, m.elf_pa);
	for (int round = 0; round < 1500; round++) {
		uint8_t old[4];
		size_t at[4];
		uint64_t next = g->next_page;

		for (int i = 0; i < 4; i++) {
			random = random * 1103515245 + 12345;
			at[i] = (random >> 8) % (i & 1 ? 64 : m.file.n - 700);
			if (round & 1 && !(i & 1)) /* section headers */
				at[i] = get_le64(m.file.p + 40) + at[i] % (24 * 64);
			old[i] = file[at[i]];
			file[at[i]] = (uint8_t)(random & 1 ? 0xff : random >> 16);
		}
		CHECK(validate(&m) < 0);
		for (int i = 3; i >= 0; i--)
			file[at[i]] = old[i];
		g->next_page = next;
	}
	CHECK(validate(&m) > 0);
	unplace(&m);
	end(g);
}

/* --- tokens --- */

static void tokens(void)
{
	static const uint64_t wrong[] = { 0, 3, 1ull << 30, HEKI_OWNER_KERNEL, HEKI_OWNER_RING, ~0ull };
	struct guest *g = booted(HEKI_GRADE_AUDIT);
	struct placed m;
	int first, second;

	place(g, &m, "tiny-rsa2048.ko");
	first = validate(&m);
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(wrong); i++) {
		CHECK_REFUSED(TOKEN, vtlcall(g, HEKI_CALL_FREE_MODULE_INIT, wrong[i], 0, 0));
		CHECK_REFUSED(TOKEN, vtlcall(g, HEKI_CALL_UNLOAD_MODULE, wrong[i], 0, 0));
	}
	CHECK_REFUSED(TOKEN, vtlcall(g, HEKI_CALL_UNLOAD_MODULE, (uint64_t)first | 1ull << 32, 0, 0));
	CHECK_OK(free_init(g, first));
	CHECK_REFUSED(TOKEN, free_init(g, first));
	CHECK_OK(unload(g, first));
	CHECK_REFUSED(TOKEN, unload(g, first));
	CHECK_REFUSED(TOKEN, free_init(g, first));
	second = validate(&m);
	CHECK(second > first); /* never used again */
	CHECK_REFUSED(TOKEN, unload(g, first));
	unplace(&m);
	end(g);
}

static void users(void)
{
	struct guest *g = booted(HEKI_GRADE_AUDIT);
	struct placed tiny, user;
	struct snapshot *before = snapshot_take(g);
	int a, b;

	place(g, &tiny, "tiny-signed.ko");
	a = validate(&tiny);
	place(g, &user, "user-signed.ko");
	b = validate(&user);
	CHECK(a > 0 && b > a);
	CHECK_REFUSED(BUSY, unload(g, a));
	CHECK(!strcmp(last_log(g)->name, "tiny"));
	CHECK_OK(free_init(g, a));
	CHECK_REFUSED(BUSY, unload(g, a));
	CHECK_OK(unload(g, b));
	CHECK_OK(unload(g, a));
	snapshot_check(g, before);
	CHECK_REFUSED(MODULE_SYMBOL, validate_refused(&user)); /* what it needs is gone */
	CHECK(strstr(last_log(g)->text, "tiny_add"));
	unplace(&tiny);
	unplace(&user);
	end(g);
}

/* --- several VPs --- */

struct other_vp {
	int token;
	uint32_t call;
	int results[3]; /* refused as busy, as no token, and accepted */
	bool running;
};

static void other_call(struct guest *g, void *context)
{
	struct other_vp *o = context;
	int32_t result;

	if (guest_locked() || o->running)
		return;
	o->running = true;
	guest_set_vp(1);
	result = guest_call(g, o->call, (uint64_t)o->token, 0, 0);
	guest_set_vp(0);
	o->running = false;
	o->results[result == -16 ? 0 : result == -22 ? 1 : 2]++;
}

/* While a module is validated, other calls with its token are refused as busy. */
static void busy_while_validating(void)
{
	static const uint32_t calls[] = { HEKI_CALL_UNLOAD_MODULE, HEKI_CALL_FREE_MODULE_INIT };

	for (size_t i = 0; i < 2; i++) {
		struct guest *g = booted(HEKI_GRADE_AUDIT);
		struct other_vp o = { .call = calls[i] };
		struct placed m;
		int32_t result;

		place(g, &m, "tiny-rsa2048.ko");
		o.token = (int)g->core->next_token;
		guest_clear(g);
		guest_add_hook(g, &(struct guest_hook){ .run = other_call, .context = &o,
							.op = GUEST_READ, .after = true });
		result = guest_call(g, HEKI_CALL_VALIDATE_MODULE, put_ranges(g, &m.ranges),
				    m.ranges.n, 0);
		CHECK_EQUAL(result, o.token);
		CHECK(o.results[0] > 0 && !o.results[2]);
		CHECK(!g->misuse);
		guest_clear(g);
		check_access(&m, access_coming);
		CHECK_OK(unload(g, result));
		unplace(&m);
		end(g);
	}
}

struct auditor {
	uint64_t page;
	bool running;
	unsigned int passes;
	uint64_t violations;
};

static void audit_all(struct guest *g, void *context)
{
	struct auditor *a = context;
	const struct heki_audit_reply *reply = guest_at(g, a->page);
	uint64_t cursor = 0;

	if (a->running || guest_locked())
		return;
	a->running = true;
	guest_set_vp(1);
	do {
		CHECK_EQUAL(guest_call(g, HEKI_CALL_AUDIT, a->page, cursor, 0), 0);
		a->violations += reply->violations;
		cursor = reply->next_cursor;
	} while (cursor);
	a->passes++;
	guest_set_vp(0);
	a->running = false;
}

/* Another VP audits between any two steps of loading and unloading: nothing is wrong. */
static void audited_meanwhile(void)
{
	struct guest *g = booted(HEKI_GRADE_AUDIT);
	struct auditor a = { .page = guest_pages(g, 1) };
	struct placed m;
	int32_t token;

	place(g, &m, "tiny-rsa2048.ko");
	guest_clear(g);
	guest_add_hook(g, &(struct guest_hook){ .run = audit_all, .context = &a, .op = GUEST_UNLOCK,
						.after = true });
	token = guest_call(g, HEKI_CALL_VALIDATE_MODULE, put_ranges(g, &m.ranges), m.ranges.n, 0);
	CHECK(token > 0);
	CHECK_EQUAL(guest_call(g, HEKI_CALL_FREE_MODULE_INIT, (uint64_t)token, 0, 0), 0);
	CHECK_EQUAL(guest_call(g, HEKI_CALL_UNLOAD_MODULE, (uint64_t)token, 0, 0), 0);
	guest_clear(g);
	CHECK(a.passes > 20 && !g->misuse);
	CHECK_EQUAL(a.violations, 0);
	CHECK_EQUAL(g->core->stats.violations, 0);
	unplace(&m);
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

/* --- flags --- */

static int validate_flags(struct placed *m, uint64_t flags)
{
	return call_ranges(m->g, HEKI_CALL_VALIDATE_MODULE, &m->ranges, flags);
}

static void flags(void)
{
	struct guest *g = booted(HEKI_GRADE_AUDIT);
	struct placed m;

	place(g, &m, "tiny-rsa2048.ko");
	CHECK_REFUSED(PARAMETER, validate_flags(&m, 4));
	CHECK_REFUSED(PARAMETER, validate_flags(&m, 1ull << 32));
	CHECK_REFUSED(PARAMETER, validate_flags(&m, ~0ull));
	CHECK_REFUSED(AFTER_END_OF_BOOT, validate_flags(&m, HEKI_MODULE_LIVE));
	CHECK_REFUSED(AFTER_END_OF_BOOT, validate_flags(&m, HEKI_MODULE_UNVERIFIED));
	CHECK_REFUSED(AFTER_END_OF_BOOT, validate_flags(&m, HEKI_MODULE_FLAGS));
	unplace(&m);
	end(g);
}

static struct guest *booting(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_ENFORCE);

	kernel_make(g, &kernel, NULL, 0);
	kernel_load(g, &kernel, "system.der");
	return g;
}

static void drop_init(struct placed *m)
{
	for (size_t i = m->ranges.n; i-- > 0;)
		if (m->ranges.r[i].attributes >= HEKI_MOD_INIT_TEXT &&
		    m->ranges.r[i].attributes <= HEKI_MOD_INIT_RODATA)
			drop_range(m, &m->ranges.r[i]);
}

/* A module that runs already, with its file: init memory is gone, ro_after_init is sealed. */
static void live(void)
{
	struct guest *g = booting();
	struct placed m;
	int token;

	place(g, &m, "tiny-rsa2048.ko");
	drop_init(&m);
	token = validate_flags(&m, HEKI_MODULE_LIVE);
	CHECK_OK(token);
	CHECK_EQUAL(guest_access(g, m.pa[HEKI_MOD_TEXT][0]), R | X);
	if (m.l.pages[HEKI_MOD_RO_AFTER_INIT])
		CHECK_EQUAL(guest_access(g, m.pa[HEKI_MOD_RO_AFTER_INIT][0]), R);
	CHECK_REFUSED(TOKEN, free_init(g, token));
	CHECK_OK(unload(g, token));
	*placed_at(&m, HEKI_MOD_TEXT, 0x11) ^= 1;
	CHECK_REFUSED(MODULE_DIFFERS, validate_flags(&m, HEKI_MODULE_LIVE));
	unplace(&m);
	end(g);
}

static void add_info(struct placed *m, const char *name)
{
	struct heki_module_info info = { .num = 0 };
	uint64_t pa;
	size_t size;

	strncpy(info.name, name, sizeof(info.name));
	info.ksymtab = loader_section(&m->l, "__ksymtab", &size);
	info.num = (uint32_t)size / 12;
	info.ksymtab_gpl = loader_section(&m->l, "__ksymtab_gpl", &size);
	info.num_gpl = (uint32_t)size / 12;
	pa = put_bytes(m->g, &info, sizeof(info));
	add_range(&m->ranges, DIRECT_MAP + pa, pa, sizeof(info), HEKI_MOD_INFO);
}

/* No file: recorded as unverified, with its exports and patch sites, and protected. */
static void unverified(void)
{
	struct guest *g = booting();
	struct placed m;
	struct symbol s;
	int token;

	place(g, &m, "tiny-untrusted.ko");
	drop_init(&m);
	drop_range(&m, first_of(&m, HEKI_MOD_ELF_BUFFER));
	CHECK_REFUSED(PARAMETER, validate_flags(&m, HEKI_MODULE_FLAGS)); /* no name */
	add_info(&m, "tiny");
	token = validate_flags(&m, HEKI_MODULE_FLAGS);
	CHECK_OK(token);
	CHECK(symbols_find(g->core, "tiny_add", 8, &s) && s.owner == (uint32_t)token);
	CHECK_EQUAL(guest_access(g, m.pa[HEKI_MOD_TEXT][0]), R | X);
	CHECK_EQUAL(g->core->stats.modules_validated, 0);
	CHECK(g->core->modules[0].flags & HEKI_MODULE_UNVERIFIED);
	CHECK(strstr(last_log(g)->text, "unverified"));
	CHECK_OK(patch_text(g, placed_va_pa(&m, m.l.jumps[0].va), 0, (uint8_t[]){ 0xcc }, 1));
	CHECK_OK(unload(g, token));
	unplace(&m);
	end(g);
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

/* --- budgets --- */

static void budget(uint32_t *limit, struct heki_limits *limits, uint32_t value)
{
	struct guest *g;
	struct placed m;

	*limits = test_limits;
	*limit = value;
	g = vtl0_start_limits(HEKI_GRADE_AUDIT, limits);
	kernel_boot(g, &kernel);
	place(g, &m, "tiny-rsa2048.ko");
	CHECK_REFUSED(NO_MEMORY, validate_refused(&m));
	unplace(&m);
	end(g);
}

static void budgets(void)
{
	struct heki_limits limits;

	budget(&limits.frames, &limits, KERNEL_TEXT_PAGES + KERNEL_RODATA_PAGES + 3);
	budget(&limits.symbols, &limits, 6); /* five of the kernel, one of two */
	budget(&limits.patches, &limits, 5); /* three of the kernel, one of them over two pages */
}

static void module_budget(void)
{
	struct heki_limits limits = test_limits;
	struct guest *g;
	struct placed a, b;
	int token;

	limits.modules = 1;
	g = vtl0_start_limits(HEKI_GRADE_AUDIT, &limits);
	kernel_boot(g, &kernel);
	place(g, &a, "tiny-rsa2048.ko");
	place(g, &b, "tiny-p256.ko");
	token = validate(&a);
	CHECK_OK(token);
	CHECK_REFUSED(NO_MEMORY, validate_refused(&b));
	CHECK_OK(unload(g, token));
	CHECK_OK(validate(&b));
	unplace(&a);
	unplace(&b);
	end(g);
}

static void scratch_budget(void)
{
	struct heki_limits limits = test_limits;

	for (limits.scratch_bytes = 16 << 10; limits.scratch_bytes < 256 << 10;
	     limits.scratch_bytes += 16 << 10) {
		struct guest *g = vtl0_start_limits(HEKI_GRADE_AUDIT, &test_limits);
		struct placed m;
		int result;

		kernel_boot(g, &kernel);
		g->core->limits.scratch_bytes = limits.scratch_bytes;
		place(g, &m, "tiny-rsa2048.ko");
		result = validate(&m);
		CHECK(result > 0 || result == -HEKI_E_NO_MEMORY);
		unplace(&m);
		end(g);
	}
}

const struct test modules_tests[] = {
	{ "life", life },
	{ "unload_without_free_init", unload_without_free_init },
	{ "listed", listed },
	{ "signed_by_each_key", signed_by_each_key },
	{ "refused_signatures", refused_signatures },
	{ "refusal_names_the_module", refusal_names_the_module },
	{ "secondary_key", secondary_key },
	{ "revoked_key", revoked_key },
	{ "no_certificates", no_certificates },
	{ "every_byte_of_the_file", every_byte_of_the_file },
	{ "truncated", truncated },
	{ "trailers", trailers },
	{ "listed_hash", listed_hash },
	{ "every_byte_of_memory", every_byte_of_memory },
	{ "difference_is_told", difference_is_told },
	{ "relocation_to_another_symbol", relocation_to_another_symbol },
	{ "bad_ranges", bad_ranges },
	{ "over_another_module", over_another_module },
	{ "damaged_files", damaged_files },
	{ "bad_modules", bad_modules },
	{ "mutated_files", mutated_files },
	{ "tokens", tokens },
	{ "users", users },
	{ "busy_while_validating", busy_while_validating },
	{ "audited_meanwhile", audited_meanwhile },
	{ "changed_meanwhile", changed_meanwhile },
	{ "file_exchanged", file_exchanged },
	{ "flags", flags },
	{ "live", live },
	{ "unverified", unverified },
	{ "patch_lists", patch_lists },
	{ "patch_lists_of_two_headers", patch_lists_of_two_headers },
	{ "patch_sites_go_with_the_module", patch_sites_go_with_the_module },
	{ "budgets", budgets },
	{ "module_budget", module_budget },
	{ "scratch_budget", scratch_budget },
	{ NULL, NULL },
};
