/* SPDX-License-Identifier: GPL-2.0-only */
/* What a module needs to be one, without the kernel's headers. */
#ifndef HOST_DATA_MODULE_H
#define HOST_DATA_MODULE_H

#define __init __attribute__((section(".init.text"), used, noinline))
#define __exit __attribute__((section(".exit.text"), used, noinline))
#define __ro_after_init __attribute__((section(".data..ro_after_init")))

#define MODINFO(key, value)                                                                        \
	static const char modinfo_##key[]                                                          \
		__attribute__((section(".modinfo"), used, aligned(1))) = #key "=" value

/* As scripts/mod/modpost and asm-generic/export.h lay out an export. */
#define EXPORT(symbol, set)                                                                        \
	__asm__(".section \"__ksymtab_strings\",\"aMS\",@progbits,1\n"                             \
		"__kstrtab_" #symbol ": .asciz \"" #symbol "\"\n"                                  \
		"__kstrtabns_" #symbol ": .asciz \"\"\n"                                           \
		".previous\n"                                                                      \
		".section \"___ksymtab" set "+" #symbol "\",\"a\"\n"                               \
		".balign 4\n"                                                                      \
		"__ksymtab_" #symbol ":\n"                                                         \
		".long " #symbol " - .\n"                                                          \
		".long __kstrtab_" #symbol " - .\n"                                                \
		".long __kstrtabns_" #symbol " - .\n"                                              \
		".previous\n")

/* A static key's branch: NOP now, a jump when the key is on. */
#define STATIC_BRANCH(key)                                                                         \
	({                                                                                         \
		__label__ on, out;                                                                 \
		int taken = 0;                                                                     \
		__asm__ goto("1: .byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n"                             \
			     ".pushsection __jump_table, \"aw\"\n"                                 \
			     ".balign 8\n"                                                         \
			     ".long 1b - .\n"                                                      \
			     ".long %l[on] - .\n"                                                  \
			     ".quad %c0 - .\n"                                                     \
			     ".popsection\n"                                                       \
			     : : "i"(&(key)) : : on);                                              \
		goto out;                                                                          \
	on:                                                                                        \
		taken = 1;                                                                         \
	out:                                                                                       \
		taken;                                                                             \
	})

/* In front of an instruction that one CPU alone need not lock. */
#define LOCK_PREFIX                                                                                \
	".pushsection .smp_locks, \"a\"\n"                                                        \
	".balign 4\n"                                                                              \
	".long 671f - .\n"                                                                         \
	".popsection\n"                                                                            \
	"671: lock; "

/* struct module: only its name and its two functions matter, and where they lie differs. */
struct this_module {
	unsigned char head[24];
	char name[56];
	unsigned char rest[1200];
};

#define THIS_MODULE                                                                                \
	struct this_module this_module                                                             \
		__attribute__((section(".gnu.linkonce.this_module"), used, aligned(64))) = {       \
			.name = MODULE_NAME,                                                       \
		}

#endif /* HOST_DATA_MODULE_H */
