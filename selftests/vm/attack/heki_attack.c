// SPDX-License-Identifier: GPL-2.0-only
/*
 * An attacker in the kernel: changes one byte of what HEKI protects, through a writable alias of
 * the page, and puts it back.  For tests only.
 *
 * Writing 1 to a parameter changes the byte, 0 restores it; a write that does not land is EFAULT.
 * Reading tells the byte that is there and its physical address.
 *   text    a byte of padding between two functions of the kernel
 *   rodata  the NUL behind the kernel's digits
 *   module  a byte of a function of this module that nobody calls
 *
 * Writing anything to one of these takes a protection out of a register of this CPU, and puts it back; what
 * is not let through is EFAULT.
 *   cr0     write protection of read-only pages
 *   cr4     that the kernel executes no page of user mode
 *   lstar   where system calls enter
 *
 * Writing 1 to "run" runs code in a page that is new; reading tells how often that went well, and the
 * page's physical address.
 */
#include <linux/completion.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/reboot.h>
#include <linux/vmalloc.h>
#include <asm/asm.h>
#include <asm/msr.h>
#include <asm/pgtable.h>
#include <asm/special_insns.h>

#define PADDING_SEARCH 4096
#define PADDING_RUN 4
#define PADDING 0xcc

/**
 * struct target - a byte to change
 * @find:    looks for it, NULL when there is none
 * @address: once it was found
 * @changed: it is changed now
 */
struct target {
	const u8 *(*find)(void);
	const u8 *address;
	bool changed;
};

static const u8 *find_padding(void)
{
	const u8 *text = (const u8 *)kernel_restart;
	unsigned int i, run = 0;

	for (i = 0; i < PADDING_SEARCH; i++) {
		run = text[i] == PADDING ? run + 1 : 0;
		if (run == PADDING_RUN)
			return text + i;
	}
	return NULL;
}

static const u8 *find_digits_end(void)
{
	return (const u8 *)hex_asc_upper + 16;
}

static noinline int never_called(int x)
{
	return x * 3;
}

static const u8 *find_own(void)
{
	return (const u8 *)never_called;
}

static struct target text_target = { .find = find_padding };
static struct target rodata_target = { .find = find_digits_end };
static struct target module_target = { .find = find_own };

static phys_addr_t physical(const u8 *address)
{
	if (within_module((unsigned long)address, THIS_MODULE))
		return page_to_phys(vmalloc_to_page(address)) + offset_in_page(address);
	return __pa_symbol(address);
}

/* Like any write, but a fault is an error and no oops. */
static int write_byte(u8 *to, u8 value)
{
	int ret = 0;

	asm volatile("1: movb %2, %1\n"
		     "2:\n"
		     _ASM_EXTABLE_TYPE_REG(1b, 2b, EX_TYPE_EFAULT_REG, %0)
		     : "+r"(ret), "=m"(*to) : "q"(value));
	return ret;
}

static int flip(const u8 *address)
{
	struct page *page = pfn_to_page(PHYS_PFN(physical(address)));
	u8 *alias = vmap(&page, 1, VM_MAP, PAGE_KERNEL);
	int ret;

	if (!alias)
		return -ENOMEM;
	ret = write_byte(alias + offset_in_page(address), *address ^ 1);
	vunmap(alias);
	return ret;
}

static const u8 *locate(struct target *target)
{
	if (!target->address)
		target->address = target->find();
	return target->address;
}

static int change(struct target *target, bool on)
{
	const u8 *address = locate(target);
	int ret;

	if (!address)
		return -ENOENT;
	if (target->changed == on)
		return on ? -EALREADY : 0;
	ret = flip(address);
	if (!ret)
		target->changed = on;
	return ret;
}

static int target_set(const char *value, const struct kernel_param *parameter)
{
	bool on;
	int ret = kstrtobool(value, &on);

	return ret ? ret : change(parameter->arg, on);
}

static int target_get(char *buffer, const struct kernel_param *parameter)
{
	const u8 *address = locate(parameter->arg);

	if (!address)
		return -ENOENT;
	return sprintf(buffer, "%02x %#llx\n", READ_ONCE(*address), (u64)physical(address));
}

#define WRITE_REGISTER(instruction, value)                                                         \
	({                                                                                         \
		int ret_ = 0;                                                                      \
		asm volatile("1: " instruction "\n"                                                \
			     "2:\n"                                                                \
			     _ASM_EXTABLE_TYPE_REG(1b, 2b, EX_TYPE_EFAULT_REG, %0)                 \
			     : "+r"(ret_) : "r"(value) : "memory");                                \
		ret_;                                                                              \
	})

static int write_cr0_at_once(unsigned long value)
{
	return WRITE_REGISTER("mov %1, %%cr0", value);
}

