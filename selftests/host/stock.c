// SPDX-License-Identifier: GPL-2.0-only
/* The stock kernels below build/kernel/: their modules and their exports. */
#include "stock.h"

const struct heki_limits stock_limits = {
	.modules = 8,
	.frames = 16384,
	.symbols = 65536,
	.patches = 65536,
	.certs = 8,
	.cert_bytes = 64 << 10,
	.hashes = 8,
	.deps = 64,
	.functions = 1024,
	.module_functions = 2048,
	.log_records = 64,
	.vps = GUEST_VPS,
	.scratch_bytes = 512ull << 20,
	.slots = 4,
	.entry_pages = 64,
};

static struct stock_lines read_lines(FILE *stream)
{
	struct stock_lines l = { 0 };
	char buffer[1024];

	CHECK(stream);
	while (fgets(buffer, sizeof(buffer), stream)) {
		buffer[strcspn(buffer, "\n")] = 0;
		if (!(l.n & (l.n - 1)))
			l.line = realloc(l.line, (l.n ? 2 * l.n : 1) * sizeof(*l.line));
		CHECK(l.line);
		l.line[l.n++] = strdup(buffer);
	}
	return l;
}

void stock_drop_lines(struct stock_lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->line[i]);
	free(l->line);
}

struct stock_lines stock_command(const char *format, const char *argument)
{
	char text[1024];
	struct stock_lines l;
	FILE *pipe;

	snprintf(text, sizeof(text), format, argument);
	pipe = popen(text, "r");
	l = read_lines(pipe);
	CHECK(!pclose(pipe));
	return l;
}

struct file stock_module(const char *path)
{
	struct file f = { 0 };
	size_t length = strlen(path), n;
	char text[1024];
	FILE *pipe;

	if (strcmp(path + length - 3, ".xz"))
		return load_path(path);
	snprintf(text, sizeof(text), "xz -dc '%s'", path);
	pipe = popen(text, "r");
	CHECK(pipe);
	do {
		f.p = realloc(f.p, f.n + (1 << 20));
		CHECK(f.p);
		n = fread(f.p + f.n, 1, 1 << 20, pipe);
		f.n += n;
	} while (n);
	CHECK(!pclose(pipe));
	return f;
}

/* Thunks by register lie in one array, behind all other exports. */
static uint64_t thunk_value(const char *name, size_t exports)
{
	static const char registers[16][4] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp",
					       "rsi", "rdi", "r8",  "r9",  "r10", "r11",
					       "r12", "r13", "r14", "r15" };
	static const char prefix[] = "__x86_indirect_thunk_";

	if (strncmp(name, prefix, sizeof(prefix) - 1))
		return 0;
	for (uint64_t i = 0; i < 16; i++)
		if (!strcmp(name + sizeof(prefix) - 1, registers[i]))
			return 16 * (exports + 2) + 32 * i;
	return 0;
}

/* A line: "crc\tname\tmodule\ttype\tnamespace". */
void stock_kernel(struct guest *g, struct kernel *k, const char *version)
{
	struct stock_lines l = stock_command("cut -f 2,4 build/kernel/%s/build/Module.symvers",
					     version);
	struct export *exports = calloc(l.n, sizeof(*exports));

	CHECK(exports && l.n > 1000);
	for (size_t i = 0; i < l.n; i++) {
		char *tab = strchr(l.line[i], '\t');

		CHECK(tab);
		*tab = 0;
		exports[i].name = l.line[i];
		exports[i].value = thunk_value(l.line[i], l.n);
		if (!exports[i].value)
			exports[i].value = 16 * (i + 1);
		exports[i].gpl = strstr(tab + 1, "GPL");
	}
	kernel_make(g, k, exports, l.n);
	free(exports);
	stock_drop_lines(&l);
}
