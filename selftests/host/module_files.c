// SPDX-License-Identifier: GPL-2.0-only
/* VALIDATE_MODULE: the file and its signature. */
#define _GNU_SOURCE /* memmem() */
#include "elf64.h"
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

/* Put SHA-256 of the first @n bytes of a file on the blocklist. */
static void block_file(struct guest *g, const char *name, size_t n)
{
	struct file f = load_file(name);
	struct span bytes = { f.p, n ? n : f.n };
	char record[HEKI_BLOCKLIST_RECORD] = "bin:";
	uint8_t digest[HEKI_HASH_MAX];

	CHECK_OK(hash_spans(&(struct call){ .core = g->core }, HEKI_SHA256, &bytes, 1, digest));
	for (int i = 0; i < 32; i++)
		sprintf(record + 4 + 2 * i, "%02x", digest[i]);
	CHECK_OK(call_bytes(g, HEKI_CALL_LOAD_KDATA, record, sizeof(record),
			    HEKI_KDATA_BLOCKLIST_HASHES));
	drop_file(&f);
}

/* By the hash of what is signed, or of the whole file, as Debian's kernel looks it up. */
static void blocklisted(void)
{
	struct file elf = load_file("tiny.ko");
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);

	kernel_make(g, &kernel, NULL, 0);
	kernel_load(g, &kernel, "system.der");
	CHECK(validate_name(g, "tiny-signed.ko") > 0);
	block_file(g, "tiny-signed.ko", 0);
	CHECK_REFUSED(REVOKED, validate_name(g, "tiny-signed.ko"));
	CHECK(validate_name(g, "tiny-p256.ko") > 0);
	block_file(g, "tiny-signed.ko", elf.n);
	CHECK_REFUSED(REVOKED, validate_name(g, "tiny-p256.ko"));
	drop_file(&elf);
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

/*
 * rsaEncryption made sha256WithRSAEncryption, which says the same and which nothing signs: the
 * one byte of a stock module that could once be changed.
 */
static void combined_algorithm(void)
{
	static const uint8_t rsa[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 };
	struct guest *g = booted(HEKI_GRADE_AUDIT);
	struct placed m;
	uint8_t *at;

	place(g, &m, "tiny-rsa2048.ko");
	at = memmem(guest_at(g, m.elf_pa), m.file.n, rsa, sizeof(rsa));
	CHECK(at);
	at[8] = 0x0b;
	CHECK_REFUSED(SIGNATURE_ALGORITHM, validate(&m));
	at[8] = 0x01;
	CHECK(validate(&m) > 0);
	unplace(&m);
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
	CHECK(!hash_spans(&(struct call){ .core = g->core }, HEKI_SHA256, &bytes, 1, digest));
	for (int i = 0; i < 32; i++)
		sprintf(record + 4 + 2 * i, "%02x", digest[i]);
	CHECK_OK(call_bytes(g, HEKI_CALL_LOAD_KDATA, record, sizeof(record),
			    HEKI_KDATA_BLOCKLIST_HASHES));
	CHECK_REFUSED(REVOKED, validate_name(g, "tiny-signed.ko"));
	drop_file(&f);
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

#define SHARED_SECTIONS 64u
#define SHARED_AT (HEKI_PAGE_SIZE * 2)
#define SHARED_BYTES (24u << 10)

static void put_section(uint8_t *file, uint32_t i, uint32_t type, uint32_t size, uint32_t entry)
{
	uint8_t *p = file + 64 + i * 64;

	put_le32(p + 4, type);
	put_le64(p + 24, SHARED_AT);
	put_le64(p + 32, size);
	put_le32(p + 40, type == ELF_SHT_RELA ? 2 : 1);
	put_le32(p + 44, i);
	put_le64(p + 56, entry);
}

/* An unsigned file has no more relocations than it has room for: each is looked at. */
static void shared_relocations(void)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	struct call c = { .core = g->core, .arena = { .core = g->core } };
	struct file f = load_file("tiny-rsa2048.ko");
	size_t n = SHARED_AT + SHARED_BYTES;
	uint8_t *file = calloc(1, n);
	struct elf elf;

	CHECK(file);
	memcpy(file, f.p, 64);
	put_le64(file + 40, 64);
	file[60] = SHARED_SECTIONS;
	file[62] = 1;
	put_section(file, 1, ELF_SHT_STRTAB, 1, 0);
	put_section(file, 2, ELF_SHT_SYMTAB, 24, 24);
	for (uint32_t i = 3; i < SHARED_SECTIONS; i++)
		put_section(file, i, ELF_SHT_RELA, i == 3 ? SHARED_BYTES : 0, 24);
	CHECK_EQUAL(elf_parse(&c, (struct span){ file, n }, &elf), 0);
	for (uint32_t i = 3; i < SHARED_SECTIONS; i++)
		put_section(file, i, ELF_SHT_RELA, SHARED_BYTES, 24);
	CHECK_EQUAL(elf_parse(&c, (struct span){ file, n }, &elf), -HEKI_E_ELF_FORMAT);
	CHECK(strstr(c.text, "relocations"));
	arena_drop(&c.arena);
	free(file);
	drop_file(&f);
	vtl0_end(g);
}

const struct test module_files_tests[] = {
	{ "signed_by_each_key", signed_by_each_key },
	{ "refused_signatures", refused_signatures },
	{ "refusal_names_the_module", refusal_names_the_module },
	{ "secondary_key", secondary_key },
	{ "revoked_key", revoked_key },
	{ "blocklisted", blocklisted },
	{ "no_certificates", no_certificates },
	{ "combined_algorithm", combined_algorithm },
	{ "every_byte_of_the_file", every_byte_of_the_file },
	{ "truncated", truncated },
	{ "trailers", trailers },
	{ "listed_hash", listed_hash },
	{ "damaged_files", damaged_files },
	{ "bad_modules", bad_modules },
	{ "mutated_files", mutated_files },
	{ "shared_relocations", shared_relocations },
	{ NULL, NULL },
};
