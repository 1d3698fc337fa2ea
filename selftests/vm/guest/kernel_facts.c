// SPDX-License-Identifier: GPL-2.0-only
/*
 * kernel_facts - count in the running kernel what HEKI should have found there
 *
 * Reads addresses from /proc/kallsyms and memory from /proc/kcore, so that the tests' expectations
 * do not come from HEKI. Prints KEY=VALUE lines:
 *   symbols, symbols_gpl          exported symbols
 *   jump_entries                  jump label entries outside init memory
 *   pages_text, pages_rodata      pages of _stext .. _etext and __start_rodata .. __end_rodata
 * With the argument "locks", on a kernel that found one CPU at boot and keeps the table:
 *   smp_locks, smp_locks_out      LOCK prefixes of the text, and how many of them are taken out
 */
#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE 4096
#define SYMBOL_SIZE 12 /* three 32-bit offsets */

/* include/linux/jump_label.h with relative references */
struct jump_entry {
	int32_t code;
	int32_t target;
	int64_t key;
};

static struct {
	const char *name;
	uint64_t value;
} symbols[] = {
	{ "__start___ksymtab", 0 },	{ "__stop___ksymtab", 0 },
	{ "__start___ksymtab_gpl", 0 }, { "__stop___ksymtab_gpl", 0 },
	{ "__start___jump_table", 0 },	{ "__stop___jump_table", 0 },
	{ "__init_begin", 0 },		{ "__init_end", 0 },
	{ "_text", 0 },			{ "_etext", 0 },
	{ "_stext", 0 },
	{ "__smp_locks", 0 },		{ "__smp_locks_end", 0 },
	{ "__start_rodata", 0 },	{ "__end_rodata", 0 },
};

static void die(const char *what)
{
	fprintf(stderr, "kernel_facts: %s\n", what);
	exit(1);
}

static void read_symbols(void)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	char line[512], name[256];
	uint64_t value;
	size_t i;

	if (!file)
		die("no /proc/kallsyms");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%" SCNx64 " %*c %255s", &value, name) != 2 || strchr(line, '['))
			continue;
		for (i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
			if (!strcmp(name, symbols[i].name))
				symbols[i].value = value;
		}
	}
	fclose(file);
}

static uint64_t symbol(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		if (!strcmp(name, symbols[i].name) && symbols[i].value)
			return symbols[i].value;
	}
	die(name);
	return 0;
}

/* Read kernel memory through the segment of /proc/kcore that holds it. */
static void read_kernel(uint64_t address, void *data, size_t size)
{
	int fd = open("/proc/kcore", O_RDONLY);
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	unsigned int i;
	bool done = false;

	if (fd < 0 || pread(fd, &header, sizeof(header), 0) != sizeof(header))
		die("no /proc/kcore");
	for (i = 0; i < header.e_phnum && !done; i++) {
		off_t at = (off_t)(header.e_phoff + i * sizeof(segment));

		if (pread(fd, &segment, sizeof(segment), at) != sizeof(segment))
			break;
		if (segment.p_type != PT_LOAD || address < segment.p_vaddr ||
		    address + size > segment.p_vaddr + segment.p_memsz)
			continue;
		at = (off_t)(segment.p_offset + address - segment.p_vaddr);
		done = pread(fd, data, size, at) == (ssize_t)size;
	}
	close(fd);
	if (!done)
		die("cannot read kernel memory");
}

static size_t count_jump_entries(void)
{
	uint64_t start = symbol("__start___jump_table"), code;
	size_t size = symbol("__stop___jump_table") - start;
	size_t i, count = size / sizeof(struct jump_entry), outside = 0;
	struct jump_entry *entries = malloc(size);

	if (!entries)
		die("out of memory");
	read_kernel(start, entries, size);
	for (i = 0; i < count; i++) {
		code = start + i * sizeof(*entries) + (int64_t)entries[i].code;
		if (code < symbol("__init_begin") || code >= symbol("__init_end"))
			outside++;
	}
	free(entries);
	return outside;
}

static void *read_range(const char *first, const char *end, size_t *size)
{
	void *data;

	*size = symbol(end) - symbol(first);
	data = malloc(*size);
	if (!data)
		die("out of memory");
	read_kernel(symbol(first), data, *size);
	return data;
}

/* The table ends in zeroes; what is neither prefix lies under an alternative. */
static void print_locks(void)
{
	size_t size, text_size, i, locks = 0, out = 0;
	int32_t *table = read_range("__smp_locks", "__smp_locks_end", &size);
	uint8_t *text = read_range("_text", "_etext", &text_size);
	uint64_t at;

	for (i = 0; i < size / sizeof(*table); i++) {
		at = symbol("__smp_locks") + i * sizeof(*table) + (int64_t)table[i] -
		     symbol("_text");
		if (!table[i] || at >= text_size)
			continue;
		locks += text[at] == 0xf0 || text[at] == 0x3e;
		out += text[at] == 0x3e;
	}
	printf("smp_locks=%zu\nsmp_locks_out=%zu\n", locks, out);
	free(table);
	free(text);
}

static void print_pages(const char *key, const char *first, const char *end)
{
	uint64_t from = symbol(first) & ~(uint64_t)(PAGE - 1);

	printf("%s=%" PRIu64 "\n", key, (symbol(end) - from + PAGE - 1) / PAGE);
}

int main(int argc, char **argv)
{
	read_symbols();
	if (argc > 1 && !strcmp(argv[1], "locks")) {
		print_locks();
		return 0;
	}
	printf("symbols=%" PRIu64 "\n",
	       (symbol("__stop___ksymtab") - symbol("__start___ksymtab")) / SYMBOL_SIZE);
	printf("symbols_gpl=%" PRIu64 "\n",
	       (symbol("__stop___ksymtab_gpl") - symbol("__start___ksymtab_gpl")) / SYMBOL_SIZE);
	printf("jump_entries=%zu\n", count_jump_entries());
	print_pages("pages_text", "_stext", "_etext");
	print_pages("pages_rodata", "__start_rodata", "__end_rodata");
	return 0;
}
