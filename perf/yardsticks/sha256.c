/* 32-bit logic and rotations: SHA-256 (FIPS 180-4) of 64 KiB; the constants are found as the standard defines them. */
#include "yardstick.h"

enum { Size = 65536 };

static u8 message[Size];
static u32 constants[64];

static u32 right(u32 x, int count)
{
    return x >> count | x << (32 - count);
}

/* The first 32 bits behind the point of a number's square or cube root. */
static u32 fraction(u32 number, int power)
{
    unsigned __int128 target = (unsigned __int128)number << (power == 2 ? 64 : 96);
    u64 root = 0;
    for (int bit = 35; bit >= 0; bit--) {
        u64 tried = root | 1ul << bit;
        unsigned __int128 raised = (unsigned __int128)tried * tried;
        if (power == 3)
            raised *= tried;
        if (raised <= target)
            root = tried;
    }

    return (u32)root;
}

static void block(u32 state[8], const u8 *bytes)
{
    u32 w[64], s[8];
    for (int i = 0; i < 16; i++)
        w[i] = (u32)bytes[4 * i] << 24 | (u32)bytes[4 * i + 1] << 16 | (u32)bytes[4 * i + 2] << 8 | bytes[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        u32 a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + (right(a, 7) ^ right(a, 18) ^ a >> 3) + w[i - 7] + (right(b, 17) ^ right(b, 19) ^ b >> 10);
    }

    for (int i = 0; i < 8; i++)
        s[i] = state[i];
    for (int i = 0; i < 64; i++) {
        u32 e = s[4], a = s[0];
        u32 first = s[7] + (right(e, 6) ^ right(e, 11) ^ right(e, 25)) + ((e & s[5]) ^ (~e & s[6])) + constants[i] + w[i];
        u32 second = (right(a, 2) ^ right(a, 13) ^ right(a, 22)) + ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
        s[7] = s[6];
        s[6] = s[5];
        s[5] = e;
        s[4] = s[3] + first;
        s[3] = s[2];
        s[2] = s[1];
        s[1] = a;
        s[0] = first + second;
    }

    for (int i = 0; i < 8; i++)
        state[i] += s[i];
}

u64 work(void)
{
    u32 state[8];
    int found = 0;
    for (u32 n = 2; found < 64; n++) {
        u32 divisor = 2;
        while (divisor * divisor <= n && n % divisor)
            divisor++;
        if (divisor * divisor <= n)
            continue;
        if (found < 8)
            state[found] = fraction(n, 2);
        constants[found++] = fraction(n, 3);
    }

    for (u64 i = 0; i < Size; i++)
        message[i] = (u8)(i * 7 + (i >> 8));
    for (u64 i = 0; i < Size; i += 64)
        block(state, message + i);
    u8 last[64] = { 0x80 };
    for (int i = 0; i < 8; i++)
        last[63 - i] = (u8)((u64)Size * 8 >> 8 * i);
    block(state, last);
    return (u64)state[0] << 32 | state[1];
}
