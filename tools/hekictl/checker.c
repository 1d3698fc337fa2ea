// SPDX-License-Identifier: GPL-2.0-only
/*
 * The core on a module file: signature, ELF, layout, sites.
 *
 * The file may be anybody's.  The core checks it as it does in VTL1; its host here has no guest
 * memory at all.
 */
#include <stdlib.h>

#include "call.h"
#include "crypto.h"
#include "validate.h"

#include "checker.h"

/* One more than the core's limit, so that the core is what refuses. */
#define SCRATCH_BYTES (512ull << 20)

struct checker {
	struct heki_core *core;
	void *memory;
};

static int no_read(void *host, struct gpa pa, void *to, size_t n)
{
	(void)host;
	(void)pa;
	(void)to;
	(void)n;
	return -1;
}

static int no_write(void *host, struct gpa pa, const void *from, size_t n)
{
	(void)host;
	(void)pa;
	(void)from;
	(void)n;
	return -1;
}

static bool no_ram(void *host, struct gpa pa, uint64_t n)
{
	(void)host;
	(void)pa;
	(void)n;
	return false;
}

static int no_protect(void *host, struct gpa pa, uint64_t pages, uint32_t attributes)
{
	(void)host;
	(void)pa;
	(void)pages;
	(void)attributes;
	return -1;
}

static void *scratch_alloc(void *host, size_t n)
{
	(void)host;
	return calloc(1, n);
}

static void scratch_free(void *host, void *p, size_t n)
{
	(void)host;
	(void)n;
	free(p);
}

static void no_lock(void *host, enum heki_lock lock)
{
	(void)host;
	(void)lock;
}

static uint64_t no_time(void *host)
{
	(void)host;
	return 0;
}

static uint32_t only_vp(void *host)
{
	(void)host;
	return 0;
}

static int no_vp_up(void *host, uint32_t vp)
{
	(void)host;
	(void)vp;
	return -1;
}

static bool not_restarted(void *host, uint32_t vp)
{
	(void)host;
	(void)vp;
	return false;
}

static int no_regs(void *host, struct heki_vp_regs *regs)
{
	(void)host;
	(void)regs;
	return -1;
}

static const struct heki_host_ops ops = {
	.name = "hekictl",
	.grade = HEKI_GRADE_AUDIT,
	.read = no_read,
	.write = no_write,
	.is_ram = no_ram,
	.protect = no_protect,
	.alloc = scratch_alloc,
	.free = scratch_free,
	.lock = no_lock,
	.unlock = no_lock,
	.time_ns = no_time,
	.vp = only_vp,
	.vp_up = no_vp_up,
	.vp_restarted = not_restarted,
	.read_regs = no_regs,
	.hash_begin = user_hash_begin,
	.hash_update = user_hash_update,
	.hash_end = user_hash_end,
	.hash_copy = user_hash_copy,
	.verify = user_verify,
	.cert_check = user_cert_check,
};

struct checker *checker_new(void)
{
	/* Tables for a guest are not needed: what little the core must have. */
	const struct heki_limits limits = {
		.modules = 1, .frames = 16, .symbols = 16, .patches = 16, .certs = 64,
		.cert_bytes = 256 << 10, .hashes = HEKI_BLOCKLIST_MAX, .deps = 1, .log_records = 16, .vps = 1,
		.scratch_bytes = SCRATCH_BYTES,
		.slots = 4,
		.entry_pages = 64,
	};
	static const uint8_t seed[16]; /* no symbols are entered */
	struct checker *checker = must(calloc(1, sizeof(*checker)));
	size_t size = heki_core_size(&limits);

	checker->memory = must(aligned_alloc(HEKI_PAGE_SIZE, size));
	memset(checker->memory, 0, size);
	checker->core = heki_core_init(checker->memory, &limits, &ops, NULL, seed);
	return checker;
}

void checker_free(struct checker *checker)
{
	if (!checker)
		return;
	free(checker->memory);
	free(checker);
}

uint32_t checker_trust(struct checker *checker, const uint8_t *der, size_t n)
{
	return (uint32_t)-heki_core_trust(checker->core, HEKI_CERTS_SYSTEM,
					  (struct span){ der, n });
}

uint32_t checker_trust_secondary(struct checker *checker, const uint8_t *der, size_t n)
{
	struct call c = { .core = checker->core };
	struct span cert = { der, n };
	int ret = certs_vouched(&c, cert);

	if (!ret)
		ret = certs_add(&c, HEKI_CERTS_SECONDARY, cert);
	return (uint32_t)-ret;
}

uint32_t checker_revoke(struct checker *checker, const uint8_t *der, size_t n)
{
	struct call c = { .core = checker->core };

	return (uint32_t)-certs_add(&c, HEKI_CERTS_REVOKED, (struct span){ der, n });
}

uint32_t checker_block(struct checker *checker, const char *record)
{
	char padded[HEKI_BLOCKLIST_RECORD] = { 0 };
	size_t n = str_length(record);

	if (n > sizeof(padded))
		return HEKI_E_BLOCKLIST_FORMAT;
	memcpy(padded, record, n);
	return (uint32_t)-hashes_add(checker->core, padded);
}

const char *checker_site_name(unsigned int kind)
{
	static const char *const names[] = {
#define SITE_NAME(name, table) #name,
		SITE_KINDS(SITE_NAME)
#undef SITE_NAME
	};

	_Static_assert(HEKI_ARRAY_SIZE(names) <= CHECK_SITE_KINDS, "room for every kind");
	return kind < HEKI_ARRAY_SIZE(names) ? names[kind] : NULL;
}

