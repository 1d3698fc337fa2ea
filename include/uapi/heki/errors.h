/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Named errors.  A call fails with one of them; the wire carries minus its errno, the log record
 * and the counters carry the name.
 */
#ifndef _UAPI_HEKI_ERRORS_H
#define _UAPI_HEKI_ERRORS_H

#include "types.h"

/*
 * X(NAME, errno, text) in the order of the codes, which start at 1 and never change: new names are
 * appended.
 */
#define HEKI_ERRORS(X)                                                                             \
	X(INPUT_ADDRESS, 14, "invalid input address")                                              \
	X(PHYS_ADDRESS, 14, "invalid physical address")                                            \
	X(VIRT_ADDRESS, 14, "invalid virtual address")                                             \
	X(DISCONTIGUOUS, 14, "discontiguous range")                                                \
	X(BOOT_SIGNAL_COPY, 14, "boot-signal page copy failed")                                    \
	X(BOOT_SIGNAL_WRITE, 14, "boot-signal page write failed")                                  \
	X(CPU_MASK_COPY, 14, "cpu mask copy failed")                                               \
	X(PAGES_COPY, 14, "heki pages copy failed")                                                \
	X(COPY_FROM_VTL0, 14, "copy from VTL0 failed")                                             \
	X(COPY_TO_VTL0, 14, "copy to VTL0 failed")                                                 \
	X(NO_SYSTEM_CERT, 2, "no system certificate in the kernel data")                           \
	X(NO_SYMBOL_TABLE, 2, "no kernel symbol table")                                            \
	X(NO_PATCH, 2, "no precomputed patch")                                                     \
	X(AFTER_END_OF_BOOT, 1, "not allowed after end of boot")                                   \
	X(NOT_SUPPORTED, 95, "operation not supported")                                            \
	X(PATCH_SUSPICIOUS, 13, "text patch suspicious")                                           \
	X(CERTS_INVALID, 13, "system certificates invalid")                                        \
	X(CERTS_NOT_LOADED, 13, "system certificates not loaded")                                  \
	X(BUFFER_TOO_SMALL, 34, "buffer too small")                                                \
	X(KEXEC_SEGMENT_RANGE, 34, "kexec segment out of range")                                   \
	X(ELF_TOO_BIG, 34, "module ELF over 64 MiB")                                               \
	X(CODE_PAGE_OFFSET, 34, "code page offset overflow")                                       \
	X(SYMBOL_NAME_LENGTH, 34, "symbol name too long")                                          \
	X(SYMBOL_TABLE_RANGE, 34, "symbol table out of range")                                     \
	X(AP_INIT, 5, "AP initialisation failed")                                                  \
	X(HYPERCALL, 5, "hypercall failed")                                                        \
	X(UNKNOWN_CALL, 22, "unknown call")                                                        \
	X(NOT_ALIGNED, 22, "address not page aligned")                                             \
	X(MEMORY_ATTRIBUTE, 22, "bad memory attribute")                                            \
	X(KDATA_TYPE, 22, "bad kdata type")                                                        \
	X(MODULE_MEMORY_TYPE, 22, "bad module memory type")                                        \
	X(MODULE_DIFFERS, 22, "module contents differ from its ELF")                               \
	X(TOKEN, 22, "bad token")                                                                  \
	X(KEXEC_TYPE, 22, "bad kexec type")                                                        \
	X(KEXEC_SEGMENTS, 22, "bad kexec segments")                                                \
	X(SYMBOL_TABLE_LENGTH, 22, "symbol table empty or of a wrong length")                      \
	X(SYMBOL, 22, "symbol unparsable")                                                         \
	X(SYMBOL_NAME_BOUNDS, 22, "symbol name offset out of bounds")                              \
	X(SYMBOL_NAME_NUL, 22, "symbol name without NUL")                                          \
	X(SYMBOL_NAME_UTF8, 22, "symbol name not UTF-8")                                           \
	X(CERT_LENGTH, 22, "certificate DER length wrong")                                         \
	X(CERT, 22, "certificate unparsable")                                                      \
	X(SIGNATURE, 129, "signature authentication failed")                                       \
	X(NO_SIGNATURE, 61, "no signature found")                                                  \
	X(SIGNATURE_ALGORITHM, 65, "unsupported signature algorithm")                              \
	X(CERT_UNTRUSTED, 126, "invalid certificate")                                              \
	X(NO_KEY, 126, "no trusted key for the signer")                                            \
	X(SIGNATURE_FORMAT, 80, "signature or its container unparsable")                           \
	X(NO_MEMORY, 12, "VTL1's fixed budget is used up")                                         \
	X(BUSY, 16, "token in use")                                                                \
	X(TOO_MANY_RANGES, 7, "too many ranges")                                                   \
	X(OVERLAP, 75, "ranges overlap each other, protected memory or VTL1's own")                \
	X(AGAIN, 11, "stopped at its time slice, call it again")                                   \
	X(PAGE_CHAIN, 22, "heki page chain empty, cyclic or of a wrong length")                    \
	X(RANGE, 22, "range is malformed")                                                         \
	X(PATCH_FORMAT, 22, "patch is malformed")                                                  \
	X(PATCH_LIST, 22, "patch list differs from what it describes")                             \
	X(ELF_FORMAT, 22, "module ELF unparsable")                                                 \
	X(MODULE_LAYOUT, 22, "module ranges do not match its sections")                            \
	X(MODULE_SYMBOL, 2, "symbol of a relocation not found")                                    \
	X(MODULE_RELOCATION, 22, "relocation type unknown or out of range")                        \
	X(MODULE_LIVEPATCH, 95, "livepatch modules are refused")                                   \
	X(REVOKED, 129, "certificate or hash is revoked")                                          \
	X(ALREADY_LOADED, 1, "set once, may not be replaced")                                      \
	X(BLOCKLIST_FORMAT, 22, "blocklist record malformed")                                      \
	X(IMMUTABLE, 1, "memory is immutable")                                                     \
	X(PE_FORMAT, 80, "kernel image unparsable")                                                \
	X(PE_DIGEST, 129, "kernel image differs from what was signed")                             \
	X(KEXEC_UNBOUND, 22, "kexec segments do not hold the signed kernel")                       \
	X(PARAMETER, 22, "parameter out of range")                                                 \
	X(REGISTERS, 22, "registers differ from the first VP's")                                   \
	X(NO_CPU, 5, "host failed to read registers")                                              \
	X(SNAPSHOT, 22, "kernel snapshot malformed or incomplete")                                 \
	X(FUNCTIONS, 22, "list of function starts malformed")                                      \
	X(MODULE_CALL_THUNK, 95, "module was changed by call thunks: boot without retbleed=stuff") \
	X(MODULE_ITS, 95, "module needs ITS thunk pages: boot with indirect_target_selection=off or " \
			  "spectre_v2=retpoline")                                                      \
	X(NO_SLOT, 16, "all slots for long calls are taken")                                       \
	X(INTERNAL, 5, "VTL1 has faulted while it served the call")

enum heki_error {
	HEKI_OK = 0,
#define HEKI_ERROR_ENUM(name, number, text) HEKI_E_##name,
	HEKI_ERRORS(HEKI_ERROR_ENUM)
#undef HEKI_ERROR_ENUM
	HEKI_ERROR_COUNT
};

#endif /* _UAPI_HEKI_ERRORS_H */
