// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The zero page: which memory is VTL1's, which is VTL0's RAM, how many CPUs there may be.
 *
 * Trust boundary: the loader is trusted, as it gives the image too; what it says is checked all the
 * same, so that a mistake ends the boot with a word instead of with memory that both levels own.
 * Locks: none, one VP.
 */
#include "machine.h"

#define PARAMS_COMMAND_LINE_HIGH 0xc8
#define PARAMS_E820_COUNT 0x1e8
#define PARAMS_LOADER 0x210
#define PARAMS_COMMAND_LINE 0x228
#define PARAMS_E820 0x2d0
#define E820_SIZE 20
#define LOADER_OTHER 0xff

#define E820_RAM 1 /* VTL1's own */
#define E820_RESERVED 2 /* VTL0's RAM */

#define CPUS_OPTION "possible_cpus="

struct e820 {
	uint64_t start;
	uint64_t size;
	uint32_t type;
};

static struct e820 e820_entry(const uint8_t *page, uint32_t i)
{
	const uint8_t *p = page + PARAMS_E820 + (size_t)i * E820_SIZE;

	return (struct e820){ get_le64(p), get_le64(p + 8), get_le32(p + 16) };
}

static bool overlaps(const struct machine *m, const struct e820 *e)
{
	return e->start < m->base.v + m->size && m->base.v < e->start + e->size;
}

static const char *set_own(struct machine *m, const struct e820 *e)
{
	if (m->size)
		return "more than one range of its own";
	if (!e->start || e->start % MACHINE_IMAGE || !page_aligned(e->size) ||
	    e->size < MACHINE_MAPPED)
		return "its own range is small or not aligned";
	m->base.v = e->start;
	m->size = e->size;
	return NULL;
}

/* VTL1's own range is known before VTL0's are compared with it. */
static const char *find_own(struct machine *m, const uint8_t *page, uint32_t count)
{
	const char *wrong = NULL;
	struct e820 e;
	uint32_t i;

	for (i = 0; i < count && !wrong; i++) {
		e = e820_entry(page, i);
		if (!in_bounds(e.start, e.size, HEKI_MASK_52))
			wrong = "a memory range is no address";
		else if (e.type == E820_RAM)
			wrong = set_own(m, &e);
	}
	if (!wrong && !m->size)
		wrong = "no range of its own";
	return wrong;
}

static const char *find_vtl0(struct machine *m, const uint8_t *page, uint32_t count)
{
	struct e820 e;
	uint32_t i;

	for (i = 0; i < count; i++) {
		e = e820_entry(page, i);
		if (e.type != E820_RESERVED || !e.size)
			continue;
		if (overlaps(m, &e))
			return "memory of both levels";
		m->ram[m->rams++] = (struct ram){ gpa(e.start), e.size };
	}
	return m->rams ? NULL : "no memory of the lower level";
}

/* Whether the word at @s is the option; the text ends in NUL. */
static const char *option_value(const char *s, const char *option)
{
	while (*option && *s == *option) {
		s++;
		option++;
	}
	return *option ? NULL : s;
}

static uint32_t number(const char *s)
{
	uint32_t n = 0;

	for (; *s >= '0' && *s <= '9' && n <= MACHINE_CPUS_MAX; s++)
		n = n * 10 + (uint32_t)(*s - '0');
	return *s && *s != ' ' ? 0 : n;
}

/* The last one counts. */
static const char *find_cpus(struct machine *m, const char *s)
{
	const char *value;

	while (*s) {
		value = option_value(s, CPUS_OPTION);
		if (value)
			m->cpus = number(value);
		while (*s && *s != ' ')
			s++;
		while (*s == ' ')
			s++;
	}
	return m->cpus && m->cpus <= MACHINE_CPUS_MAX ? NULL : "possible_cpus missing or too many";
}

static const char *read_command_line(struct machine *m, const uint8_t *page)
{
	const char *s;

	m->command_line.v = (uint64_t)get_le32(page + PARAMS_COMMAND_LINE_HIGH) << 32 |
			    get_le32(page + PARAMS_COMMAND_LINE);
	/* On a page of its own, in what the loader has mapped. */
	if (!page_aligned(m->command_line.v) || m->command_line.v < m->base.v ||
	    m->command_line.v - m->base.v >= MACHINE_MAPPED)
		return "the command line is not in its own memory";
	s = pa_ptr(m->command_line);
	if (s[HEKI_PAGE_SIZE - 1])
		return "the command line has no end";
	return find_cpus(m, s);
}

const char *machine_read(struct machine *m, const uint8_t *page)
{
	uint32_t count = page[PARAMS_E820_COUNT];
	const char *wrong;

	*m = (struct machine){ 0 };
	if (page[PARAMS_LOADER] != LOADER_OTHER)
		return "not a zero page";
	if (count > MACHINE_RAM_MAX)
		return "too many memory ranges";
	wrong = find_own(m, page, count);
	if (!wrong)
		wrong = find_vtl0(m, page, count);
	return wrong ? wrong : read_command_line(m, page);
}

bool machine_is_vtl0(const struct machine *m, struct gpa at, uint64_t n)
{
	const struct ram *r;

	for (r = m->ram; r < m->ram + m->rams; r++)
		if (at.v >= r->start.v && in_bounds(at.v - r->start.v, n, r->size))
			return true;
	return false;
}
