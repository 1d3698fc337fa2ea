// SPDX-License-Identifier: GPL-2.0-only
/* The zero page: good ones, and everything that must not boot. */
#include <sys/mman.h>

#include "machine.h"
#include "suites.h"

#define OWN_SIZE (20ull << 20)
#define GIB (1ull << 30)

static struct machine m;
static uint8_t *page;
static uint8_t *own; /* 2 MiB aligned memory that stands for VTL1's */
static uint32_t entries;

static void set_u64(size_t at, uint64_t v)
{
	put_le64(page + at, v);
}

static void add(uint64_t start, uint64_t size, uint32_t type)
{
	uint8_t *p = page + 0x2d0 + 20 * entries++;

	put_le64(p, start);
	put_le64(p + 8, size);
	put_le32(p + 16, type);
	page[0x1e8] = (uint8_t)entries;
}

static void command_line_at(uint64_t at)
{
	put_le32(page + 0x228, (uint32_t)at);
	put_le32(page + 0xc8, (uint32_t)(at >> 32));
}

static uint64_t own_start(void)
{
	return (uintptr_t)own;
}

/* A zero page without memory; the command line is on page 15 of VTL1's. */
static void empty(void)
{
	uint8_t *p;

	page = calloc(1, 4096);
	p = mmap(NULL, OWN_SIZE + (4 << 20), PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	own = (uint8_t *)(((uintptr_t)p + (4 << 20)) & ~((2ull << 20) - 1));
	strcpy((char *)own + 15 * 4096, "possible_cpus=4");
	page[0x210] = 0xff;
	command_line_at(own_start() + 15 * 4096);
	entries = 0;
}

static void good(void)
{
	empty();
	add(0, 0x9fc00, 2);
	add(0x100000, GIB, 2);
	add(own_start(), OWN_SIZE, 1);
	add(0x9fc00, 0x400, 3);
	add(4 * GIB, GIB, 2);
}

static void reads(const char *command_line, uint32_t cpus)
{
	good();
	strcpy((char *)own + 15 * 4096, command_line);
	CHECK_EQUAL(machine_read(&m, page) == NULL, cpus != 0);
	if (cpus)
		CHECK_EQUAL(m.cpus, cpus);
}

static void refused(void)
{
	CHECK(machine_read(&m, page));
}

static void reads_all(void)
{
	good();
	CHECK(!machine_read(&m, page));
	CHECK_EQUAL(m.base.v, own_start());
	CHECK_EQUAL(m.size, OWN_SIZE);
	CHECK_EQUAL(m.cpus, 4);
	CHECK_EQUAL(m.rams, 3);
	CHECK_EQUAL(m.ram[1].start.v, 0x100000);
	CHECK_EQUAL(m.ram[1].size, GIB);
	CHECK_EQUAL(m.ram[2].start.v, 4 * GIB);
}

static void most_entries(void)
{
	empty();
	add(own_start(), OWN_SIZE, 1);
	while (entries < MACHINE_RAM_MAX)
		add(entries * GIB, 4096, 2);
	CHECK(!machine_read(&m, page));
	CHECK_EQUAL(m.rams, MACHINE_RAM_MAX - 1);
	add(GIB, 4096, 2);
	refused();
}

static void other_loaders(void)
{
	good();
	page[0x210] = 0;
	refused();
	page[0x210] = 0xb0;
	refused();
}

static void own_range_missing_or_twice(void)
{
	empty();
	add(0, GIB, 2);
	refused();
	good();
	add(own_start() + (64ull << 20), OWN_SIZE, 1);
	refused();
	empty();
	refused();
}

static void own_range_odd(void)
{
	static const struct {
		int64_t start;
		uint64_t size;
	} odd[] = {
		{ 0x1000, OWN_SIZE }, { 0x100000, OWN_SIZE }, { 0, OWN_SIZE + 1 },
		{ 0, 0 }, { 0, MACHINE_MAPPED - 4096 }, { 0, ~0ull }, { 1, OWN_SIZE },
	};

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(odd); i++) {
		empty();
		add(0, 0x9fc00, 2);
		add(own_start() + (uint64_t)odd[i].start, odd[i].size, 1);
		refused();
	}
	empty();
	add(GIB, 4096, 2);
	add(0, OWN_SIZE, 1);
	refused();
}

