// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parser of the client's securityfs files, and the names in them.
 *
 * The files come from the kernel that is protected, thus from whoever rules it, or from a copied
 * tree: a malformed file is an error of its reader, never a crash.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "hekifs.h"

#define HEKIFS_FILE_MAX (256u << 20)

const char *const hekifs_call_names[] = {
#define CALL_NAME(id, name, handler, phase, context, arguments) #name,
	HEKI_CALLS(CALL_NAME)
#undef CALL_NAME
	NULL
};

const char *const hekifs_error_names[] = {
#define ERROR_NAME(name, number, text) #name,
	HEKI_ERRORS(ERROR_NAME)
#undef ERROR_NAME
	NULL
};

static const char *const error_texts[] = {
#define ERROR_TEXT(name, number, text) text,
	HEKI_ERRORS(ERROR_TEXT)
#undef ERROR_TEXT
};

const char *const hekifs_budget_names[] = {
	[HEKI_BUDGET_MODULES] = "modules", [HEKI_BUDGET_FRAMES] = "frames",
	[HEKI_BUDGET_SYMBOLS] = "symbols", [HEKI_BUDGET_PATCHES] = "patches",
	[HEKI_BUDGET_CERTS] = "certs",	   [HEKI_BUDGET_HASHES] = "hashes",
	[HEKI_BUDGET_DEPS] = "deps",	   [HEKI_BUDGET_SCRATCH_KIB] = "scratch_kib",
	[HEKI_BUDGET_FUNCTIONS] = "functions",
	[HEKI_BUDGET_MODULE_FUNCTIONS] = "module_functions",
	[HEKI_BUDGET_SLOTS] = "slots",
	[HEKI_BUDGET_ENTRY_PAGES] = "entry_pages",
	[HEKI_BUDGET_COUNT] = NULL,
};

const char *const hekifs_stats_keys[] = {
	"pages_text",	     "pages_rodata",	"pages_data",	    "pages_module",
	"symbols",	     "symbols_gpl",	"symbols_module",   "patches_kernel",
	"patches_module",    "patch_allowed",	"patch_refused",    "modules_validated",
	"modules_refused",   "modules_live",	"modules_unverified", "relocations",
	"sites",	     "certs_system",	"certs_secondary",  "certs_kexec",
	"certs_revoked",     "blocklist_hashes", "vps_locked",	    "kexec_slots",
	"audits",	     "violations",	"log_written",	    "log_dropped",
	"jump_labels_kernel", "continued",	"abandoned",	    "intercepts",
	NULL
};

const char *const hekifs_module_pages[] = {
	[HEKI_MOD_TEXT] = "pages_text",
	[HEKI_MOD_DATA] = "pages_data",
	[HEKI_MOD_RODATA] = "pages_rodata",
	[HEKI_MOD_RO_AFTER_INIT] = "pages_ro_after_init",
	[HEKI_MOD_INIT_TEXT] = "pages_init_text",
	[HEKI_MOD_INIT_DATA] = "pages_init_data",
	[HEKI_MOD_INIT_RODATA] = "pages_init_rodata",
	[HEKI_MOD_MEM_TYPES] = NULL,
};

const char *const hekifs_registers[] = { "cr0",	  "cr4",	   "efer",	  "apic_base",
					 "sysenter_cs", "sysenter_eip", "sysenter_esp", "star",
					 "lstar", "cstar",	   "sfmask",	  NULL };

const char *hekifs_error_text(const char *name)
{
	for (size_t i = 0; hekifs_error_names[i]; i++)
		if (!strcmp(hekifs_error_names[i], name))
			return error_texts[i];
	return NULL;
}

const char *hekifs_root(void)
{
	const char *root = getenv(HEKIFS_ROOT_VARIABLE);

	return root && *root ? root : HEKIFS_ROOT;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Undo %XX in place. A NUL is no part of any value. */
static int unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		int high, low;

		if (*s != '%') {
			*to++ = *s;
			continue;
		}
		high = hex_digit(s[1]);
		low = high < 0 ? -1 : hex_digit(s[2]);
		if (low < 0 || !(high | low))
			return -EPROTO;
		*to++ = (char)(high << 4 | low);
		s += 2;
	}
	*to = 0;
	return 0;
}

