// SPDX-License-Identifier: GPL-2.0-only
/* What a multiboot loader leaves: a memory map, options, modules. */
#include "console.h"
#include "start.h"

#define INFO_CMDLINE BIT(2)
#define INFO_MODULES BIT(3)
#define INFO_MEMORY BIT(6)

struct info {
	uint32_t flags;
	uint32_t lower;
	uint32_t upper;
	uint32_t device;
	uint32_t cmdline;
	uint32_t modules;
	uint32_t modules_at;
	uint32_t symbols[4];
	uint32_t map_length;
	uint32_t map_at;
};

struct module {
	uint32_t start;
	uint32_t end;
	uint32_t words;
	uint32_t reserved;
};

struct map_entry {
	uint32_t size;
	uint64_t start;
	uint64_t length;
	uint32_t kind;
} __attribute__((packed));

static const char *skip_word(const char *s)
{
	while (*s && *s != ' ')
		s++;
	while (*s == ' ')
		s++;
	return s;
}

static bool starts(const char *s, const char *word)
{
	while (*word && *s == *word) {
		s++;
		word++;
	}
	return !*word && (!*s || *s == ' ');
}

static void copy_words(char *to, uint64_t room, const char *from)
{
	uint64_t n = 0;

	for (; from[n]; n++) {
		if (n + 1 == room)
			panic("more than %lu characters of options", room);
		to[n] = from[n];
	}
	to[n] = 0;
}

/* A module's line is its file's name, its role, and what else is for it. */
static void read_module(struct boot *boot, const struct module *m)
{
	const char *role = skip_word((const char *)(uint64_t)m->words);
	struct boot_module *to;

	if (starts(role, "vtl0"))
		to = &boot->kernel;
	else if (starts(role, "vtl1"))
		to = &boot->vtl1;
	else if (starts(role, "initrd"))
		to = &boot->initrd;
	else
		panic("a module's role is vtl0, vtl1 or initrd, not \"%s\"", role);
	to->start = m->start;
	to->end = m->end;
	copy_words(to->words, sizeof(to->words), skip_word(role));
	boot->modules_end = max_u64(boot->modules_end, align_up(m->end, PAGE_SIZE));
}

static void read_map(const struct info *info, struct memory_map *map)
{
	const uint8_t *p = (const uint8_t *)(uint64_t)info->map_at;
	const uint8_t *end = p + info->map_length;

	while (p + sizeof(struct map_entry) <= end) {
		struct map_entry e;

		memcpy(&e, p, sizeof(e));
		memory_add(map, e.start, e.start + e.length,
			   e.kind <= MEMORY_NVS ? (enum memory_kind)e.kind : MEMORY_RESERVED);
		p += e.size + 4;
	}
}

void multiboot_read(const uint8_t *at, struct boot *boot, struct memory_map *map)
{
	struct info info;

	memcpy(&info, at, sizeof(info));
	if (!(info.flags & INFO_MEMORY))
		panic("the boot loader gives no memory map");
	read_map(&info, map);
	if (info.flags & INFO_CMDLINE)
		copy_words(boot->options, sizeof(boot->options),
			   skip_word((const char *)(uint64_t)info.cmdline));
	for (uint32_t i = 0; info.flags & INFO_MODULES && i < info.modules; i++)
		read_module(boot, &((const struct module *)(uint64_t)info.modules_at)[i]);
	if (!boot->kernel.end)
		panic("no module has the role vtl0");
}
