/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes of DER that keep it DER.
 */
#ifndef SELFTESTS_FUZZ_MUTATE_DER_H
#define SELFTESTS_FUZZ_MUTATE_DER_H

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's own, and what a target may define. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

/**
 * mutate_der() - change one item of some DER, at any depth, and the lengths around it
 * @data: bytes, the DER at their start
 * @size: their number
 * @max:  room
 * @seed: for what is left to chance
 *
 * Return: bytes now; @size when nothing was changed
 */
size_t mutate_der(uint8_t *data, size_t size, size_t max, unsigned int seed);

#endif /* SELFTESTS_FUZZ_MUTATE_DER_H */