const char *checker_relocation_name(unsigned int type)
{
	static const char *const names[] = {
		[0] = "R_X86_64_NONE", [1] = "R_X86_64_64",	[2] = "R_X86_64_PC32",
		[4] = "R_X86_64_PLT32", [10] = "R_X86_64_32", [11] = "R_X86_64_32S",
		[24] = "R_X86_64_PC64",
	};

	return type < HEKI_ARRAY_SIZE(names) ? names[type] : NULL;
}

static void copy_string(char *to, size_t room, const char *from)
{
	size_t n = from ? str_length(from) : 0;

	if (n >= room)
		n = room - 1;
	/* vermagic ends in a blank. */
	while (n && from[n - 1] == ' ')
		n--;
	if (n)
		memcpy(to, from, n);
	to[n] = 0;
}

/* Take over why a step failed. */
static void take_error(struct call *c, int ret, uint32_t *error, char details[CHECK_TEXT])
{
	*error = (uint32_t)-ret;
	copy_string(details, CHECK_TEXT, ret ? c->text : NULL);
	text_clear(c);
}

static void name_signer(const struct heki_core *core, const struct cert *cert,
			char name[CHECK_SIGNER])
{
	struct span der = { core->cert_bytes + cert->offset, cert->size };
	struct x509 parsed;
	size_t n;

	if (x509_parse(der, &parsed) < 0)
		return;
	n = min_u64(parsed.common_name.n, CHECK_SIGNER - 1);
	if (n)
		memcpy(name, parsed.common_name.p, n);
}

static void judge_signature(struct call *c, struct span file, struct span *content,
			    struct check_result *result)
{
	uint8_t sha256[32]; /* of a verified file; not told, for its signature is no part of it */
	uint32_t signer;
	struct span cms;
	int ret = signature_split(c, file, content, &cms);

	if (!ret)
		ret = cms_verify_module(c, file, content->n, cms, &signer, sha256);
	take_error(c, ret, &result->signature, result->signature_text);
	if (!ret)
		name_signer(c->core, &c->core->certs[signer], result->signer);
}

static void count_relocations(const struct elf *elf, struct check_result *result)
{
	for (uint32_t i = 0; i < elf->count; i++) {
		const struct elf_section *s = &elf->sections[i];

		for (uint32_t j = 0; s->memory != ELF_MEMORY_NONE && j < elf_relas(elf, s); j++) {
			uint32_t type = elf_rela(elf, s, j).type;

			if (type < CHECK_RELOCATION_TYPES)
				result->relocations[type]++;
			else
				result->other_relocations++;
		}
	}
}

static bool in_init(const struct elf *elf, uint32_t section)
{
	uint32_t memory = elf->sections[section].memory;

	return memory == HEKI_MOD_INIT_TEXT || memory == HEKI_MOD_INIT_DATA ||
	       memory == HEKI_MOD_INIT_RODATA;
}

static void count_sites(const struct elf *elf, const struct site_list *sites,
			struct check_result *result)
{
	for (uint32_t i = 0; i < sites->n; i++) {
		const struct site *site = &sites->s[i];

		result->sites[site->kind]++;
		if (site->kind == SITE_JUMP_LABEL && !in_init(elf, site->section))
			result->patches++;
	}
}

static void describe(const struct elf *elf, struct check_result *result)
{
	copy_string(result->name, sizeof(result->name), elf_modinfo(elf, "name"));
	copy_string(result->vermagic, sizeof(result->vermagic), elf_modinfo(elf, "vermagic"));
	copy_string(result->depends, sizeof(result->depends), elf_modinfo(elf, "depends"));
	/* Symbol 0 is none. */
	for (uint32_t i = 1; i < elf->symbols_count; i++)
		result->undefined += elf_symbol(elf, i).section == ELF_SHN_UNDEF;
}

static void judge_format(struct call *c, struct span content, struct check_result *result)
{
	struct site_list sites = { 0 };
	struct elf elf = { 0 };
	int ret = elf_parse(c, content, &elf);

	if (!ret)
		ret = layout_sections(c, &elf, result->bytes);
	if (!ret)
		ret = sites_collect(c, &elf, &sites);
	if (!ret) {
		describe(&elf, result);
		count_relocations(&elf, result);
		count_sites(&elf, &sites, result);
	}
	result->parsed = !ret;
	take_error(c, ret, &result->format, result->format_text);
}

static void hash_content(struct heki_core *core, struct span content, char hex[65])
{
	static const char digits[] = "0123456789abcdef";
	struct call c = { .core = core };
	uint8_t digest[HEKI_HASH_MAX];

	if (hash_spans(&c, HEKI_SHA256, &content, 1, digest))
		return;
	for (size_t i = 0; i < 32; i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
}

void checker_judge(struct checker *checker, const uint8_t *p, size_t n, struct check_result *result)
{
	struct call c = { .core = checker->core, .id = HEKI_CALL_VALIDATE_MODULE };
	struct span content;

	c.arena.core = checker->core;
	*result = (struct check_result){ .size = n };
	judge_signature(&c, (struct span){ p, n }, &content, result);
	judge_format(&c, content, result);
	hash_content(checker->core, content, result->sha256);
	arena_drop(&c.arena);
}
