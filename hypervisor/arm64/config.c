// SPDX-License-Identifier: GPL-2.0-only
/* The hypervisor's options: words, from the device tree's command line. */
#include "config.h"
#include "device_tree.h"
#include "machine.h"
#include "options.h"

static const char *const known[] = {
	"load=", "memory=", "entry=", "kind=auto", "kind=flat", "kind=elf", "kind=image", "file=",
	"file-size=", "initrd=", "initrd-size=", "counters", "dump", "faults=stop",
	OPTION_ALLOW "fw_cfg", OPTION_ALLOW "virtio", OPTION_ALLOW "pci", OPTION_ALLOW "flash",
	OPTION_ALLOW "rtc", OPTION_ALLOW "gpio", NULL,
};

static enum guest_kind kind_of(const char *options)
{
	if (has_option(options, "kind=flat"))
		return GUEST_FLAT;
	if (has_option(options, "kind=elf"))
		return GUEST_ELF;
	return has_option(options, "kind=image") ? GUEST_IMAGE : GUEST_AUTO;
}

static void check(const struct guest_config *c)
{
	if (c->load & ~PAGE_MASK)
		panic("load=0x%lx: not page-aligned", c->load);
	if (!c->memory || c->memory > BIT(39) || c->load > BIT(39) - c->memory)
		panic("memory=: no memory, or more than 512 GiB");
	if (c->entry & 3)
		panic("entry=0x%lx: no instruction lies there", c->entry);
	if (c->file_size > BIT(39) || c->file > BIT(39) || c->initrd_size > BIT(39) ||
	    c->initrd > BIT(39))
		panic("file=, initrd=: beyond 512 GiB");
	if (!c->initrd != !c->initrd_size)
		panic("initrd= and initrd-size= go together");
}

void guest_config_read(struct guest_config *c, const char *options)
{
	const char *unknown = option_unknown(options, known);
	uint64_t mib = CONFIG_MEMORY / MIB;

	machine_fails_as(EXIT_CONFIG);
	if (unknown)
		panic("unknown option: %s", unknown);
	*c = (struct guest_config){ .load = CONFIG_LOAD, .kind = kind_of(options) };
	option_number(options, "load=", &c->load);
	option_number(options, "memory=", &mib);
	c->memory = mib * MIB;
	option_number(options, "entry=", &c->entry);
	c->file = c->load;
	option_number(options, "file=", &c->file);
	option_number(options, "file-size=", &c->file_size);
	option_number(options, "initrd=", &c->initrd);
	option_number(options, "initrd-size=", &c->initrd_size);
	c->counters = has_option(options, "counters");
	c->dump = has_option(options, "dump");
	c->stop = has_option(options, "faults=stop");
	if (mib > BIT(39) / MIB)
		panic("memory=%lu: more than 512 GiB", mib);
	check(c);
	machine_fails_as(EXIT_PANIC);
}