static int write_cr4_at_once(unsigned long value)
{
	return WRITE_REGISTER("mov %1, %%cr4", value);
}

static int write_lstar(unsigned long value)
{
	return wrmsrl_safe(MSR_LSTAR, value) ? -EFAULT : 0;
}

static int try_and_undo(int (*write)(unsigned long value), unsigned long old, unsigned long new)
{
	int ret = write(new);

	return ret ? ret : write(old);
}

static int cr0_set(const char *value, const struct kernel_param *parameter)
{
	unsigned long flags;
	int ret;

	local_irq_save(flags);
	ret = try_and_undo(write_cr0_at_once, read_cr0(), read_cr0() & ~X86_CR0_WP);
	local_irq_restore(flags);
	return ret;
}

static int cr4_set(const char *value, const struct kernel_param *parameter)
{
	unsigned long flags;
	int ret;

	local_irq_save(flags);
	ret = try_and_undo(write_cr4_at_once, __read_cr4(), __read_cr4() & ~X86_CR4_SMEP);
	local_irq_restore(flags);
	return ret;
}

static int lstar_set(const char *value, const struct kernel_param *parameter)
{
	unsigned long flags, old;
	int ret;

	local_irq_save(flags);
	rdmsrl(MSR_LSTAR, old);
	ret = try_and_undo(write_lstar, old, old + 1);
	local_irq_restore(flags);
	return ret;
}

static const struct kernel_param_ops cr0_ops = { .set = cr0_set };
static const struct kernel_param_ops cr4_ops = { .set = cr4_set };
static const struct kernel_param_ops lstar_ops = { .set = lstar_set };

module_param_cb(cr0, &cr0_ops, NULL, 0200);
module_param_cb(cr4, &cr4_ops, NULL, 0200);
module_param_cb(lstar, &lstar_ops, NULL, 0200);

static const struct kernel_param_ops target_ops = {
	.set = target_set,
	.get = target_get,
};

module_param_cb(text, &target_ops, &text_target, 0600);
MODULE_PARM_DESC(text, "1 changes a byte of kernel text, 0 restores it");
module_param_cb(rodata, &target_ops, &rodata_target, 0600);
MODULE_PARM_DESC(rodata, "1 changes a byte of read-only data, 0 restores it");
module_param_cb(module, &target_ops, &module_target, 0600);
MODULE_PARM_DESC(module, "1 changes a byte of this module's text, 0 restores it");

static unsigned int ran;
static u64 ran_at;

/* endbr64; mov $42, %eax; ret */
static const u8 new_code[] = { 0xf3, 0x0f, 0x1e, 0xfa, 0xb8, 42, 0, 0, 0, 0xc3 };

static DECLARE_COMPLETION(has_run);

/* Where the page must not be executed the thread does not come back. */
static int run_thread(void *code)
{
	ran += ((int (*)(void))code)() == 42;
	complete(&has_run);
	return 0;
}

/* vmap() maps nothing that is executable; an attacker sees to that. */
static void *map_executable(struct page *page)
{
	void *at = vmap(&page, 1, VM_MAP, PAGE_KERNEL);
	unsigned int level;
	pte_t *entry = at ? lookup_address((unsigned long)at, &level) : NULL;

	if (entry)
		set_pte(entry, pte_mkexec(*entry));
	return at;
}

/* The page and its address are lost in the end: the thread may stand there. */
static int run_set(const char *value, const struct kernel_param *parameter)
{
	struct page *page = alloc_page(GFP_KERNEL);
	void *code = page ? map_executable(page) : NULL;

	if (!code)
		return -ENOMEM;
	memcpy(code, new_code, sizeof(new_code));
	ran_at = page_to_phys(page);
	reinit_completion(&has_run);
	if (IS_ERR(kthread_run(run_thread, code, "heki_attack")))
		return -ENOMEM;
	return wait_for_completion_timeout(&has_run, HZ) ? 0 : -EFAULT;
}

static int run_get(char *buffer, const struct kernel_param *parameter)
{
	return sprintf(buffer, "%u %#llx\n", ran, ran_at);
}

static const struct kernel_param_ops run_ops = { .set = run_set, .get = run_get };
module_param_cb(run, &run_ops, NULL, 0600);
MODULE_PARM_DESC(run, "1 runs new code");

static int __init attack_init(void)
{
	return 0;
}

static void __exit attack_exit(void)
{
	change(&text_target, false);
	change(&rodata_target, false);
	change(&module_target, false);
}

module_init(attack_init);
module_exit(attack_exit);

MODULE_DESCRIPTION("Attack of HEKI's own tests: changes a protected byte");
MODULE_LICENSE("GPL");
