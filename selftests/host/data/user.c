// SPDX-License-Identifier: GPL-2.0-only
/* A module that uses an export of the other one. */
#include "module.h"

extern int tiny_add(int n);
static int counter;

int __init init_module(void)
{
	counter = tiny_add(2);
	return 0;
}

void __exit cleanup_module(void)
{
	tiny_add(counter);
}

int user_value(void)
{
	return tiny_add(counter) + 1;
}

MODINFO(license, "GPL");
MODINFO(depends, "tiny");
MODINFO(name, MODULE_NAME);
MODINFO(vermagic, "test SMP mod_unload ");
THIS_MODULE;
