/* Calls through a table of function pointers, chosen by data. */
#include "yardstick.h"

enum { Calls = 300000 };

static u64 add(u64 x, u64 y) { return x + y; }
static u64 rotate(u64 x, u64 y) { return x << 7 ^ x >> 57 ^ y; }
static u64 multiply(u64 x, u64 y) { return x * (y | 1); }
static u64 subtract(u64 x, u64 y) { return x - y; }
static u64 swap(u64 x, u64 y) { return __builtin_bswap64(x) + y; }
static u64 fold(u64 x, u64 y) { return (x >> 32) + (x & 0xffffffff) * 31 + y; }
static u64 invert(u64 x, u64 y) { return ~x ^ y << 3; }
static u64 pick(u64 x, u64 y) { return x & 1 ? x + 3 * y : (x >> 1) + y; }

static u64 (*const table[8])(u64, u64) = { add, rotate, multiply, subtract, swap, fold, invert, pick };

u64 work(void)
{
    u64 state = 0x9e3779b97f4a7c15ul, sum = 1;
    for (u64 i = 0; i < Calls; i++) {
        u64 random = next(&state);
        sum = table[random & 7](sum, random >> 3);
    }

    return sum;
}
