// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module with the branches that a kernel rewrites in the forms that the compilers of today do not
 * emit: to thunks by a condition, or through a register from r8 on without a prefix; static calls by
 * a condition, which are longer than a patch.
 */
#include "module.h"

int branches_key;

__asm__(".text\n"
	".globl branches\n"
	".type branches, @function\n"
	"branches:\n"
	"1: call __x86_indirect_thunk_r8\n"
	"2: jne __x86_indirect_thunk_rax\n"
	"3: .byte 0x2e\n"
	"   jne __x86_indirect_thunk_r8\n"
	"4: jne __SCT__branches\n"
	"5: call __SCT__branches\n"
	"6: .byte 0x2e\n"
	"   jmp __x86_indirect_thunk_r8\n"
	".size branches, . - branches\n"
	".pushsection .retpoline_sites, \"a\"\n"
	".long 1b - ., 2b - ., 3b - ., 6b - .\n"
	".popsection\n"
	".pushsection .static_call_sites, \"aw\"\n"
	".balign 8\n"
	".long 4b - ., branches_key + 1 - .\n"
	".long 5b - ., branches_key - .\n"
	".popsection\n"
	".pushsection .static_call.text, \"ax\"\n"
	".globl __SCT__branches\n"
	".type __SCT__branches, @function\n"
	".balign 4\n"
	"__SCT__branches: jmp branches\n"
	"ud1 %esp, %ecx\n"
	".size __SCT__branches, . - __SCT__branches\n"
	".popsection\n");

MODINFO(license, "GPL");
MODINFO(name, MODULE_NAME);
MODINFO(vermagic, "test SMP mod_unload ");
THIS_MODULE;
