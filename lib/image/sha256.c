/* SPDX-License-Identifier: MIT */
#include "image/sha256.h"

#include <endian.h>
#include <string.h>

/* FIPS 180-4, section 6.2; the names are its. */

enum { BLOCK_SIZE = 64, LENGTH_SIZE = 8, N_ROUNDS = 64, N_WORDS = 8 };

/* The fractions of the cube roots of the first 64 primes: section 4.2.2. */
static const uint32_t K[N_ROUNDS] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

/* And of the square roots of the first eight: section 5.3.3. */
static const uint32_t initial[N_WORDS] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static uint32_t rotr(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

/* The message schedule. */
static void expand(const uint8_t block[static BLOCK_SIZE], uint32_t W[static N_ROUNDS])
{
	memcpy(W, block, BLOCK_SIZE);
	for (int t = 0; t < BLOCK_SIZE / 4; t++)
		W[t] = be32toh(W[t]);
	for (int t = BLOCK_SIZE / 4; t < N_ROUNDS; t++) {
		uint32_t x = W[t - 15], y = W[t - 2];
		uint32_t s0 = rotr(x, 7) ^ rotr(x, 18) ^ x >> 3;
		uint32_t s1 = rotr(y, 17) ^ rotr(y, 19) ^ y >> 10;

		W[t] = s1 + W[t - 7] + s0 + W[t - 16];
	}
}

static void add_block(uint32_t H[static N_WORDS], const uint8_t block[static BLOCK_SIZE])
{
	uint32_t W[N_ROUNDS], v[N_WORDS]; /* a to h */

	expand(block, W);
	memcpy(v, H, sizeof(v));
	for (int t = 0; t < N_ROUNDS; t++) {
		uint32_t a = v[0], e = v[4];
		uint32_t S1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
		uint32_t S0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22);
		uint32_t ch = (e & v[5]) ^ (~e & v[6]);
		uint32_t maj = (a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]);
		uint32_t T1 = v[7] + S1 + ch + K[t] + W[t];

		memmove(v + 1, v, 7 * sizeof(*v));
		v[4] += T1;
		v[0] = T1 + S0 + maj;
	}
	for (int i = 0; i < N_WORDS; i++)
		H[i] += v[i];
}

/* What is left of the message, a bit that is set, and the length in bits at the end of a block. */
static void add_end(uint32_t H[static N_WORDS], const uint8_t *rest, size_t n, uint64_t length)
{
	uint8_t blocks[2 * BLOCK_SIZE] = {0};
	size_t size = n < BLOCK_SIZE - LENGTH_SIZE ? BLOCK_SIZE : 2 * BLOCK_SIZE;
	uint64_t bits = htobe64(length * 8);

	if (n > 0)
		memcpy(blocks, rest, n);
	blocks[n] = 0x80;
	memcpy(blocks + size - LENGTH_SIZE, &bits, LENGTH_SIZE);
	for (size_t at = 0; at < size; at += BLOCK_SIZE)
		add_block(H, blocks + at);
}

void lcx__sha256(const void *data, size_t length, uint8_t ret[static LCX__SHA256_SIZE])
{
	const uint8_t *bytes = data;
	uint32_t H[N_WORDS];
	size_t at = 0;

	memcpy(H, initial, sizeof(H));
	for (; length - at >= BLOCK_SIZE; at += BLOCK_SIZE)
		add_block(H, bytes + at);
	add_end(H, bytes + at, length - at, length);
	for (int i = 0; i < N_WORDS; i++)
		H[i] = htobe32(H[i]);
	memcpy(ret, H, sizeof(H));
}