static void ranges_that_are_no_addresses(void)
{
	good();
	add(~0ull - 4095, 8192, 2);
	refused();
	good();
	add(1ull << 52, 4096, 2);
	refused();
	good();
	add(0x1000, ~0ull, 3);
	refused();
}

static void memory_of_both(void)
{
	static const struct {
		int64_t start; /* from VTL1's */
		uint64_t size;
	} both[] = {
		{ 0, OWN_SIZE },      { -4096, 4097 }, { OWN_SIZE - 1, 4096 },
		{ 4096, 4096 },	      { -8192, GIB },  { 0, 1 },
	};

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(both); i++) {
		good();
		add(own_start() + (uint64_t)both[i].start, both[i].size, 2);
		refused();
	}
	good();
	add(0, 1ull << 51, 2);
	refused();
	good(); /* what adjoins is none of it */
	add(own_start() - 4096, 4096, 2);
	add(own_start() + OWN_SIZE, 4096, 2);
	CHECK(!machine_read(&m, page));
}

static void no_memory_of_vtl0(void)
{
	empty();
	add(own_start(), OWN_SIZE, 1);
	refused();
	add(GIB, 0, 2);
	refused();
}

static void command_line_elsewhere(void)
{
	good();
	command_line_at(0);
	refused();
	command_line_at(own_start() - 4096);
	refused();
	command_line_at(own_start() + MACHINE_MAPPED);
	refused();
	command_line_at(own_start() + 15 * 4096 + 8);
	refused();
	set_u64(0x228, ~0ull);
	refused();
}

static void command_line_without_end(void)
{
	good();
	memset(own + 15 * 4096, ' ', 8192);
	refused();
}

static void cpus(void)
{
	reads("possible_cpus=1", 1);
	reads("quiet possible_cpus=512 debug", 512);
	reads("possible_cpus=3 possible_cpus=5", 5);
	reads("  possible_cpus=007  ", 7);
	reads("", 0);
	reads("possible_cpus", 0);
	reads("possible_cpus=", 0);
	reads("possible_cpus=0", 0);
	reads("possible_cpus=513", 0);
	reads("possible_cpus=4x", 0);
	reads("possible_cpus=-1", 0);
	reads("possible_cpus=18446744073709551617", 0);
	reads("impossible_cpus=4", 0);
	reads("possible_cpus=4 possible_cpus=", 0);
}

static void whose_memory(void)
{
	good();
	CHECK(!machine_read(&m, page));
	CHECK(machine_is_vtl0(&m, gpa(0), 0x9fc00));
	CHECK(machine_is_vtl0(&m, gpa(0x100000 + GIB - 1), 1));
	CHECK(machine_is_vtl0(&m, gpa(4 * GIB), GIB));
	CHECK(!machine_is_vtl0(&m, gpa(0), 0x9fc01));
	CHECK(!machine_is_vtl0(&m, gpa(0x9fc00), 1));
	CHECK(!machine_is_vtl0(&m, gpa(0x100000 + GIB - 1), 2));
	CHECK(!machine_is_vtl0(&m, gpa(own_start()), 1));
	CHECK(!machine_is_vtl0(&m, gpa(own_start() + OWN_SIZE - 1), 1));
	CHECK(!machine_is_vtl0(&m, gpa(2 * GIB), 1));
	CHECK(!machine_is_vtl0(&m, gpa(~0ull), 2));
	CHECK(!machine_is_vtl0(&m, gpa(0x100000), ~0ull));
	CHECK(!machine_is_vtl0(&m, gpa(4 * GIB + 4096), ~0ull - 4095));
}

const struct test machine_tests[] = {
	{ "reads_all", reads_all },
	{ "most_entries", most_entries },
	{ "other_loaders", other_loaders },
	{ "own_range_missing_or_twice", own_range_missing_or_twice },
	{ "own_range_odd", own_range_odd },
	{ "ranges_that_are_no_addresses", ranges_that_are_no_addresses },
	{ "memory_of_both", memory_of_both },
	{ "no_memory_of_vtl0", no_memory_of_vtl0 },
	{ "command_line_elsewhere", command_line_elsewhere },
	{ "command_line_without_end", command_line_without_end },
	{ "cpus", cpus },
	{ "whose_memory", whose_memory },
	{ NULL, NULL },
};
