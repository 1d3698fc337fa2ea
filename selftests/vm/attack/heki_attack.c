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
 * Writing 1 to "run" runs code in a page that is new; reading tells how often that went well, and the
 * page's physical address.
