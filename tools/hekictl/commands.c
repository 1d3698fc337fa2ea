// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of commands and its help.
 */
#include <stdio.h>
#include <string.h>

#include "commands.h"

const struct command commands[] = {
	{ "status", "", "what is protected, by which grade, and what was refused",
	  "Exits with 1 when protected memory was found changed, or the lock failed.\n", command_status },
	{ "module list", "", "modules that VTL1 knows",
	  "Pages are those of 4 KiB that are protected now. SIGNER is a line of 'cert list'.\n",
	  command_module_list },
	{ "module show", "NAME", "what VTL1 knows of a module, and what explains each of its bytes",
	  "The bytes are those of all executable and read-only memory of the module, as they were\n"
	  "compared with its signed file when it was validated. Each is in one account: 'elf' as\n"
	  "in the file, 'relocated', 'sorted' by the kernel, 'padding', or rewritten at a site of\n"
	  "the kind that is named.\n",
	  command_module_show },
	{ "module check", "[OPTION]... FILE|DIRECTORY...", "check module files, without any kernel",
	  "Says whether each file is signed by one of the certificates, what the client would\n"
	  "send of it, and how many relocations and rewritten sites of each type it has.\n"
	  "Files may be .ko, .ko.gz, .ko.xz or .ko.zst; below a directory these are looked\n"
	  "for, and good ones are only counted.\n"
	  "\n"
	  "  --cert FILE        a certificate (DER, PEM) or a kernel image that holds some;\n"
	  "                     without it those of the running kernel's image are taken\n"
	  "  --secondary FILE   a certificate that is trusted if one of these has signed it\n"
	  "  --revoked FILE     a certificate that is not trusted, whatever else is said\n"
	  "  --blocklist FILE   revoked hashes, a line each: bin:HEX of what is signed of a\n"
	  "                     file, tbs:HEX of a certificate\n"
	  "  --jobs NUMBER      threads; without it one for each processor\n"
	  "  --progress         say how far it is, also when standard error is no terminal\n"
	  "  -v                 show the good files of directories too\n"
	  "\n"
	  "Data pages are a lower bound: the kernel appends symbol tables of its own.\n"
	  "Needs no privilege. Exits with 1 when a file fails, 4 when one may not be read.\n",
	  command_module_check },
	{ "protections", "", "protected pages, as runs",
	  "Access: r read, w write, x execute, i immutable.\n", command_protections },
	{ "patch list", "", "places in text that may be patched, and what stands there",
	  "STATE is 'code' for the precomputed code, 'nop', 'int3' while it is patched, or\n"
	  "'other'.\n",
	  command_patch_list },
	{ "registers", "", "control registers that are recorded for each CPU", "",
	  command_registers },
	{ "log", "[-f] [-n NUMBER]", "refusals and events",
	  "  -f          go on with new records\n"
	  "  -n NUMBER   only the last NUMBER records\n"
	  "\n"
	  "With -f, --json prints one object a line.\n",
	  command_log },
	{ "audit", "", "check all that is protected now",
	  "Exits with 1 when something differs; the log has the details.\n", command_audit },
	{ "counters", "", "calls, refusals, errors and budgets", "", command_counters },
	{ "cert list", "", "certificates that VTL1 trusts, and revoked ones", "",
	  command_cert_list },
	{ "cert extract", "VMLINUZ [-o FILE]", "certificates that a kernel image trusts",
	  "Writes them as DER, one behind the other, to FILE or the standard output.\n"
	  "\n"
	  "  -o FILE   where to\n",
	  command_cert_extract },
	{ "key add", "FILE", "trust a certificate that a trusted one has signed",
	  "FILE is one certificate, DER or PEM.\n", command_key_add },
	{ "revoke", "FILE", "never trust a certificate again",
	  "FILE is one certificate, DER or PEM. There is no way back until the next boot.\n",
	  command_revoke },
	{ "start", "[--cert FILE]... [--offer-modules]", "protect a kernel that has booted already",
	  "Hands over the kernel's certificates, and locks.\n"
	  "\n"
	  "  --cert FILE       certificates (DER, PEM) or a kernel image that holds them;\n"
	  "                    without it the running kernel's image is looked for.  Only\n"
	  "                    those that the kernel itself trusts are accepted\n"
	  "  --offer-modules   hand over the files of modules that are loaded already, so\n"
	  "                    that they are verified and not just recorded\n",
	  command_start },
	{ "doctor", "[--root DIR] [--release RELEASE]",
	  "what is missing on this machine, and how to get it",
	  "  --root DIR          look at a tree below DIR instead of /\n"
	  "  --release RELEASE   for this kernel instead of the running one\n"
	  "\n"
	  "Exits with 1 when something is missing.\n",
	  command_doctor },
	{ "version", "", "versions of this program and of what is loaded", "", command_version },
	{ 0 },
};

bool is_object(const char *word)
{
	size_t n = strlen(word);

	for (const struct command *c = commands; c->name; c++)
		if (!strncmp(c->name, word, n) && c->name[n] == ' ')
			return true;
	return false;
}

void print_help(void)
{
	size_t width = 0;

	for (const struct command *c = commands; c->name; c++)
		if (strlen(c->name) > width)
			width = strlen(c->name);
	puts("usage: hekictl COMMAND [--json] [ARGUMENTS]\n"
	     "\n"
	     "Show and control hypervisor-enforced kernel integrity.\n");
	for (const struct command *c = commands; c->name; c++)
		printf("  %-*s  %s\n", (int)width, c->name, c->summary);
	puts("\n"
	     "Every command has --help and --json.\n"
	     "Exit codes: 0 ok, 1 violation or failed check, 2 usage, 3 HEKI not loaded or\n"
	     "unsupported, 4 permission.  See hekictl(8).");
}

void print_command_help(const struct command *command)
{
	printf("usage: hekictl %s%s%s [--json]\n\n%s%s%s", command->name,
	       *command->usage ? " " : "", command->usage, command->summary,
	       *command->help ? "\n\n" : "\n", command->help);
}
