// SPDX-License-Identifier: GPL-2.0-only
/*
 * memory MIB - fill so much memory, give every second page of it back and take it again, and see that
 * what was written still stands there
 *
 * Pages that the kernel frees and gives out again must be writable, and must not change by themselves.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096ul
#define WORDS (PAGE / sizeof(uint64_t))
#define STEP 8 /* a word of each cache line */

static uint64_t pattern(size_t page, size_t word, unsigned int turn)
{
	return (page << 20 | word << 4 | turn) * 0x9e3779b97f4a7c15ull;
}

static void fill(uint64_t *memory, size_t page, unsigned int turn)
{
	size_t i;

	for (i = 0; i < WORDS; i += STEP)
		memory[page * WORDS + i] = pattern(page, i, turn);
}

static int look(const uint64_t *memory, size_t page, unsigned int turn)
{
	size_t i;

	for (i = 0; i < WORDS; i += STEP) {
		if (memory[page * WORDS + i] == pattern(page, i, turn))
			continue;
		fprintf(stderr, "memory: page %zu word %zu is %#llx\n", page, i,
			(unsigned long long)memory[page * WORDS + i]);
		return 1;
	}
	return 0;
}

static int swap_pages(uint64_t *memory, size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i += 2) {
		if (madvise(memory + i * WORDS, PAGE, MADV_DONTNEED)) {
			fprintf(stderr, "memory: madvise: %s\n", strerror(errno));
			return 1;
		}
	}
	for (i = 0; i < pages; i += 2) {
		if (memory[i * WORDS]) {
			fprintf(stderr, "memory: new page %zu is not empty\n", i);
			return 1;
		}
		fill(memory, i, 1);
	}
	return 0;
}

int main(int argc, char **argv)
{
	size_t i, pages = argc == 2 ? strtoul(argv[1], NULL, 10) * 256 : 0;
	uint64_t *memory;
	int bad;

	if (!pages) {
		fprintf(stderr, "usage: memory MIB\n");
		return 2;
	}
	memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED) {
		fprintf(stderr, "memory: mmap: %s\n", strerror(errno));
		return 1;
	}
	for (i = 0; i < pages; i++)
		fill(memory, i, 0);
	bad = swap_pages(memory, pages);
	for (i = 0; i < pages && !bad; i++)
		bad = look(memory, i, !(i & 1));
	return bad;
}