static size_t count_of(const char *s, char c)
{
	size_t n = 0;

	while ((s = strchr(s, c))) {
		n++;
		s++;
	}
	return n;
}

static int parse_pair(char *text, struct hekifs_pair *pair)
{
	char *equals = strchr(text, '=');

	if (!equals || equals == text)
		return -EPROTO;
	*equals = 0;
	pair->key = text;
	pair->value = equals + 1;
	return unescape(equals + 1);
}

/* The pairs of one line, in a row behind *used. */
static int parse_line(struct hekifs_file *file, char *line, size_t *used)
{
	struct hekifs_record *record = &file->records[file->count];
	char *blank = NULL;

	record->pairs = file->pairs + *used;
	for (char *word = strtok_r(line, " ", &blank); word; word = strtok_r(NULL, " ", &blank)) {
		int ret = parse_pair(word, &file->pairs[*used]);

		if (ret)
			return ret;
		(*used)++;
		record->count++;
	}
	file->count++;
	return 0;
}

static bool single_record(const char *name)
{
	return !strcmp(name, "status") || !strcmp(name, "counters");
}

static int parse_head(const char *name, char *line, struct hekifs_file *file)
{
	size_t n = strlen(name);
	char *end;

	if (strncmp(line, "heki-", 5) || strncmp(line + 5, name, n) || line[5 + n] != ' ')
		return -EPROTO;
	file->version = (unsigned int)strtoul(line + 6 + n, &end, 10);
	if (*end || end == line + 6 + n)
		return -EPROTO;
	return file->version == HEKI_SECURITYFS_VERSION ? 0 : -EPROTONOSUPPORT;
}

static int parse(const char *name, struct hekifs_file *file)
{
	size_t lines = count_of(file->text, '\n') + 1, used = 0;
	bool single = single_record(name);
	char *newline = NULL, *line;
	int ret;

	file->records = calloc(lines, sizeof(*file->records));
	file->pairs = calloc(count_of(file->text, '=') + 1, sizeof(*file->pairs));
	if (!file->records || !file->pairs)
		return -ENOMEM;
	line = strtok_r(file->text, "\n", &newline);
	ret = line ? parse_head(name, line, file) : -EPROTO;
	while (!ret && (line = strtok_r(NULL, "\n", &newline)))
		ret = parse_line(file, line, &used);
	if (!ret && single && file->count) {
		file->records[0].count = used;
		file->count = 1;
	}
	return ret;
}

int hekifs_read(const char *name, struct hekifs_file *file)
{
	struct file_data data;
	char *path;
	int ret;

	*file = (struct hekifs_file){ 0 };
	if (asprintf(&path, "%s/%s", hekifs_root(), name) < 0)
		return -ENOMEM;
	ret = file_read(path, HEKIFS_FILE_MAX, &data);
	free(path);
	if (ret)
		return ret;
	file->text = (char *)data.p;
	if (memchr(data.p, 0, data.n))
		return -EPROTO;
	return parse(name, file);
}

void hekifs_free(struct hekifs_file *file)
{
	free(file->records);
	free(file->pairs);
	free(file->text);
	*file = (struct hekifs_file){ 0 };
}

const char *hekifs_get(const struct hekifs_record *record, const char *key)
{
	if (!record)
		return NULL;
	for (size_t i = 0; i < record->count; i++)
		if (!strcmp(record->pairs[i].key, key))
			return record->pairs[i].value;
	return NULL;
}

bool hekifs_number(const struct hekifs_record *record, const char *key, uint64_t *value)
{
	const char *s = hekifs_get(record, key);
	bool hex = s && s[0] == '0' && s[1] == 'x';
	char *end;

	/* strtoull() would take a sign and blanks. */
	if (!s || hex_digit(s[hex ? 2 : 0]) < 0)
		return false;
	errno = 0;
	*value = strtoull(s, &end, hex ? 16 : 10);
	return !*end && !errno;
}
