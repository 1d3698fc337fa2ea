// SPDX-License-Identifier: GPL-2.0-only
/*
 * Modules that a target changes, and what a kernel must export so that they can be loaded.
 *
 * scripts/fuzz copies the stock ones to build/fuzz/modules/.  The files are good ones: they are
 * read plainly.  One thread.
 */
#include <elf.h>

#include "bases.h"
#include "validate.h"

#define OWN "build/testdata/"
#define OWN_FIRST 2 /* of the bases, that stand for others */
#define MODULES "build/fuzz/modules/"
#define EXPORTS_MOST 700
#define EXPORTS_AT 0x3000 /* of the kernel's text, 16 bytes each */
#define PROFILES 24
#define NEAR 16

static const char *const paths[BASES] = {
	OWN "tiny.ko", OWN "user.ko", MODULES "6.1-crc16.ko",
	MODULES "6.1-aes_ti.ko", MODULES "6.1-async_memcpy.ko", MODULES "6.1-team_mode_broadcast.ko",
	MODULES "6.12-crc16.ko", MODULES "6.12-aes_ti.ko", MODULES "6.12-async_memcpy.ko",
	MODULES "6.12-macmodes.ko", MODULES "6.12-hdlc_raw.ko",
	OWN "branches.ko",
};

static struct base bases[BASES];

/* Cut the signature off, when there is one. */
static void strip(struct file *f)
{
	struct span content, cms;
	struct call c = { 0 };

	if (!signature_split(&c, (struct span){ f->p, f->n }, &content, &cms))
		f->n = content.n;
}

static const Elf64_Shdr *sections_of(const struct file *f, unsigned int *count)
{
	const Elf64_Ehdr *e = (const void *)f->p;

	*count = e->e_shnum;
	return (const void *)(f->p + e->e_shoff);
}

static void find_symbols(struct base *base)
{
	unsigned int count;
	const Elf64_Shdr *h = sections_of(&base->file, &count);

	for (unsigned int i = 1; i < count; i++) {
		const Elf64_Sym *sym = (const void *)(base->file.p + h[i].sh_offset);
		const char *names = (const char *)base->file.p + h[h[i].sh_link % count].sh_offset;

		if (h[i].sh_type != SHT_SYMTAB)
			continue;
		base->symbols = calloc(h[i].sh_size / sizeof(*sym) + 1, sizeof(*base->symbols));
		CHECK(base->symbols);
		for (size_t k = 1; k < h[i].sh_size / sizeof(*sym); k++)
			if (sym[k].st_shndx == SHN_UNDEF)
				base->symbols[base->symbols_count++] = names + sym[k].st_name;
	}
}

struct base *bases_get(unsigned int index)
{
	struct base *base = &bases[index % BASES];

	if (base->file.p)
		return base;
	base->name = paths[index % BASES];
	base->file = load_path(base->name);
	if (!base->file.p) {
		CHECK(index % BASES >= OWN_FIRST);
		return bases_get(index % OWN_FIRST);
	}
	strip(&base->file);
	find_symbols(base);
	return base;
}

static bool has(const struct export *exports, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(exports[i].name, name))
			return true;
	return false;
}

static size_t add_exports(struct export *exports, size_t n, const struct base *base)
{
	for (size_t k = 0; k < base->symbols_count; k++) {
		if (has(exports, n, base->symbols[k]))
			continue;
		CHECK(n < EXPORTS_MOST);
		exports[n] = (struct export){ base->symbols[k], EXPORTS_AT + 16 * n, false };
		n++;
	}
	return n;
}

const struct export *bases_exports(size_t *count)
{
	static struct export exports[EXPORTS_MOST] = {
		{ "secret_gpl", 0x160, true }, { "other_gpl", 0x180, true },
	};
	static size_t n;

	if (!n) {
		n = 2;
		for (unsigned int i = 0; i < BASES; i++)
			n = add_exports(exports, n, bases_get(i));
	}
	*count = n;
	return exports;
}

/* Note where one more load differs from the first. */
static void compare(struct base *base, const struct loader *first, unsigned int profile)
{
	struct loader l = {
		.file = base->file.p, .size = base->file.n, .base = first->base,
		.percpu = first->percpu, .profile = profile * 0x9e3779b1u >> 22,
		.seed = profile, .symbol = first->symbol, .context = first->context,
	};

	CHECK(!loader_load(&l));
	for (unsigned int t = 0; t < LOADER_TYPES; t++)
		for (size_t i = 0; i < base->fixed_n[t]; i++)
			if (l.bytes[t][i] != first->bytes[t][i])
				for (size_t k = i < NEAR ? 0 : i - NEAR;
				     k <= i + NEAR && k < base->fixed_n[t]; k++)
					base->fixed[t][k] = 0;
	loader_drop(&l);
}

static void find_fixed(struct base *base, const struct loader *l)
{
	for (unsigned int t = 0; t < LOADER_TYPES; t++) {
		base->fixed_n[t] = l->pages[t] * HEKI_PAGE_SIZE;
		base->fixed[t] = malloc(base->fixed_n[t] + 1);
		CHECK(base->fixed[t]);
		/* What is zero may be padding, which some kernels fill. */
		for (size_t i = 0; i < base->fixed_n[t]; i++)
			base->fixed[t][i] = l->bytes[t][i] != 0;
	}
	for (unsigned int i = 0; i < PROFILES; i++)
		compare(base, l, i);
}

bool bases_fixed(struct base *base, const struct loader *l, unsigned int type, uint64_t offset)
{
	if (!base->fixed[0])
		find_fixed(base, l);
	return offset < base->fixed_n[type] && base->fixed[type][offset];
}
