/* SPDX-License-Identifier: GPL-2.0-only */
/* A small PE32+ image with two sections, laid out by hand as the kernel's own header is. */
	.text
	.globl _start
base:
	.ascii "MZ"
	.zero 58
	.long pe - base
pe:
	.ascii "PE\0\0"
	.short 0x8664			# machine
	.short 2			# sections
	.long 0, 0, 0
	.short optional_end - optional
	.short 0x206
optional:
	.short 0x20b			# PE32+
	.byte 2, 20
	.long text_end - text		# code
	.long data_end - data		# initialised data
	.long 0
	.long text - base		# entry
	.long text - base		# base of code
	.quad 0				# image base
	.long 0x1000			# section alignment
	.long 0x200			# file alignment
	.short 0, 0, 0, 0, 0, 0
	.long 0
	.long 0x9000			# size of image
	.long text - base		# size of headers
	.long 0				# checksum
	.short 10			# EFI application
	.short 0
	.quad 0, 0, 0, 0
	.long 0
	.long 6				# data directories
	.quad 0, 0, 0, 0, 0, 0
optional_end:
	.ascii ".text\0\0\0"
	.long text_end - text, text - base, text_end - text, text - base
	.long 0, 0
	.short 0, 0
	.long 0x60000020
	.ascii ".data\0\0\0"
	.long data_end - data, 0x8000, data_end - data, data - base
	.long 0, 0
	.short 0, 0
	.long 0xc0000040
	.org 0x1f1			# the setup header of a bzImage
	.byte 7				# sectors of setup code behind the first
	.org 0x202
	.ascii "HdrS"
	.balign 0x1000, 0
text:
#ifdef OTHER
	.ascii "another kernel's text"
#else
	.ascii "the kernel's text"
#endif
	.balign 0x1000, 0xcc
	.fill 0x1800, 1, 0x41
	.balign 0x200, 0
text_end:
data:
	.ascii "the kernel's data"
	.balign 0x200, 0
data_end:
